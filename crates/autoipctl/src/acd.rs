//! Whether an address is free, found out without a daemon: RFC 5227 over a socket of our own.
//!
//! Needs CAP_NET_RAW. It probes and listens; it never announces, and it changes nothing.

use std::net::Ipv4Addr;
use std::time::SystemTime;

use autoip_control::{Conflict, ConflictKind, Outcome, ProbeReply, Profile};
use autoip_core::{Acd, AcdEvent, ConflictKind as Kind, Defend, MacAddr, Step, Timing};
use autoip_linux::rtnl::{Link, Rtnl};
use autoip_linux::{ArpFilter, PacketSocket, Poller, Timer, boottime, seed};

use crate::exit::{Exit, Failure};

/// Room for an ARP frame and its padding.
const FRAME_MAX: usize = 128;

/// Probes for `addr` on the interface of this name, to the end.
pub(crate) fn probe(
    interface: &str,
    addr: Ipv4Addr,
    profile: Profile,
) -> Result<ProbeReply, Failure> {
    let mut rtnl = Rtnl::open()?;
    let link = suitable(&mut rtnl, interface)?;
    let mac = link.mac.unwrap_or(MacAddr::ZERO);
    if rtnl.addresses()?.iter().any(|own| own.index == link.index && own.ip == addr) {
        // Nobody answers a question about an address of one's own.
        return Ok(taken(interface, addr, mac, Kind::InUse, None));
    }
    let timing = match profile {
        Profile::Rfc3927 | Profile::Custom => Timing::RFC3927,
        Profile::Draft07 => Timing::DRAFT_07,
        Profile::Fast => Timing::FAST,
    };
    let socket = open(&link, addr).map_err(|error| error.on(interface))?;
    let mut acd = Acd::new(mac, timing, Defend::Never, seed()?);
    let now = boottime();
    acd.probe(now, now, addr);
    if let Some((mac, kind, frame)) = run(&mut acd, &socket)? {
        return Ok(taken(interface, addr, mac, kind, Some(frame)));
    }
    // Nobody answers on a link that is away.
    let after = suitable(&mut rtnl, interface)?;
    if (after.index, after.carrier_changes) == (link.index, link.carrier_changes) {
        Ok(ProbeReply { free: true, conflict: None })
    } else {
        let sentence = format!("interface {interface} lost its link meanwhile");
        Err(Failure::Other(Exit::Unavailable, sentence))
    }
}

fn open(link: &Link, addr: Ipv4Addr) -> autoip_linux::Result<PacketSocket> {
    let socket = PacketSocket::arp(link.index)?;
    socket.set_filter(ArpFilter::Candidate(addr))?;
    Ok(socket)
}

/// The interface of this name, where it can be probed on.
fn suitable(rtnl: &mut Rtnl, interface: &str) -> Result<Link, Failure> {
    let unavailable = |sentence| Failure::Other(Exit::Unavailable, sentence);
    let link = rtnl.links()?.into_iter().find(|link| link.name == interface);
    let link =
        link.ok_or_else(|| unavailable(format!("this host has no interface {interface}")))?;
    let why = link.unsuitable().or_else(|| match link.mac {
        None => Some("has no 48-bit hardware address".to_owned()),
        Some(_) if !link.has_carrier() => Some("is down or has no link".to_owned()),
        Some(_) => None,
    });
    match why {
        Some(why) => Err(unavailable(format!("interface {interface} {why}"))),
        None => Ok(link),
    }
}

/// Who objects, how, and in which frame; `None` when the time is over and nobody did.
fn run(acd: &mut Acd, socket: &PacketSocket) -> Result<Option<(MacAddr, Kind, Vec<u8>)>, Failure> {
    const SOCKET: u64 = 0;
    const TIMER: u64 = 1;
    let (poller, timer) = (Poller::new()?, Timer::new()?);
    poller.add(socket, SOCKET)?;
    poller.add(&timer, TIMER)?;
    let (mut tokens, mut buffer) = (Vec::new(), [0; FRAME_MAX]);
    loop {
        // What arrived in time counts before what is due.
        while let Some(received) = socket.receive(&mut buffer)? {
            let step = acd.handle_frame(received.at, received.frame);
            if let Some(AcdEvent::Contested(contest)) = step.event {
                return Ok(Some((contest.mac, contest.kind, received.frame.to_vec())));
            }
        }
        while acd.poll_timeout().is_some_and(|at| at <= boottime()) {
            let step = acd.handle_timeout(boottime());
            if step.event == Some(AcdEvent::Free) {
                return Ok(None);
            }
            transmit(acd, socket, &step)?;
        }
        timer.set(acd.poll_timeout())?;
        poller.wait(&mut tokens)?;
        timer.clear()?;
    }
}

/// A link that went down meanwhile says nothing about the address.
fn transmit(acd: &mut Acd, socket: &PacketSocket, step: &Step) -> Result<(), Failure> {
    let Some(packet) = step.transmit else { return Ok(()) };
    match socket.send(&packet.to_broadcast()) {
        Ok(()) => Ok(()),
        Err(error) if error.is_gone() => Err(error.into()),
        Err(_) => {
            acd.transmit_failed(boottime());
            Ok(())
        }
    }
}

fn taken(
    interface: &str,
    addr: Ipv4Addr,
    mac: MacAddr,
    kind: Kind,
    frame: Option<Vec<u8>>,
) -> ProbeReply {
    let conflict = Conflict {
        time: now_ms(),
        interface: interface.to_owned(),
        addr,
        mac: mac.to_string(),
        kind: match kind {
            Kind::InUse => ConflictKind::InUse,
            Kind::CompetingProbe => ConflictKind::CompetingProbe,
            Kind::Late => ConflictKind::Late,
        },
        outcome: Outcome::Dropped,
        packet: frame.map(|frame| frame.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    ProbeReply { free: false, conflict: Some(conflict) }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
