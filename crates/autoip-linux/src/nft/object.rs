//! Tables, chains and sets: where rules and what they look up live.

use std::fmt;
use std::marker::PhantomData;
use std::net::Ipv4Addr;

/// Which packets a table sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 packets.
    Ip,
    /// IPv4 and IPv6 packets.
    Inet,
    /// Every frame of one interface.
    Netdev,
}

/// A table: a name for what belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// Which packets it sees.
    pub family: Family,
    /// Its name, which is unique in its family.
    pub name: &'a str,
    /// Whether it belongs to the connection that adds it (Linux 5.12): it goes when that is
    /// dropped, and until then nobody else can change or flush it.
    pub owned: bool,
}

/// A chain of rules. A packet that none of them stops is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain<'a> {
    /// The table that it is in.
    pub table: Table<'a>,
    /// Its name.
    pub name: &'a str,
    /// Where packets meet it.
    pub hook: Hook<'a>,
    /// Its place among the chains of the same hook: the lower, the earlier.
    pub priority: i32,
}

/// Where on their way packets meet a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook<'a> {
    /// Frames that an interface received; in tables of [`Family::Netdev`].
    Ingress {
        /// The interface's name.
        device: &'a str,
    },
    /// Frames that an interface is about to send (Linux 5.16); in tables of [`Family::Netdev`].
    Egress {
        /// The interface's name.
        device: &'a str,
    },
    /// Packets before it is decided whether they are for this host.
    Prerouting,
    /// Packets that this host passes on.
    Forward,
    /// Packets that leave, whoever made them.
    Postrouting,
}

/// A set that rules look things up in; `K` is what its elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set<'a, K = Ipv4Addr> {
    /// The table that it is in.
    pub table: Table<'a>,
    /// Its name.
    pub name: &'a str,
    elements: PhantomData<K>,
}

impl<'a, K> Set<'a, K> {
    /// The set of this name in a table.
    #[must_use]
    pub const fn new(table: Table<'a>, name: &'a str) -> Self {
        Self { table, name, elements: PhantomData }
    }
}

impl Family {
    /// The kernel's number (NFPROTO_*).
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Inet => 1,
            Self::Ip => 2,
            Self::Netdev => 5,
        }
    }
}

impl<'a> Hook<'a> {
    /// The kernel's number (NF_NETDEV_*, NF_INET_*).
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Ingress { .. } | Self::Prerouting => 0,
            Self::Egress { .. } => 1,
            Self::Forward => 2,
            Self::Postrouting => 4,
        }
    }

    /// The interface, where the hook belongs to one.
    pub(super) const fn device(self) -> Option<&'a str> {
        match self {
            Self::Ingress { device } | Self::Egress { device } => Some(device),
            Self::Prerouting | Self::Forward | Self::Postrouting => None,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip => "ip",
            Self::Inet => "inet",
            Self::Netdev => "netdev",
        })
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} {}", self.family, self.name)
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {} of {}", self.name, self.table)
    }
}

impl<K> fmt::Display for Set<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {} of {}", self.name, self.table)
    }
}
