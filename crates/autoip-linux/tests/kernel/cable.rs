//! A cable between two virtual interfaces, and ARP frames to send over it.

use std::net::Ipv4Addr;
use std::os::fd::AsFd;

use autoip_linux::rtnl::{Event, Link, Monitor, Rtnl};
use autoip_linux::{IfIndex, PacketSocket, Received};
use autoip_wire::MacAddr;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub(crate) const OURS: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);
pub(crate) const OTHER: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 7);
/// The hardware address of the peer that the frames of [`arp`] come from.
pub(crate) const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 0x77]);
pub(crate) const ZERO: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// Longer than anything here takes; reached only when a test fails.
const PATIENCE_MS: u16 = 5000;

/// Both ends of a veth pair, up, in the namespace of the calling thread.
pub(crate) struct Cable {
    pub(crate) rtnl: Rtnl,
    pub(crate) near: IfIndex,
    pub(crate) far: IfIndex,
}

impl Cable {
    pub(crate) fn new() -> Self {
        Self::named("near", "far")
    }

    pub(crate) fn named(near: &str, far: &str) -> Self {
        let mut rtnl = Rtnl::open().unwrap();
        let mut peer = LinkMessage::default();
        peer.attributes.push(LinkAttribute::IfName(far.to_owned()));
        let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer)));
        create(&mut rtnl, near, vec![LinkInfo::Kind(InfoKind::Veth), data]);
        let (near, far) = (index(&mut rtnl, near), index(&mut rtnl, far));
        let mut cable = Self { rtnl, near, far };
        let monitor = Monitor::open().unwrap();
        cable.set_up(near, true);
        cable.set_up(far, true);
        cable.await_carrier(monitor);
        cable
    }

    /// Waits until both ends are told to have a carrier. Before that the kernel drops what is
    /// sent, without an error.
    pub(crate) fn await_carrier(&self, mut monitor: Monitor) {
        let mut left = vec![self.near, self.far];
        while !left.is_empty() {
            match monitor.next().unwrap() {
                Some(Event::LinkChanged(link)) if link.has_carrier() => {
                    left.retain(|&index| index != link.index);
                }
                Some(_) => {}
                None => await_readable(&monitor),
            }
        }
    }

    pub(crate) fn set_up(&mut self, index: IfIndex, up: bool) {
        let mut link = LinkMessage::default();
        link.header.index = index.get();
        link.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        link.header.change_mask = LinkFlags::Up;
        self.rtnl.request(RouteNetlinkMessage::SetLink(link), 0).unwrap();
    }

    /// Makes an interface a port of another one, or of none.
    pub(crate) fn set_master(&mut self, index: IfIndex, master: Option<IfIndex>) {
        let mut link = LinkMessage::default();
        link.header.index = index.get();
        link.attributes.push(LinkAttribute::Controller(master.map_or(0, IfIndex::get)));
        self.rtnl.request(RouteNetlinkMessage::SetLink(link), 0).unwrap();
    }

    pub(crate) fn remove(&mut self, index: IfIndex) {
        let mut link = LinkMessage::default();
        link.header.index = index.get();
        self.rtnl.request(RouteNetlinkMessage::DelLink(link), 0).unwrap();
    }

    /// Enters a neighbour, with the hardware address of [`arp`].
    pub(crate) fn add_neighbour(&mut self, index: IfIndex, ip: Ipv4Addr, state: NeighbourState) {
        let mut neighbour = NeighbourMessage::default();
        neighbour.header.family = AddressFamily::Inet;
        neighbour.header.ifindex = index.get();
        neighbour.header.state = state;
        neighbour.attributes = vec![
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)),
            NeighbourAttribute::LinkLayerAddress(PEER.octets().to_vec()),
        ];
        self.rtnl.request(RouteNetlinkMessage::NewNeighbour(neighbour), NLM_F_CREATE).unwrap();
    }

    pub(crate) fn mac(&mut self, index: IfIndex) -> MacAddr {
        self.link(index).mac.unwrap()
    }

    pub(crate) fn link(&mut self, index: IfIndex) -> Link {
        let links = self.rtnl.links().unwrap();
        links.into_iter().find(|link| link.index == index).unwrap()
    }
}

pub(crate) fn create(rtnl: &mut Rtnl, name: &str, info: Vec<LinkInfo>) {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link.attributes.push(LinkAttribute::LinkInfo(info));
    rtnl.request(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL).unwrap();
}

pub(crate) fn index(rtnl: &mut Rtnl, name: &str) -> IfIndex {
    rtnl.links().unwrap().into_iter().find(|link| link.name == name).unwrap().index
}

/// Waits until there is something to read.
pub(crate) fn await_readable(fd: &impl AsFd) {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut fds, PollTimeout::from(PATIENCE_MS)).unwrap();
    assert_eq!(ready, 1, "nothing came within {PATIENCE_MS} ms");
}

/// Waits for the next frame and returns its bytes.
pub(crate) fn next_frame(socket: &PacketSocket) -> Vec<u8> {
    await_frame(socket, |_| true)
}

/// Waits for the next frame of a kind and returns its bytes.
pub(crate) fn await_frame(
    socket: &PacketSocket,
    is_wanted: impl Fn(&Received<'_>) -> bool,
) -> Vec<u8> {
    let mut buffer = [0; 256];
    loop {
        match socket.receive(&mut buffer).unwrap() {
            Some(received) if is_wanted(&received) => return received.frame.to_vec(),
            Some(_) => {}
            None => await_readable(socket),
        }
    }
}

/// A broadcast ARP request.
pub(crate) fn arp(sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    arp_frame(MacAddr::BROADCAST, 1, (PEER, sender), (MacAddr([0; 6]), target))
}

/// An ARP frame to `destination`, which comes from the sender.
pub(crate) fn arp_frame(
    destination: MacAddr,
    operation: u8,
    sender: (MacAddr, Ipv4Addr),
    target: (MacAddr, Ipv4Addr),
) -> Vec<u8> {
    let mut frame = destination.octets().to_vec();
    frame.extend(sender.0.octets());
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    for (mac, ip) in [sender, target] {
        frame.extend(mac.octets());
        frame.extend(ip.octets());
    }
    frame
}
