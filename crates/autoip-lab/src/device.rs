//! Interfaces of a namespace: made, changed and removed by name.
//!
//! All of these panic with a sentence when the kernel refuses: in a test that is the failure.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use autoip_linux::IfIndex;
use autoip_linux::rtnl::{Link, Rtnl};
use autoip_wire::MacAddr;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind,
    InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::namespace::Namespace;

const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// One end of a cable: an interface by name.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) namespace: Namespace,
    pub(crate) name: String,
}

impl End {
    pub(crate) fn new(namespace: &Namespace, name: impl Into<String>) -> Self {
        Self { namespace: namespace.clone(), name: name.into() }
    }

    #[track_caller]
    pub(crate) fn link(&self) -> Option<Link> {
        self.namespace.link(&self.name)
    }
}

/// A number that no port of any switch has had, so that a port can be moved anywhere.
pub(crate) fn fresh_number() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1000);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Makes a pair of interfaces that are the two ends of a cable; both are down.
///
/// The near end gets an interface number far from what the kernel would choose. Were the numbers
/// of the ends alike, each in its own namespace, the kernel would take them for hardware and let
/// up to a second pass before it takes in a change of the carrier.
#[track_caller]
pub(crate) fn add_cable(near: &End, far: &End, far_mac: Option<MacAddr>) {
    let mut peer = named(&far.name);
    peer.attributes.push(LinkAttribute::NetNsFd(far.namespace.fd()));
    if let Some(mac) = far_mac {
        peer.attributes.push(LinkAttribute::Address(mac.octets().to_vec()));
    }
    let mut message = veth(&near.name, peer);
    message.header.index = fresh_number();
    let request = RouteNetlinkMessage::NewLink(message);
    near.namespace.request(request, NEW, || {
        let (from, to) = (near.namespace.name(), far.namespace.name());
        format!("lay a cable from {from} to {} of {to}", far.name)
    });
}

impl Namespace {
    /// Makes a bridge: no spanning tree, no multicast snooping, so that it forwards everything
    /// at once and sends nothing of its own.
    #[track_caller]
    pub(crate) fn add_bridge(&self, name: &str) {
        let request = RouteNetlinkMessage::NewLink(bridge(name));
        self.request(request, NEW, || format!("make the bridge {name}"));
        self.set_up(name, true);
    }

    /// Makes `port` a port of `bridge`.
    #[track_caller]
    pub(crate) fn add_port(&self, port: &str, bridge: &str) {
        let bridge = self.index(bridge).get();
        self.change(port, |message| {
            message.attributes.push(LinkAttribute::Controller(bridge));
        });
    }

    /// Whether frames go back out of the port that they came in by.
    #[track_caller]
    pub(crate) fn set_hairpin(&self, port: &str, on: bool) {
        self.change(port, |message| {
            let hairpin = InfoPortData::BridgePort(vec![InfoBridgePort::HairpinMode(on)]);
            let info = vec![LinkInfo::PortKind(InfoPortKind::Bridge), LinkInfo::PortData(hairpin)];
            message.attributes.push(LinkAttribute::LinkInfo(info));
        });
    }

    /// Sets an interface up or down, as an administrator does.
    #[track_caller]
    pub(crate) fn set_up(&self, name: &str, up: bool) {
        self.change(name, |message| {
            message.header.change_mask = LinkFlags::Up;
            message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        });
    }

    #[track_caller]
    pub(crate) fn set_mac(&self, name: &str, mac: MacAddr) {
        self.change(name, |message| {
            message.attributes.push(LinkAttribute::Address(mac.octets().to_vec()));
        });
    }

    #[track_caller]
    pub(crate) fn rename(&self, name: &str, new: &str) {
        let mut message = named(new);
        message.header.index = self.index(name).get();
        self.request(RouteNetlinkMessage::SetLink(message), 0, || {
            format!("rename {name} to {new}")
        });
    }

    /// Moves an interface to another namespace. It comes out there down and under the same name.
    #[track_caller]
    pub(crate) fn move_interface(&self, name: &str, to: &Self) {
        self.change(name, |message| {
            message.attributes.push(LinkAttribute::NetNsFd(to.fd()));
        });
    }

    /// Removes an interface; the other end of its cable goes with it.
    #[track_caller]
    pub(crate) fn delete(&self, name: &str) {
        let request = RouteNetlinkMessage::DelLink(named(name));
        self.request(request, 0, || format!("delete {name}"));
    }

    /// The interface called `name`, if there is one.
    #[track_caller]
    pub(crate) fn link(&self, name: &str) -> Option<Link> {
        let links = self.rtnl().links();
        let links = links.unwrap_or_else(|error| panic!("{}: {error}", self.name()));
        links.into_iter().find(|link| link.name == name)
    }

    #[track_caller]
    pub(crate) fn index(&self, name: &str) -> IfIndex {
        let link = self.link(name);
        link.unwrap_or_else(|| panic!("{} has no interface {name}", self.name())).index
    }

    #[track_caller]
    fn change(&self, name: &str, what: impl FnOnce(&mut LinkMessage)) {
        let mut message = named(name);
        what(&mut message);
        // RTM_NEWLINK without NLM_F_CREATE changes what is there, options of its kind included.
        let request = RouteNetlinkMessage::NewLink(message);
        self.request(request, 0, || format!("change {name}"));
    }

    #[track_caller]
    fn request(&self, request: RouteNetlinkMessage, flags: u16, what: impl FnOnce() -> String) {
        let answer = self.rtnl().request(request, flags);
        if let Err(error) = answer {
            panic!("{}: the kernel refuses to {}: {error}", self.name(), what());
        }
    }
}

fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn veth(name: &str, peer: LinkMessage) -> LinkMessage {
    let data = InfoData::Veth(InfoVeth::Peer(peer));
    let mut message = named(name);
    let info = vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)];
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

fn bridge(name: &str) -> LinkMessage {
    let data = InfoData::Bridge(vec![
        InfoBridge::StpState(BridgeStpState::Disabled),
        InfoBridge::ForwardDelay(0),
        InfoBridge::MulticastSnooping(false),
    ]);
    let mut message = named(name);
    let info = vec![LinkInfo::Kind(InfoKind::Bridge), LinkInfo::Data(data)];
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

/// Makes a bridge and a cable, and removes them: does this kernel have them?
pub(crate) fn try_out(rtnl: &mut Rtnl) -> io::Result<()> {
    rtnl.request(RouteNetlinkMessage::NewLink(bridge("br0")), NEW)?;
    rtnl.request(RouteNetlinkMessage::DelLink(named("br0")), 0)?;
    rtnl.request(RouteNetlinkMessage::NewLink(veth("veth0", named("veth1"))), NEW)?;
    rtnl.request(RouteNetlinkMessage::DelLink(named("veth0")), 0)?;
    Ok(())
}
