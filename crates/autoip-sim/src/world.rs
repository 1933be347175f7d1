//! A whole link with everybody on it, and the loop that lets time pass.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_wire::{ArpPacket, MacAddr};

use crate::bug::Bug;
use crate::checker::Audit;
use crate::clock::SimTime;
use crate::faults;
use crate::host::{Host, mac_of};
use crate::net::{Net, Port};
use crate::options::Options;
use crate::peer::{Claimer, Habit, Liar, Owner, Peer, Style};
use crate::queue::{Alarm, Event, Fault, What};
use crate::stream::{Purpose, Stream, mixed};
use crate::trace::Trace;

/// Everybody on the link: our hosts first, then the others.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) hosts: Vec<Host>,
    pub(crate) peers: Vec<Box<dyn Peer>>,
    talk: Stream,
}

impl World {
    /// A link with the hosts and peers that the options ask for, before anything happens.
    pub(crate) fn new(seed: u64, options: &Options, bug: Option<Bug>, readable: bool) -> Self {
        let macs = host_macs(seed, options);
        let audit = Audit::new(options, &macs);
        let mut world = Self::bare(seed, options, &macs, audit, bug, Trace::new(readable));
        world.add_peers();
        world
    }

    /// A link with our hosts and nobody to look on: for experiments, which add their own peers.
    pub(crate) fn unwatched(seed: u64, options: &Options) -> Self {
        let macs = host_macs(seed, options);
        Self::bare(seed, options, &macs, Audit::new(options, &[]), None, Trace::new(false))
    }

    fn bare(
        seed: u64,
        options: &Options,
        macs: &[MacAddr],
        audit: Audit,
        bug: Option<Bug>,
        trace: Trace,
    ) -> Self {
        let mut net = Net::new(seed, options, audit, trace);
        net.ports.extend(macs.iter().map(|&mac| port(mac)));
        let hosts = (0..).zip(macs).map(|(id, &mac)| Host::new(id, mac, &net, bug)).collect();
        let talk = Stream::new(seed, Purpose::Faults, 0, 3);
        Self { net, hosts, peers: Vec::new(), talk }
    }

    fn add_peers(&mut self) {
        let options = self.net.options.clone();
        let mut stream = Stream::new(self.net.seed, Purpose::Peer, 0, 1);
        let mut taken = BTreeSet::new();
        for _ in 0..options.owners {
            let addr = loop {
                let index = u16::try_from(stream.below(options.addresses())).unwrap_or(0);
                let addr = autoip_core::LinkLocalAddr::from_index(index).map(|addr| addr.ip());
                match addr {
                    Some(addr) if taken.insert(addr) => break addr,
                    Some(_) | None => {}
                }
            };
            self.add_peer(|net, id| Box::new(Owner::new(net, id, addr)));
        }
        let claimers = [
            (options.drafts, Style::DRAFT_07),
            (options.avahis, Style::AVAHI),
            (options.systemds, Style::SYSTEMD),
        ];
        for (count, style) in claimers {
            for _ in 0..count {
                self.add_peer(|net, id| Box::new(Claimer::new(net, id, style)));
            }
        }
        let liars = [
            (options.deniers, Habit::Denies),
            (options.laggards, Habit::DeniesLate),
            (options.harassers, Habit::Harasses),
            (options.flooders, Habit::Floods),
            (options.spoofers, Habit::Spoofs),
            (options.trackers, Habit::Tracks),
        ];
        for (count, habit) in liars {
            for _ in 0..count {
                self.add_peer(|net, id| Box::new(Liar::new(net, id, habit)));
            }
        }
    }

    /// Attaches another node.
    pub(crate) fn add_peer(&mut self, make: impl FnOnce(&mut Net, u32) -> Box<dyn Peer>) {
        let id = u32::try_from(self.net.ports.len()).unwrap_or(u32::MAX);
        let mac = mac_of(self.net.seed, id.into(), 0);
        self.net.ports.push(port(mac));
        let peer = make(&mut self.net, id);
        self.peers.push(peer);
    }

    /// Schedules what will happen by itself.
    pub(crate) fn schedule(&mut self) {
        let hosts = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
        let nodes = u32::try_from(self.net.ports.len()).unwrap_or(u32::MAX);
        faults::schedule(&mut self.net, hosts, nodes);
    }

    /// Lets everything happen that is due up to `end`, that time included.
    pub(crate) fn run_until(&mut self, end: SimTime) {
        while let Some(event) = self.net.next(end) {
            self.happen(event);
        }
        self.net.pass(end);
    }

    /// Lets everything happen until nothing is due any more; returns the time of the last event.
    pub(crate) fn run_to_quiet(&mut self, end: SimTime) -> SimTime {
        while let Some(event) = self.net.next(end) {
            self.happen(event);
        }
        self.net.now()
    }

    /// Lets everything happen up to `end`, or until `is_enough`.
    pub(crate) fn run_until_that(
        &mut self,
        end: SimTime,
        mut is_enough: impl FnMut(&Self) -> bool,
    ) -> bool {
        while !is_enough(self) {
            match self.net.next(end) {
                Some(event) => self.happen(event),
                None => return false,
            }
        }
        true
    }

