//! What the fuzzers do with their bytes: one function for each parser that meets bytes of others.
//!
//! Each takes any bytes, hands them to the code that reads them in the daemon, and asserts what
//! must hold of the result; that nothing panics is the least of it. The fuzzers in `fuzz/` are
//! wrappers of three lines around these functions. Their corpora are replayed on stable Rust by
//! the tests of this crate, so that what was once found stays found.
//!
//! Nothing here may touch the system: no file, no socket, no clock.
#![forbid(unsafe_code)]

mod control;
mod engine;
mod netlink;
mod text;

pub use control::control;
pub use engine::{arp, frame};
pub use netlink::{nft, rtnl, sock_diag};
pub use text::{avahi, command_line, config, option_list, settings_record, state_file, zcip};

/// A fuzzer: its name, which is also that of its corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 13] = [
    ("arp", arp),
    ("avahi", avahi),
    ("command_line", command_line),
    ("config", config),
    ("control", control),
    ("frame", frame),
    ("nft", nft),
    ("option_list", option_list),
    ("rtnl", rtnl),
    ("settings_record", settings_record),
    ("sock_diag", sock_diag),
    ("state_file", state_file),
    ("zcip", zcip),
];
