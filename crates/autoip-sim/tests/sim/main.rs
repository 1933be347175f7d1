//! The simulator proves two things at once: that the engine breaks no rule on any link, and that
//! the checkers would notice if it did.

mod canary;
mod command;
mod delivery;
mod replay;
mod swarm;
