//! ARP over Ethernet, as far as IPv4 address conflict detection needs it.
//!
//! Bytes in, meaning out, and back: [`ArpPacket`] parses and builds frames, [`MacAddr`] and
//! [`LinkLocalAddr`] keep look-alike values apart. The crate knows nothing of time, state or
//! operating systems, needs neither `std` nor `alloc`, and reads every field byte by byte, so it
//! behaves the same on 32-bit and big-endian machines.
//!
//! Input from a link is never trusted: whatever the bytes are, [`ArpPacket::parse`] returns and
//! does not panic.
#![no_std]
#![forbid(unsafe_code)]

mod addr;
mod arp;
mod mac;

pub use addr::{LINK_LOCAL_NET, LinkLocalAddr, NotLinkLocal, ParseLinkLocalError, is_link_local};
pub use arp::{ArpPacket, ETHERTYPE_ARP, Ethernet, FRAME_LEN, Frame, Operation, ParseError};
pub use mac::{MacAddr, ParseMacError};
