//! The engine against a reference model of the rules, under random inputs.

mod frame;
mod reference;
mod run;