    fn happen(&mut self, event: Event) {
        let id = event.node();
        let node = id as usize;
        match event.what {
            What::Arrival(frame) => {
                if !self.net.takes_in(id, &frame) {
                    return;
                }
                match self.hosts.get_mut(node) {
                    Some(host) => host.receive(&mut self.net, &frame),
                    None => self.peers[node - self.hosts.len()].receive(&mut self.net, &frame),
                }
            }
            What::Reading(frame, arrived) => {
                if self.net.ports[node].awake
                    && let Some(host) = self.hosts.get_mut(node)
                {
                    host.read(&mut self.net, &frame, arrived);
                }
            }
            What::Alarm(Alarm::Fault(Fault::Talk)) => self.talk(node),
            What::Alarm(alarm) => match self.hosts.get_mut(node) {
                Some(host) => host.alarm(&mut self.net, alarm),
                None => self.peers[node - self.hosts.len()].alarm(&mut self.net, alarm),
            },
        }
    }

    /// Somebody on `node` wants to reach some other node that has an address.
    fn talk(&mut self, node: usize) {
        let count = u32::try_from(self.net.ports.len()).unwrap_or(1);
        let target = self.talk.below(count) as usize;
        let Some(target) = self.addr_of(target).filter(|_| target != node) else { return };
        match self.hosts.get(node) {
            Some(host) => host.talk(&mut self.net, target),
            None => self.peers[node - self.hosts.len()].talk(&mut self.net, target),
        }
    }

    /// The address that a node uses.
    pub(crate) fn addr_of(&self, node: usize) -> Option<Ipv4Addr> {
        match self.hosts.get(node) {
            Some(host) => host.addr().map(|addr| addr.ip()),
            None => self.peers.get(node - self.hosts.len())?.addr(),
        }
    }

    /// Splits the link into parts, or joins it when there is to be one.
    pub(crate) fn split(&mut self, parts: u8, draw: u64) {
        for (number, port) in (0..).zip(&mut self.net.ports) {
            let mut stream = Stream::new(draw, Purpose::Faults, number, 4);
            port.segment = u8::try_from(stream.below(parts.into())).unwrap_or(0);
        }
    }

    /// Ends all faults: everything is plugged in, awake and wanted again.
    pub(crate) fn heal(&mut self) {
        self.net.calm();
        self.net.audit.calm();
        for host in &mut self.hosts {
            for fault in [Fault::Plug, Fault::Resume, Fault::Start] {
                host.alarm(&mut self.net, Alarm::Fault(fault));
            }
        }
    }

    /// Everybody speaks once: peers with an address of their own, and a stranger who asks for
    /// every address that is in use, so that two holders of one can notice each other.
    pub(crate) fn chatter(&mut self, stranger: u32) {
        let mac = self.net.ports[stranger as usize].mac;
        let sender: Ipv4Addr = [10, 0, 0, 1].into();
        let nodes = self.hosts.len() + self.peers.len();
        let addrs: Vec<_> = (0..nodes).filter_map(|node| self.addr_of(node)).collect();
        for target in addrs {
            let ask = ArpPacket { target_ip: target, ..ArpPacket::announcement(mac, sender) };
            self.net.transmit(stranger, &ask.to_broadcast());
        }
        for peer in &self.peers {
            peer.talk(&mut self.net, sender);
        }
    }
}

fn port(mac: MacAddr) -> Port {
    Port { mac, segment: 0, carrier: true, awake: true, promiscuous: false }
}

/// The MAC addresses of our hosts: all different, but for those who share their neighbour's.
fn host_macs(seed: u64, options: &Options) -> Vec<MacAddr> {
    let originals = options.hosts - options.clones.min(options.hosts.saturating_sub(1));
    (0..options.hosts).map(|host| mac_of(seed, (host % originals).into(), 0)).collect()
}

/// The number that decides who is in which part of a split link.
pub(crate) fn split_draw(seed: u64, number: u64) -> u64 {
    mixed(seed, Purpose::Faults, number, 5)
}

/// How long `hosts` hosts may take to find addresses of their own after faults have ended: a
/// claim for each try, and after ten conflicts a minute.
pub(crate) fn allowance(options: &Options) -> Duration {
    let taken = options.hosts + options.owners + options.drafts + options.avahis + options.systemds;
    let free = 1.0 - f64::from(taken) / f64::from(options.addresses());
    // So many tries that all fail once in a billion times.
    let tries = (1e-9_f64.ln() / (1.0 - free.clamp(0.01, 0.999)).ln()).ceil();
    Duration::from_secs_f64(60.0 * tries + 120.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Delivery;

    /// Events for each frame while many hosts find their addresses.
    fn events_a_frame(hosts: u32, delivery: Delivery) -> f64 {
        let options = Options { hosts, delivery, ..Options::default() };
        let mut world = World::new(1, &options, None, false);
        world.schedule();
        world.run_to_quiet(SimTime::from_secs(600));
        assert!(world.hosts.iter().all(|host| host.addr().is_some()));
        world.net.events as f64 / world.net.frames as f64
    }

    #[test]
    fn a_frame_costs_the_same_however_many_hosts_do_not_care() {
        let (few, many) = [30, 3000].map(|hosts| events_a_frame(hosts, Delivery::Indexed)).into();
        assert!(many < few * 1.1, "{few} events a frame with 30 hosts, {many} with 3000");
        let all = events_a_frame(300, Delivery::All);
        assert!(all > 100.0, "{all}");
    }

    #[test]
    fn clones_share_the_addresses_of_other_hosts() {
        let macs = |hosts, clones| {
            let options = Options { hosts, clones, ..Options::default() };
            let mut macs = host_macs(1, &options);
            macs.sort_unstable();
            macs.dedup();
            macs.len()
        };
        assert_eq!((macs(4, 0), macs(4, 1), macs(4, 3), macs(4, 9)), (4, 3, 1, 1));
    }
}
