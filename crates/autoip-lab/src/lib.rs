//! Virtual hosts, cables and a switch, for tests against the real kernel.
//!
//! [`enter`] moves the process into a private network namespace; no privilege is needed where the
//! kernel allows user namespaces. Inside, a [`Switch`] connects [`Host`]s by [`Cable`]s. A host is
//! a network namespace of its own, in which a test runs code or starts programs. A [`Peer`] speaks
//! raw ARP, and a [`Recording`] keeps what goes over a cable or changes on a host, with the time.
//!
//! ```no_run
//! use autoip_lab::{Host, Peer, Switch};
//! use std::time::Duration;
//!
//! fn answers_for_its_address() {
//!     let switch = Switch::new();
//!     let host = Host::new("a");
//!     let cable = host.connect(&switch, "eth0");
//!     let addr = [10, 0, 0, 1].into();
//!     host.add_address("eth0", addr, 24);
//!     let mut wire = cable.capture();
//!     Peer::new(&switch).probe(addr);
//!     wire.expect("answer", Duration::from_secs(1), |seen| {
//!         seen.is_from_host() && seen.arp.sender_ip == addr
//!     });
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     autoip_lab::test_main(&autoip_lab::tests![answers_for_its_address])
//! }
//! ```
//!
//! Everything is removed when the values are dropped, after a panic too, and by the kernel when
//! the process ends in whatever way. What the kernel refuses is a panic with a sentence: a test
//! could do nothing else with it. All waits have limits, and all times are CLOCK_BOOTTIME.
#![forbid(unsafe_code)]

use std::io::{self, Write};

mod cable;
mod change;
mod device;
mod entry;
mod host;
mod namespace;
mod peer;
mod ping;
mod process;
mod reader;
mod recording;
mod responder;
mod seen;
mod suite;
mod switch;
mod wait;

pub use cable::Cable;
pub use change::Change;
pub use entry::{Entry, NoNamespaces, enter};
pub use host::Host;
pub use nix::sys::signal::Signal;
pub use nix::unistd::Pid;
pub use peer::Peer;
pub use process::{Line, Process};
pub use recording::Recording;
pub use responder::Answer;
pub use seen::{Seen, Way};
pub use suite::{run_all, skip, test_main};
pub use switch::Switch;

/// Writes to standard error in one piece, so that tests in parallel do not mix their lines.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
