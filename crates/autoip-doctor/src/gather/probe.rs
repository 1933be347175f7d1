//! ARP probes out of each interface: three for addresses drawn at random, and one for each
//! link-local address of its own.
//!
//! Nobody has the random ones, but for a chance of one in twenty thousand or so: who answers for
//! two of them answers for anything. Where a probe of one interface comes in by another, both are
//! on one link. And whoever answers for our own addresses has them too. A probe has no sender
//! address, so it claims nothing and no cache learns from it; a host that is about to claim a
//! random one would choose another.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_linux::rtnl::Neighbour;
use autoip_linux::{ArpFilter, IfIndex, PacketSocket, Poller, Timer, boottime, seed};
use autoip_wire::{ArpPacket, LinkLocalAddr, MacAddr, Operation};

use super::refused;
use crate::facts::{Interface, Probed, Proxy, Unseen};

/// How many random addresses are probed for.
const PROBES: usize = 3;
const PROBE_INTERVAL: Duration = Duration::from_millis(200);
/// How long answers are waited for after the last probe.
const LISTEN: Duration = Duration::from_secs(1);
/// Who answers for so many random addresses has not just one of them.
const ANSWERS_MIN: usize = 2;
/// Longer than any ARP frame.
const FRAME_MAX: usize = 128;
const TIMER: u64 = u64::MAX;

/// One interface that is probed on.
struct Station {
    index: IfIndex,
    mac: MacAddr,
    socket: PacketSocket,
    targets: Vec<Ipv4Addr>,
    own: Vec<Ipv4Addr>,
}

/// What was heard, and by whom.
#[derive(Default)]
struct Heard {
    joined: Vec<(IfIndex, IfIndex)>,
    answers: BTreeMap<(IfIndex, [u8; 6]), Vec<Ipv4Addr>>,
    rivals: Vec<Neighbour>,
}

/// Sends the probes and listens.
pub(super) fn probe(interfaces: &[Interface], unseen: &mut Vec<Unseen>) -> Probed {
    let examined = interfaces.iter().filter(|interface| interface.examined);
    let able = examined.filter(|interface| interface.is_usable() && interface.link.has_carrier());
    let mut stations = Vec::new();
    for interface in able {
        let own: Vec<Ipv4Addr> = interface.link_local().map(|address| address.ip).collect();
        let Some(mac) = interface.link.mac else { continue };
        match station(interface.index(), mac, own) {
            Ok(station) => stations.push(station),
            Err(error) => {
                let name = interface.name();
                unseen.push(refused(Some(name), &format!("who answers on {name}"), &error));
            }
        }
    }
    match listen(&stations) {
        Ok(heard) => heard.into_probed(interfaces),
        Err(error) => {
            unseen.push(refused(None, "who answers to probes", &error));
            Probed::default()
        }
    }
}

fn station(index: IfIndex, mac: MacAddr, own: Vec<Ipv4Addr>) -> autoip_linux::Result<Station> {
    let socket = PacketSocket::arp(index)?;
    socket.set_filter(ArpFilter::All)?;
    let mut targets = Vec::new();
    while targets.len() < PROBES {
        let target = random_address(seed()?);
        if !targets.contains(&target) && !own.contains(&target) {
            targets.push(target);
        }
    }
    Ok(Station { index, mac, socket, targets, own })
}

/// An address that may be claimed.
fn random_address(seed: u64) -> Ipv4Addr {
    let index = u16::try_from(seed % u64::from(LinkLocalAddr::COUNT)).unwrap_or_default();
    LinkLocalAddr::from_index(index).unwrap_or(LinkLocalAddr::FIRST).ip()
}

fn listen(stations: &[Station]) -> autoip_linux::Result<Heard> {
    let (poller, timer) = (Poller::new()?, Timer::new()?);
    poller.add(&timer, TIMER)?;
    for (token, station) in (0..).zip(stations) {
        poller.add(&station.socket, token)?;
    }
    let mut heard = Heard::default();
    let begin = boottime();
    let mut tokens = Vec::new();
    for round in 0..=PROBES {
        for station in stations {
            let own = station.own.iter().filter(|_| round == 0);
            for &target in own.chain(station.targets.get(round)) {
                // One that cannot be sent is one that nobody answers.
                let _ = station.socket.send(&ArpPacket::probe(station.mac, target).to_broadcast());
            }
        }
        let rounds = u32::try_from(round).unwrap_or(u32::MAX).saturating_add(1);
        let rest = if round == PROBES { LISTEN } else { Duration::ZERO };
        timer.set(Some(begin + PROBE_INTERVAL * rounds + rest))?;
        loop {
            poller.wait(&mut tokens)?;
            for station in stations {
                heard.drain(station, stations);
            }
            if tokens.contains(&TIMER) {
                timer.clear()?;
                break;
            }
        }
    }
    Ok(heard)
}

impl Heard {
    fn drain(&mut self, station: &Station, stations: &[Station]) {
        let mut buffer = [0; FRAME_MAX];
        while let Ok(Some(received)) = station.socket.receive(&mut buffer) {
            let Ok((_, arp)) = ArpPacket::parse(received.frame) else { continue };
            self.take(station, &arp, stations);
        }
    }

    fn take(&mut self, station: &Station, arp: &ArpPacket, stations: &[Station]) {
        let is_probe = arp.operation == Operation::Request && arp.sender_ip.is_unspecified();
        let sender = stations.iter().find(|other| {
            other.index != station.index
                && other.mac == arp.sender_mac
                && other.targets.contains(&arp.target_ip)
        });
        if let Some(sender) = sender.filter(|_| is_probe) {
            let pair = (sender.index, station.index);
            if !self.joined.contains(&pair) {
                self.joined.push(pair);
            }
        } else if arp.operation == Operation::Reply && station.targets.contains(&arp.sender_ip) {
            let key = (station.index, arp.sender_mac.octets());
            let answered = self.answers.entry(key).or_default();
            if !answered.contains(&arp.sender_ip) {
                answered.push(arp.sender_ip);
            }
        } else if station.own.contains(&arp.sender_ip) {
            let (index, ip, mac) = (station.index, arp.sender_ip, arp.sender_mac);
            let rival = Neighbour { index, ip, mac };
            if !self.rivals.contains(&rival) {
                self.rivals.push(rival);
            }
        }
    }

    fn into_probed(self, interfaces: &[Interface]) -> Probed {
        let proxies: Vec<_> = self
            .answers
            .into_iter()
            .filter(|(_, answered)| answered.len() >= ANSWERS_MIN)
            .map(|((index, mac), answered)| Proxy {
                index,
                mac: MacAddr(mac),
                answered,
                asked: PROBES,
            })
            .collect();
        // An interface of this host that answers for another is a matter of its own, and who
        // answers for everything is no rival for one address.
        let mut rivals = self.rivals;
        rivals.retain(|rival| {
            let is_ours = interfaces.iter().any(|own| own.link.mac == Some(rival.mac));
            !is_ours
                && !proxies.iter().any(|proxy| (proxy.index, proxy.mac) == (rival.index, rival.mac))
        });
        Probed { joined: self.joined, proxies, rivals }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_addresses_may_be_claimed() {
        for seed in [0, 1, 65_023, 65_024, u64::MAX] {
            let address = random_address(seed);
            assert!(LinkLocalAddr::new(address).is_ok(), "{seed} {address}");
        }
        assert_ne!(random_address(1), random_address(2));
    }
}
