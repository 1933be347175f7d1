//! Asks name servers one question each, and does not wait long.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::resolver::dns::{self, Verdict};
use crate::resolver::{Fate, Server};

const PORT: u16 = 53;
/// How long each server has.
const PATIENCE: Duration = Duration::from_secs(2);
/// After this long the question is sent once more: packets get lost.
const AGAIN: Duration = Duration::from_millis(700);
const ANSWER_MAX: usize = 4096;

/// Replaces what was concluded about each server by what its answer shows.
pub(super) fn ask(servers: &mut [Server]) {
    for server in servers {
        server.fate = match exchange(SocketAddr::new(server.ip, PORT)) {
            Ok(Verdict::Kept) => Fate::Kept,
            Ok(Verdict::PassedOn(how)) => Fate::PassedOn {
                because: format!("passes them on: {how}"),
                remedy: "Have the name server answer for 254.169.in-addr.arpa itself, as RFC 6303 \
                         asks; or keep the question on this host with nss-mdns."
                    .to_owned(),
                command: None,
            },
            Ok(Verdict::Unclear(why)) => Fate::Unknown(format!("{} was asked: {why}", server.ip)),
            Err(error) => Fate::Unknown(format!("{} was asked in vain: {error}", server.ip)),
        };
    }
}

fn exchange(server: SocketAddr) -> io::Result<Verdict> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // Only what comes from there is received.
    socket.connect(server)?;
    let id = autoip_linux::seed().map_or(0x1693, |seed| {
        let [a, b, ..] = seed.to_ne_bytes();
        u16::from_ne_bytes([a, b])
    });
    let question = dns::question(id);
    socket.send(&question)?;
    let begin = Instant::now();
    let mut sent_again = false;
    loop {
        let waited = begin.elapsed();
        if waited >= PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within two seconds"));
        }
        if waited >= AGAIN && !sent_again {
            sent_again = true;
            socket.send(&question)?;
        }
        let until = if sent_again { PATIENCE } else { AGAIN };
        let left = until.saturating_sub(waited).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(left))?;
        let mut answer = [0; ANSWER_MAX];
        match socket.recv(&mut answer) {
            Ok(length) => {
                if let Some(verdict) = dns::verdict(answer.get(..length).unwrap_or_default(), id) {
                    return Ok(verdict);
                }
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    [Interrupted, TimedOut, WouldBlock].contains(&error.kind())
}
