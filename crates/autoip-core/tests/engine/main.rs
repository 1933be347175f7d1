//! The engine as a whole, through its public interface and in virtual time.
//!
//! [`driver`] is the smallest driver that keeps the contract; everything else is told by topic:
//! the complete table of inputs and stages, timelines with exact actions and instants, and
//! properties that hold whatever a link does.

mod claim;
mod conflict;
mod driver;
mod invariants;
mod join;
mod life;
mod limit;
mod profile;
mod properties;
mod setting;
mod table;
mod watch;
