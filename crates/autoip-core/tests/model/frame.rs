//! ARP as RFC 826 lays it out, byte by byte: what the model hears, and what it sends.

use std::net::Ipv4Addr;

use autoip_core::{Action, LinkLocalAddr, MacAddr};

/// Ethernet, IPv4, and the lengths of their addresses.
const ARP: [u8; 9] = [8, 6, 0, 1, 8, 0, 6, 4, 0];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// What a frame says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This host has it.
    Claim(Ipv4Addr, MacAddr),
    /// This host wants it.
    Probe(Ipv4Addr, MacAddr),
    Nothing,
}

/// Reads any bytes.
pub(crate) fn read(bytes: &[u8]) -> Said {
    let Some(frame) = bytes.first_chunk::<42>() else { return Said::Nothing };
    let mac = MacAddr(frame[22..28].try_into().expect("six bytes"));
    let ip = |at: usize| Ipv4Addr::new(frame[at], frame[at + 1], frame[at + 2], frame[at + 3]);
    let (sender, target) = (ip(28), ip(38));
    if frame[12..21] != ARP || ![REQUEST, REPLY].contains(&frame[21]) {
        Said::Nothing
    } else if !sender.is_unspecified() {
        Said::Claim(sender, mac)
    } else if frame[21] == REQUEST && frame[..6] == [0xff; 6] {
        Said::Probe(target, mac)
    } else {
        Said::Nothing
    }
}

/// An ARP request to everybody.
pub(crate) fn request(mac: [u8; 6], sender: [u8; 4], target: LinkLocalAddr) -> Action {
    let mut frame = [0; 42];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&mac);
    frame[12..21].copy_from_slice(&ARP);
    frame[21] = REQUEST;
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&sender);
    frame[38..].copy_from_slice(&target.ip().octets());
    Action::Transmit(frame)
}
