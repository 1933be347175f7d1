//! ARP packets for IPv4 over Ethernet: parsing, building, and nothing about what they mean.
//!
//! A frame is 14 bytes of Ethernet header and 28 bytes of ARP; what follows is padding up to the
//! Ethernet minimum and is ignored.

use core::fmt;
use core::net::Ipv4Addr;

use crate::MacAddr;

/// The Ethernet type of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// The length of an ARP frame for IPv4 over Ethernet, without padding.
pub const FRAME_LEN: usize = HEADER_LEN + ARP_LEN;

const HEADER_LEN: usize = 14;
const ARP_LEN: usize = 28;
const HARDWARE_ETHERNET: u16 = 1;
const PROTOCOL_IPV4: u16 = 0x0800;
const OP_REQUEST: u16 = 1;
const OP_REPLY: u16 = 2;

/// The bytes of one ARP frame, Ethernet header first, without padding.
pub type Frame = [u8; FRAME_LEN];

/// What an ARP packet asks or says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Who has the target address?
    Request,
    /// The sender has it.
    Reply,
}

/// The two addresses of the Ethernet header that carried a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ethernet {
    /// Whom the frame was for.
    pub destination: MacAddr,
    /// Who put it on the link, by its own word.
    pub source: MacAddr,
}

/// One ARP packet for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArpPacket {
    /// Request or reply.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_mac: MacAddr,
    /// The sender's IPv4 address; 0.0.0.0 in a probe.
    pub sender_ip: Ipv4Addr,
    /// The target's hardware address; zero where it is not known.
    pub target_mac: MacAddr,
    /// The target's IPv4 address.
    pub target_ip: Ipv4Addr,
}

/// Why a frame is not an ARP request or reply for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParseError {
    /// Fewer than [`FRAME_LEN`] bytes.
    Short,
    /// The Ethernet type is not ARP (a VLAN tag counts as another type).
    EtherType,
    /// Not Ethernet and IPv4 with 6- and 4-byte addresses.
    AddressFormat,
    /// An operation other than request and reply.
    Operation,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "shorter than an ARP frame",
            Self::EtherType => "not an ARP frame",
            Self::AddressFormat => "ARP for something other than IPv4 over Ethernet",
            Self::Operation => "neither an ARP request nor a reply",
        })
    }
}

impl core::error::Error for ParseError {}

impl ArpPacket {
    /// An ARP probe: "is anybody using `target`?", with an all-zero sender address so that no
    /// neighbour cache learns from it (RFC 3927 §2.2.1, RFC 5227 §1.1).
    //= LL-1.2-01 a probe is a broadcast request whose sender address is zero
    //= LL-1.2-02 a probe carries the hardware address of the interface it leaves by
    //= LL-1.2-03 a probe's target hardware address is zero
    #[must_use]
    pub const fn probe(mac: MacAddr, target: Ipv4Addr) -> Self {
        Self {
            operation: Operation::Request,
            //= LL-2.2.1-01 a probe's sender hardware address is that of the interface
            //= ACD-1.1-01 a probe's sender hardware address is that of the interface
            sender_mac: mac,
            //= LL-2.2.1-02 a probe's sender address is zero
            //= ACD-1.1-02 a probe's sender address is zero
            sender_ip: Ipv4Addr::UNSPECIFIED,
            //= LL-2.2.1-03 a probe's target hardware address is zero
            //= ACD-1.1-03 a probe's target hardware address is zero
            target_mac: MacAddr::ZERO,
            //= LL-1.2-04 a probe asks for the address under test
            //= LL-2.2.1-04 a probe's target address is the candidate
            //= ACD-1.1-04 a probe's target address is the one that is asked about
            target_ip: target,
        }
    }

    /// An ARP announcement: "`addr` is mine now". A request, never a reply (RFC 3927 §2.4,
    /// RFC 5227 §3); a defence is the same packet.
    //= LL-1.2-05 an announcement is a request with sender and target address alike
    //= LL-2.4-03 an announcement is a probe with the address as sender, too
    //= ACD-1.1-05 an announcement says that the address is in use
    //= ACD-3-01 announcements and defences are requests
    #[must_use]
    pub const fn announcement(mac: MacAddr, addr: Ipv4Addr) -> Self {
        Self {
            operation: Operation::Request,
            sender_mac: mac,
            sender_ip: addr,
            target_mac: MacAddr::ZERO,
            target_ip: addr,
        }
    }

    /// Reads a frame, Ethernet header first. Bytes after the packet are padding.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for whatever is not an ARP request or reply for IPv4 over Ethernet. No
    /// input panics.
    pub fn parse(frame: &[u8]) -> Result<(Ethernet, Self), ParseError> {
        let frame: &Frame =
            frame.get(..FRAME_LEN).and_then(|f| f.try_into().ok()).ok_or(ParseError::Short)?;
        if be16(frame, 12) != ETHERTYPE_ARP {
            return Err(ParseError::EtherType);
        }
        let format = (be16(frame, 14), be16(frame, 16), frame[18], frame[19]);
        if format != (HARDWARE_ETHERNET, PROTOCOL_IPV4, 6, 4) {
            return Err(ParseError::AddressFormat);
        }
        let operation = match be16(frame, 20) {
            OP_REQUEST => Operation::Request,
            OP_REPLY => Operation::Reply,
            _ => return Err(ParseError::Operation),
        };
        let ethernet = Ethernet { destination: mac(frame, 0), source: mac(frame, 6) };
        let packet = Self {
            operation,
            sender_mac: mac(frame, 22),
            sender_ip: ip(frame, 28),
            target_mac: mac(frame, 32),
            target_ip: ip(frame, 38),
        };
        Ok((ethernet, packet))
    }

    /// The frame that carries this packet from its sender to `destination`.
    #[must_use]
    pub fn to_frame(&self, destination: MacAddr) -> Frame {
        let operation = match self.operation {
            Operation::Request => OP_REQUEST,
            Operation::Reply => OP_REPLY,
        };
        let mut frame = [0; FRAME_LEN];
        frame[0..6].copy_from_slice(&destination.octets());
        frame[6..12].copy_from_slice(&self.sender_mac.octets());
        frame[12..14].copy_from_slice(&ETHERTYPE_ARP.to_be_bytes());
        frame[14..16].copy_from_slice(&HARDWARE_ETHERNET.to_be_bytes());
        frame[16..18].copy_from_slice(&PROTOCOL_IPV4.to_be_bytes());
        frame[18] = 6;
        frame[19] = 4;
        frame[20..22].copy_from_slice(&operation.to_be_bytes());
        frame[22..28].copy_from_slice(&self.sender_mac.octets());
        frame[28..32].copy_from_slice(&self.sender_ip.octets());
        frame[32..38].copy_from_slice(&self.target_mac.octets());
        frame[38..42].copy_from_slice(&self.target_ip.octets());
        frame
    }

    /// The frame that carries this packet to everybody on the link.
    #[must_use]
    pub fn to_broadcast(&self) -> Frame {
        self.to_frame(MacAddr::BROADCAST)
    }
}

fn be16(frame: &Frame, at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}

fn mac(frame: &Frame, at: usize) -> MacAddr {
    let mut octets = [0; 6];
    octets.copy_from_slice(&frame[at..at + 6]);
    MacAddr(octets)
}

fn ip(frame: &Frame, at: usize) -> Ipv4Addr {
    Ipv4Addr::new(frame[at], frame[at + 1], frame[at + 2], frame[at + 3])
}

#[cfg(test)]
mod tests;
