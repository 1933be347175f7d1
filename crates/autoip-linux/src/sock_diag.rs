//! The sockets that use an address, and their end (sock_diag).
//!
//! A connection whose address is taken away hangs until its peers give up. Resetting it first
//! tells both ends at once; that has to happen while the address is still there, or no packet can
//! leave from it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_sock_diag::constants::{
    AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DESTROY, SOCK_DIAG_BY_FAMILY,
};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags,
};
use nix::sys::socket::SockProtocol;

use crate::netlink::{Connection, Writer};
use crate::{Error, IfIndex, Result};

const TCP_TIME_WAIT: u8 = 6;
const TCP_LISTEN: u8 = 10;

/// A connection to the kernel's list of the sockets in one network namespace.
#[derive(Debug)]
pub struct SockDiag {
    connection: Connection,
}

/// A TCP socket, or a UDP socket that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its transport protocol.
    pub protocol: Protocol,
    /// What it is there for.
    pub state: State,
    /// Its own address.
    pub local: SocketAddrV4,
    /// The address of its peer; zero for one that listens.
    pub remote: SocketAddrV4,
    /// The interface that it is bound to.
    pub interface: Option<IfIndex>,
    /// What the kernel calls it: an IPv6 socket keeps its addresses in another form.
    id: SocketId,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a socket is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To talk with one peer, at any stage from the first SYN to the last ACK.
    Connected,
    /// To wait for connections.
    Listening,
    /// To hold back the number of a port after a connection has ended (TIME-WAIT).
    TimeWait,
}

impl SockDiag {
    /// Connects to the network namespace of this thread.
    pub fn open() -> Result<Self> {
        let connection = Connection::open(SockProtocol::NetlinkSockDiag)
            .map_err(|errno| Error::new("connect to sock_diag", errno))?;
        Ok(Self { connection })
    }

    /// The sockets whose own address this is: TCP ones in every state, and connected UDP ones,
    /// IPv6 sockets that talk IPv4 included.
    ///
    /// A kernel that cannot list UDP sockets seems to have none.
    pub fn using(&mut self, address: Ipv4Addr) -> Result<Vec<Socket>> {
        let mut sockets = Vec::new();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            for family in [AF_INET, AF_INET6] {
                match self.list(family, protocol, address) {
                    Ok(found) => sockets.extend(found),
                    Err(error)
                        if protocol == Protocol::Udp
                            && error.raw_os_error() == Some(libc::ENOENT) => {}
                    Err(error) => {
                        return Err(Error::new(format!("list the sockets of {address}"), error));
                    }
                }
            }
        }
        Ok(sockets)
    }

    fn list(
        &mut self,
        family: u8,
        protocol: Protocol,
        address: Ipv4Addr,
    ) -> io::Result<Vec<Socket>> {
        let body = list_request(family, protocol, address);
        self.connection.dump(SOCK_DIAG_BY_FAMILY, &body, |kind, body| {
            let socket = (kind == SOCK_DIAG_BY_FAMILY).then(|| Socket::decode(body, protocol))?;
            socket.filter(|socket| *socket.local.ip() == address)
        })
    }

    /// Ends a socket: its owner gets ECONNABORTED, and a TCP peer gets an RST if it has to know.
    /// `false` when the socket was gone.
    ///
    /// EPERM means that CAP_NET_ADMIN is missing, EOPNOTSUPP that the kernel was built without
    /// the means (CONFIG_INET_DIAG_DESTROY).
    pub fn destroy(&mut self, socket: &Socket) -> Result<bool> {
        let body = socket.destroy_request();
        match self.connection.ask(SOCK_DESTROY, 0, &body, |_, _| None::<()>) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(error) => {
                let Socket { local, remote, .. } = socket;
                Err(Error::new(format!("end the socket of {local} with {remote}"), error))
            }
        }
    }

    /// Ends every TCP connection of an address that can be ended. Sockets that listen, and UDP,
    /// are left alone.
    ///
    /// Fails where the sockets cannot even be listed.
    pub fn reset_all(&mut self, address: Ipv4Addr) -> Result<Resets> {
        let mut resets = Resets::default();
        for socket in self.using(address)? {
            if socket.protocol == Protocol::Tcp && socket.state == State::Connected {
                match self.destroy(&socket) {
                    Ok(was_there) => resets.count += usize::from(was_there),
                    Err(error) => resets.failures.push(error),
                }
            }
        }
        Ok(resets)
    }
}

/// What came of ending the connections of an address.
#[derive(Debug, Default)]
pub struct Resets {
    /// How many were ended.
    pub count: usize,
    /// Why others were not, each as [`SockDiag::destroy`] says.
    pub failures: Vec<Error>,
}

impl Socket {
    /// Reads the description of a socket; `None` where its own address is not an IPv4 one.
    pub(crate) fn decode(body: &[u8], protocol: Protocol) -> Option<Self> {
        let InetResponseHeader { state, socket_id: id, .. } =
            InetResponseHeader::parse(body).ok()?;
        let state = match state {
            TCP_LISTEN => State::Listening,
            TCP_TIME_WAIT => State::TimeWait,
            _ => State::Connected,
        };
        Some(Self {
            protocol,
            state,
            local: SocketAddrV4::new(ipv4(id.source_address)?, id.source_port),
            remote: SocketAddrV4::new(ipv4(id.destination_address)?, id.destination_port),
            interface: IfIndex::new(id.interface_id),
            id,
        })
    }

    fn destroy_request(&self) -> Vec<u8> {
        let family = if self.id.source_address.is_ipv4() { AF_INET } else { AF_INET6 };
        bytes(&InetRequest {
            family,
            protocol: self.protocol.number(),
            extensions: ExtensionFlags::empty(),
            states: StateFlags::all(),
            socket_id: self.id.clone(),
        })
    }
}

impl Protocol {
    const fn number(self) -> u8 {
        match self {
            Self::Tcp => IPPROTO_TCP,
            Self::Udp => IPPROTO_UDP,
        }
    }
}

/// The IPv4 address in an address of a socket; the unspecified one is of both families.
fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) if address.is_unspecified() => Some(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    }
}

fn list_request(family: u8, protocol: Protocol, address: Ipv4Addr) -> Vec<u8> {
    let mut out = Writer::default();
    out.raw(&bytes(&InetRequest {
        family,
        protocol: protocol.number(),
        extensions: ExtensionFlags::empty(),
        states: match protocol {
            Protocol::Tcp => StateFlags::all(),
            Protocol::Udp => StateFlags::ESTABLISHED,
        },
        socket_id: SocketId::new_v4(),
    }));
    const REQ_BYTECODE: u16 = 1;
    out.attribute(REQ_BYTECODE, &local_address_is(address));
    out.into_bytes()
}

/// A filter program, so that a server's thousands of other sockets stay in the kernel. It takes
/// an IPv4 address in an IPv6 socket for what it is.
fn local_address_is(address: Ipv4Addr) -> Vec<u8> {
    const SOURCE_CONDITION: u8 = 7;
    const LENGTH: u8 = 16;
    const ANY_PORT: i32 = -1;
    // A jump to just behind the program accepts, one beyond that refuses.
    let refuse = u16::from(LENGTH) + 4;
    let mut program = vec![SOURCE_CONDITION, LENGTH];
    program.extend(refuse.to_ne_bytes());
    program.extend([AF_INET, 32, 0, 0]);
    program.extend(ANY_PORT.to_ne_bytes());
    program.extend(address.octets());
    program
}

fn bytes(request: &InetRequest) -> Vec<u8> {
    let mut bytes = vec![0; request.buffer_len()];
    request.emit(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
