//! The engine of IPv4 link-local addressing (in preparation).
#![no_std]
#![forbid(unsafe_code)]

mod time;

pub use time::Instant;
