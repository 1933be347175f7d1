//! The engine of IPv4 link-local addressing (RFC 3927) and of address conflict detection
//! (RFC 5227), as pure state machines.
//!
//! Two layers, usable each for itself:
//!
//! - [`Acd`] probes for, announces, watches and defends *one* IPv4 address of any kind. It makes
//!   no choices: a static or DHCP address can be watched with it just as well.
//! - [`Engine`] adds everything link-local: which address to try ([`Sequence`]), when (rate
//!   limit, restarts), and what to do when one is lost.
//!
//! Neither reads a clock, does I/O, allocates, or draws randomness of its own: time comes in with
//! every input, randomness as one seed, and what is to be done comes out as data. The same code
//! runs in the daemon, in simulators and fuzzers, and on bare metal.
//!
//! # The contract
//!
//! 1. One input: a method that takes `&mut self`, called when the thing happens. `now` comes from
//!    one clock that counts through suspend; only [`Engine::handle_frame`] may look back, because
//!    it wants the time at which the frame was *received*.
//! 2. Drain: take [`Engine::poll_action`] and do what it says, in that order, until it returns
//!    `None`. What comes of an action (an address put on the interface, a frame that could not be
//!    sent) is the next input, after the drain.
//! 3. Ask for the deadline: [`Engine::poll_timeout`], and call [`Engine::handle_timeout`] when it
//!    has come. Calling it early does nothing; calling it late delays, and loses nothing.
//!
//! Frames that have arrived go in before a timeout that has come: a conflict that was received
//! before the listening time ended must count, even when the program was slow.
//!
//! Nothing that a link can send makes any method panic. Leaving actions in the queue does: it is
//! a mistake in the driver.
//!
//! # Example
//!
//! A driver in a dozen lines, on a link where nobody answers. It jumps from deadline to deadline,
//! where a real one would wait for frames in between.
//!
//! ```
//! use autoip_core::{Action, Config, Engine, Event, Instant, MacAddr};
//!
//! let mac = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
//! let mut engine = Engine::new(Config::new(mac, 0x5eed));
//! let mut now = Instant::from_nanos(1);
//! let (mut frames, mut acquired) = (0, None);
//!
//! engine.start(now);
//! loop {
//!     let mut install = false;
//!     while let Some(action) = engine.poll_action() {
//!         match action {
//!             Action::Transmit(_frame) => frames += 1,
//!             Action::Install(_addr) => install = true,
//!             Action::Remove(_addr, _loss) => unreachable!("nobody objects here"),
//!             Action::Listen(_interest) => {}
//!             Action::Report(Event::Acquired(addr)) => acquired = Some((addr, now)),
//!             Action::Report(_) => {}
//!         }
//!     }
//!     if install {
//!         engine.installed(now); // the kernel has acknowledged the address
//!         continue;
//!     }
//!     let Some(deadline) = engine.poll_timeout() else { break };
//!     now = deadline;
//!     engine.handle_timeout(now);
//! }
//!
//! let (addr, when) = acquired.expect("an empty link");
//! assert_eq!(addr.to_string(), "169.254.172.150");
//! assert_eq!(frames, 3 + 2, "three probes, two announcements");
//! assert!((4.0..=7.0).contains(&when.since(Instant::from_nanos(1)).as_secs_f64()));
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod acd;
mod action;
mod avoid;
mod conflict;
mod counters;
mod engine;
mod sequence;
mod snapshot;
mod time;
pub mod timing;

pub use acd::{Acd, AcdEvent, Contest, Defend, Phase, Step};
pub use action::{Action, Event, Interest, Loss};
pub use autoip_wire::{ArpPacket, Frame, LinkLocalAddr, MacAddr};
pub use conflict::{ConflictKind, Outcome};
pub use counters::Counters;
pub use engine::{Config, Engine};
pub use sequence::{AddrRange, DEFAULT_KEY, Sequence};
pub use snapshot::{Snapshot, Stage, ZeroConfState};
pub use time::Instant;
pub use timing::Timing;
