//! A deterministic simulator of a link full of hosts, over the real engine and the real codec.
//!
//! A [`Run`] is a function of its seed and its [`Options`]: the same line gives the same run on
//! every machine. In its first phase anything may fail, and the [checkers](RULES) watch that
//! nothing forbidden happens; then faults stop, and everybody must end with an address of its own.
//! [`Bug`]s planted on purpose show that the checkers see what they are for.
//!
//! No clock is read, and nothing of an operating system is used.
#![forbid(unsafe_code)]

pub mod bench;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a bug changes one thing and leaves everything else as it is, new things included"
)]
mod bug;
mod canary;
mod checker;
mod clock;
pub mod experiment;
mod faults;
mod host;
mod link;
mod net;
mod options;
mod peer;
mod plot;
mod queue;
mod run;
mod statistic;
mod stream;
mod subject;
mod swarm;
mod sweep;
mod trace;
mod world;

pub use bug::Bug;
pub use canary::{CANARIES, Canary, Finding};
pub use checker::{RULES, Rule, Violation, WHOLE_RULES};
pub use clock::SimTime;
pub use experiment::{EXPERIMENTS, Experiment};
pub use options::{Defence, Delivery, First, Options, Policy, Profile, Replies};
pub use run::{Outcome, Run};
pub use swarm::swarm;
pub use sweep::{Sweep, sweep};
