//! ICMP echo, without the `ping` program.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};

use crate::host::Host;
use crate::wait::readable;

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const IPV4_HEADER_MIN: usize = 20;

impl Host {
    /// Sends one ICMP echo request and waits for its reply: the time between them, or `None`
    /// when none came within `timeout`.
    ///
    /// # Errors
    ///
    /// What the kernel says to the sending: no route to `destination`, say.
    pub fn ping(&self, destination: Ipv4Addr, timeout: Duration) -> io::Result<Option<Duration>> {
        let socket = self.run(|| {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Icmp)
        })?;
        let request = echo_request();
        let to = SockaddrIn::from(SocketAddrV4::new(destination, 0));
        let sent_at = Instant::now();
        sendto(socket.as_raw_fd(), &request, &to, MsgFlags::empty())?;
        while readable(&socket, sent_at + timeout) {
            if is_reply(&socket, destination, &request)? {
                return Ok(Some(sent_at.elapsed()));
            }
        }
        Ok(None)
    }
}

/// An echo request. Its identifier tells replies to this process from replies to another.
fn echo_request() -> [u8; 8] {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let mut packet = [ECHO_REQUEST, 0, 0, 0, high, low, 0, 1];
    let [high, low] = checksum(&packet).to_be_bytes();
    packet[2] = high;
    packet[3] = low;
    packet
}

/// The Internet checksum (RFC 1071) of a packet with an even number of bytes.
fn checksum(packet: &[u8]) -> u16 {
    let sum = packet.chunks_exact(2).fold(0u16, |sum, pair| {
        let (sum, carry) = sum.overflowing_add(u16::from_be_bytes([pair[0], pair[1]]));
        sum + u16::from(carry)
    });
    !sum
}

/// Takes one packet off the socket: is it what `from` answers to `request`?
fn is_reply(socket: &OwnedFd, from: Ipv4Addr, request: &[u8; 8]) -> io::Result<bool> {
    let mut buffer = [0; 128];
    let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
    let packet = &buffer[..length];
    if length < IPV4_HEADER_MIN || packet[12..16] != from.octets() {
        return Ok(false);
    }
    let header = usize::from(packet[0] & 0x0f) * 4;
    let Some([kind, _, _, _, same @ ..]) = packet.get(header..header + request.len()) else {
        return Ok(false);
    };
    Ok(*kind == ECHO_REPLY && *same == request[4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_with_its_checksum_sums_up_to_zero() {
        assert_eq!(checksum(&echo_request()), 0);
        assert_eq!(checksum(&[0xff, 0xff, 0x00, 0x02]), !2);
    }
}
