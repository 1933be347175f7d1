//! The packet filters that keep unrelated ARP traffic inside the kernel.
//!
//! A link may carry thousands of ARP frames a second; a filter lets only those wake the daemon
//! that can concern the one address it claims. The filters are a saving, never a judgement: the
//! engine checks every frame again.

use std::net::Ipv4Addr;

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W,
    SKF_AD_OFF, SKF_AD_PKTTYPE, SKF_AD_VLAN_TAG, sock_filter,
};

pub(crate) mod sibling;

/// Which ARP frames a [`PacketSocket`](crate::PacketSocket) passes on.
///
/// All of them refuse whatever is not ARP for IPv4 over Ethernet, a request or a reply, addressed
/// to this host or to a group, and outside any VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpFilter {
    /// No frame at all.
    Nothing,
    /// While an address is probed: frames with it as sender address, and frames with a zero
    /// sender address that ask for it.
    Candidate(Ipv4Addr),
    /// Once an address is claimed: frames with it as sender address.
    Claimed(Ipv4Addr),
    /// Every well-formed ARP frame.
    All,
}

const ETHERTYPE_OFFSET: u32 = 12;
const HARDWARE_PROTOCOL_OFFSET: u32 = 14;
const LENGTHS_OPERATION_OFFSET: u32 = 18;
const SENDER_IP_OFFSET: u32 = 28;
const TARGET_IP_OFFSET: u32 = 38;

/// Hardware type Ethernet, protocol type IPv4.
const ETHERNET_IPV4: u32 = 0x0001_0800;
/// Hardware address length 6, protocol address length 4, operation request.
const REQUEST: u32 = 0x0604_0001;
/// The same with operation reply.
const REPLY: u32 = 0x0604_0002;

const ACCEPT: sock_filter = ret(u32::MAX);
const REJECT: sock_filter = ret(0);

/// The filter as a classic BPF program for a SOCK_RAW packet socket.
///
/// A load beyond the end of a frame ends the program with "reject", so a frame too short for its
/// fields never passes.
pub(crate) fn program(filter: ArpFilter) -> Vec<sock_filter> {
    let addresses: &[sock_filter] = match filter {
        ArpFilter::Nothing => return vec![REJECT],
        ArpFilter::All => &[ACCEPT],
        ArpFilter::Claimed(ip) => {
            &[load(BPF_W, SENDER_IP_OFFSET), skip_if(ip.to_bits(), 0, 1), ACCEPT, REJECT]
        }
        ArpFilter::Candidate(ip) => &[
            load(BPF_W, SENDER_IP_OFFSET),
            skip_if(ip.to_bits(), 3, 0),
            skip_if(0, 0, 3),
            load(BPF_W, TARGET_IP_OFFSET),
            skip_if(ip.to_bits(), 0, 1),
            ACCEPT,
            REJECT,
        ],
    };
    let mut program = well_formed().to_vec();
    program.extend_from_slice(addresses);
    program
}

/// Rejects all but well-formed ARP frames; falls through for those.
///
/// The kernel drops a tag of a VLAN that the interface does not carry before it hands the frame
/// to an ARP socket, and marks the frame as meant for another host: hence the packet type. The
/// tag is looked at for drivers and paths that leave it in place; a tag with VLAN 0 is only a
/// priority and belongs to the plain link.
const fn well_formed() -> [sock_filter; 16] {
    [
        // For the length alone: it is the last field.
        load(BPF_W, TARGET_IP_OFFSET),
        load_ancillary(SKF_AD_PKTTYPE),
        skip_if(libc::PACKET_OTHERHOST as u32, 0, 1),
        REJECT,
        load_ancillary(SKF_AD_VLAN_TAG),
        statement(BPF_ALU | BPF_AND | BPF_K, 0x0fff),
        skip_if(0, 1, 0),
        REJECT,
        load(BPF_H, ETHERTYPE_OFFSET),
        skip_if(autoip_wire::ETHERTYPE_ARP as u32, 0, 5),
        load(BPF_W, HARDWARE_PROTOCOL_OFFSET),
        skip_if(ETHERNET_IPV4, 0, 3),
        load(BPF_W, LENGTHS_OPERATION_OFFSET),
        skip_if(REQUEST, 2, 0),
        skip_if(REPLY, 1, 0),
        REJECT,
    ]
}

const fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: short(code), jt: 0, jf: 0, k }
}

const fn load(size: u32, offset: u32) -> sock_filter {
    statement(BPF_LD | size | BPF_ABS, offset)
}

/// Loads a property of the frame that is not among its bytes.
const fn load_ancillary(property: i32) -> sock_filter {
    load(BPF_B, (SKF_AD_OFF + property).cast_unsigned())
}

const fn ret(length: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, length)
}

/// Skips `then` instructions when the loaded value is `k`, else `otherwise`.
const fn skip_if(k: u32, then: u8, otherwise: u8) -> sock_filter {
    sock_filter { code: short(BPF_JMP | BPF_JEQ | BPF_K), jt: then, jf: otherwise, k }
}

#[expect(clippy::cast_possible_truncation, reason = "operation codes have one byte")]
const fn short(code: u32) -> u16 {
    code as u16
}

#[cfg(test)]
mod tests;
