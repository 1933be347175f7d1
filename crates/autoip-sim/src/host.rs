//! A host of ours: the real engine, a driver that does what it says, and as much of a kernel as
//! the link can notice, its guard included: nothing is answered before the first announcement.

use std::rc::Rc;
use std::time::Duration;

use autoip_core::{
    Action, Config, DEFAULT_KEY, Event, Instant, Interest, LinkLocalAddr, Loss, MacAddr, Sequence,
};
use autoip_wire::{ArpPacket, Operation};

use crate::bug::Bug;
use crate::checker::Fact;
use crate::clock::{Clock, SimTime};
use crate::link::Transmission;
use crate::net::Net;
use crate::options::{Delivery, First, Options, Replies};
use crate::queue::{Alarm, Fault};
use crate::stream::{Purpose, Stream, mixed};
use crate::subject::{Input, Subject};

/// What experiments want to know of a host.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) candidates: u32,
    pub(crate) conflicts: u32,
    pub(crate) losses: u32,
    /// When it first had an address.
    pub(crate) acquired_at: Option<SimTime>,
    /// When it last began to use or to lose one.
    pub(crate) changed_at: SimTime,
}

/// One host.
#[derive(Debug)]
pub(crate) struct Host {
    id: u32,
    subject: Subject,
    clock: Clock,
    stream: Stream,
    /// The address on the interface.
    addr: Option<LinkLocalAddr>,
    /// Whether it has been announced, so that the kernel may answer for it.
    open: bool,
    /// The address that is being put on the interface.
    pending: Option<LinkLocalAddr>,
    requests: u32,
    interest: Interest,
    timer: Option<SimTime>,
    power: bool,
    wanted: bool,
    /// Addresses that it has seen in use, where it avoids those.
    known: Option<Rc<[bool]>>,
    pub(crate) record: Record,
}

impl Host {
    pub(crate) fn new(id: u32, mac: MacAddr, net: &Net, bug: Option<Bug>) -> Self {
        let (seed, options) = (net.seed, &net.options);
        let mut stream = Stream::new(seed, Purpose::Host, id.into(), 0);
        let offset = Duration::from_secs(1) + stream.up_to(Duration::from_secs(1000));
        let drift = i32::try_from(options.drift_ppm).unwrap_or(0);
        let drift = drift - i32::try_from(stream.below(2 * options.drift_ppm + 1)).unwrap_or(0);
        let config = Config {
            timing: options.timing(),
            defend: options.policy(),
            first: first_candidate(options, mac),
            sequence: sequence(options, mac),
            ..Config::new(mac, mixed(seed, Purpose::Engine, id.into(), 0))
        };
        Self {
            id,
            subject: Subject::new(config, options.defence, bug),
            clock: Clock::new(offset, drift),
            stream,
            addr: None,
            open: false,
            pending: None,
            requests: 0,
            interest: Interest::Nothing,
            timer: None,
            power: false,
            wanted: true,
            known: None,
            record: Record::default(),
        }
    }

    /// Lets the host avoid the addresses whose places in `known` are set.
    pub(crate) fn avoid(&mut self, known: Rc<[bool]>) {
        self.known = Some(known);
    }

    /// The address that it answers for.
    pub(crate) fn addr(&self) -> Option<LinkLocalAddr> {
        self.addr.filter(|_| self.open)
    }

    /// A frame has come to its port.
    pub(crate) fn receive(&mut self, net: &mut Net, frame: &Rc<Transmission>) {
        let now = net.now();
        net.audit.note(now, self.id, &Fact::Received(frame));
        self.answer(net, frame);
        let passes = self.passes(frame);
        if net.options.delivery == Delivery::Indexed && !passes {
            return;
        }
        let free_at = self.free_at(net);
        // What the filter would drop is read at once: it must not matter, and so not when. A
        // filter drops by what the engine wants when the frame comes, not when it is read.
        if free_at > now && passes {
            net.queue.reading(free_at, self.id, Rc::clone(frame), now);
        } else {
            self.read(net, frame, now);
        }
    }

    /// The driver reads a frame that arrived at `arrived`.
    pub(crate) fn read(&mut self, net: &mut Net, frame: &Transmission, arrived: SimTime) {
        let at = self.clock.local(arrived);
        self.drive(net, Input::Frame(at, &frame.bytes));
    }

    pub(crate) fn alarm(&mut self, net: &mut Net, alarm: Alarm) {
        match alarm {
            Alarm::PowerOn => {
                self.power = true;
                net.audit.note(net.now(), self.id, &Fact::Started);
                self.resume(net);
            }
            Alarm::Installed(request) => self.acknowledge(net, request),
            Alarm::Timer => self.timeout(net),
            Alarm::Fault(fault) => self.suffer(net, fault),
        }
    }

    /// What the kernel's filter lets through to the engine.
    fn passes(&self, frame: &Transmission) -> bool {
        let Some((_, packet)) = frame.arp else { return false };
        let asks_for = |addr: LinkLocalAddr| {
            packet.sender_ip.is_unspecified() && packet.target_ip == addr.ip()
        };
        match self.interest {
            Interest::Nothing => false,
            Interest::Candidate(addr) => packet.sender_ip == addr.ip() || asks_for(addr),
            Interest::Claimed(addr) => packet.sender_ip == addr.ip(),
        }
    }

    /// What the kernel does by itself: it answers requests for the address, probes included.
    fn answer(&self, net: &mut Net, frame: &Transmission) {
        let (Some(addr), Some((_, packet))) = (self.addr(), frame.arp) else { return };
        let asks = packet.operation == Operation::Request && packet.target_ip == addr.ip();
        if !asks || packet.sender_ip == addr.ip() {
            return;
        }
        let mac = net.ports[self.id as usize].mac;
        let reply = reply(mac, addr.ip(), &packet);
        let destination = match net.options.replies {
            Replies::Broadcast => MacAddr::BROADCAST,
            Replies::Unicast => packet.sender_mac,
        };
        net.transmit(self.id, &reply.to_frame(destination));
    }

    /// An application wants to reach `target`.
    pub(crate) fn talk(&self, net: &mut Net, target: std::net::Ipv4Addr) {
        let Some(addr) = self.addr().filter(|addr| addr.ip() != target) else { return };
        let mac = net.ports[self.id as usize].mac;
        let request = ArpPacket { target_ip: target, ..ArpPacket::announcement(mac, addr.ip()) };
        net.transmit(self.id, &request.to_broadcast());
    }

    /// When the driver gets to run again: it is kept from it for a while now and then, in a way
    /// that depends on the time alone.
    fn free_at(&self, net: &Net) -> SimTime {
        let (now, longest) = (net.now(), net.options.busy());
        if longest.is_zero() || net.is_calm() {
            return now;
        }
        let slot = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX) * 5;
        let number = now.nanos() / slot;
        let mut draw = Stream::new(net.seed, Purpose::Busy, self.id.into(), number);
        let begins = SimTime::START + Duration::from_nanos(number * slot) + draw.up_to(longest);
        let ends = begins + draw.up_to(longest);
        if draw.chance(500) && now >= begins { ends.max(now) } else { now }
    }

    fn timeout(&mut self, net: &mut Net) {
        if self.timer != Some(net.now()) {
            return;
        }
        let free_at = self.free_at(net);
        if free_at > net.now() {
            self.timer = Some(free_at);
            net.wake(self.id, free_at, Alarm::Timer);
        } else {
            self.timer = None;
            self.drive(net, Input::Timeout);
        }
    }

    fn acknowledge(&mut self, net: &mut Net, request: u32) {
        if request != self.requests || !net.ports[self.id as usize].awake {
            return;
        }
        let free_at = self.free_at(net);
        if free_at > net.now() {
            net.wake(self.id, free_at, Alarm::Installed(request));
            return;
        }
        let Some(addr) = self.pending.take() else { return };
        let fails = !net.is_calm() && self.stream.chance(net.options.install_fail);
        if fails {
            net.audit.note(net.now(), self.id, &Fact::InstallFailed);
            self.drive(net, Input::InstallFailed);
        } else {
            self.place(net, addr);
            self.drive(net, Input::Installed);
        }
    }

    fn suffer(&mut self, net: &mut Net, fault: Fault) {
        let id = self.id as usize;
        match fault {
            Fault::Unplug if net.ports[id].carrier => {
                net.ports[id].carrier = false;
                self.interrupt(net, Loss::Carrier);
            }
            Fault::Plug => {
                net.ports[id].carrier = true;
                self.resume(net);
            }
            Fault::Suspend => {
                net.ports[id].awake = false;
                self.timer = None;
                net.audit.note(net.now(), self.id, &Fact::Interrupted);
            }
            Fault::Resume if !net.ports[id].awake => {
                net.ports[id].awake = true;
                self.interrupt(net, Loss::Carrier);
                self.resume(net);
            }
            Fault::Stop if self.wanted => {
                self.wanted = false;
                self.interrupt(net, Loss::Retired);
            }
            Fault::Start => {
                self.wanted = true;
                self.resume(net);
            }
            Fault::NewMac if net.ports[id].awake => self.change_mac(net),
            Fault::Delete if net.ports[id].awake => self.delete(net),
            Fault::Unplug
            | Fault::Resume
            | Fault::Stop
            | Fault::NewMac
            | Fault::Delete
            | Fault::Talk => {}
        }
    }

    /// What the driver does when link, sleep or owner end the claim.
    fn interrupt(&mut self, net: &mut Net, loss: Loss) {
        if net.ports[self.id as usize].awake {
            net.audit.note(net.now(), self.id, &Fact::Interrupted);
            if loss == Loss::Carrier {
                net.audit.note(net.now(), self.id, &Fact::LinkLost);
            }
            self.drive(net, Input::Stop(loss));
        }
    }

    fn resume(&mut self, net: &mut Net) {
        let port = net.ports[self.id as usize];
        if self.power && self.wanted && port.carrier && port.awake {
            self.drive(net, Input::Start);
        }
    }

    fn change_mac(&mut self, net: &mut Net) {
        let number = 1 + u64::from(self.stream.below(1 << 30));
        let mac = mac_of(net.seed, self.id.into(), number);
        net.ports[self.id as usize].mac = mac;
        net.audit.note(net.now(), self.id, &Fact::Interrupted);
        net.audit.note(net.now(), self.id, &Fact::NewMac(mac));
        let sequence = sequence(&net.options, mac);
        self.drive(net, Input::SetMac(mac, sequence));
    }

    fn delete(&mut self, net: &mut Net) {
        if let Some(addr) = self.addr {
            net.audit.note(net.now(), self.id, &Fact::Deleted);
            self.take_off(net, addr);
            self.drive(net, Input::Deleted);
        }
    }

    /// One input, everything that comes of it, and the timer for what comes next.
    fn drive(&mut self, net: &mut Net, input: Input<'_>) {
        let now = self.clock.local(net.now());
        let mut actions = Vec::new();
        self.subject.input(now, input, &mut actions);
        while let Some(feedback) = self.act(net, &actions) {
            actions.clear();
            self.subject.input(now, feedback, &mut actions);
        }
        self.set_timer(net);
    }

    /// Does what the engine says; what comes of it is the next input.
    fn act(&mut self, net: &mut Net, actions: &[Action]) -> Option<Input<'static>> {
        let mut feedback = None;
        for action in actions {
            match *action {
                Action::Listen(interest) => self.listen(net, interest),
                Action::Transmit(frame) => {
                    if !net.is_calm() && self.stream.chance(net.options.transmit_fail) {
                        net.audit.note(net.now(), self.id, &Fact::NotSent(&frame));
                        feedback = Some(Input::TransmitFailed);
                    } else {
                        net.transmit(self.id, &frame);
                    }
                }
                Action::Install(addr) => feedback = self.install(net, addr).or(feedback),
                Action::Remove(addr, _) => {
                    self.pending = None;
                    self.take_off(net, addr);
                    self.record.losses += 1;
                    self.record.changed_at = net.now();
                }
                Action::Report(event) => feedback = self.hear(net, event).or(feedback),
            }
        }
        feedback
    }

    fn hear(&mut self, net: &Net, event: Event) -> Option<Input<'static>> {
        match event {
            Event::Candidate(addr) => {
                self.record.candidates += 1;
                let known = self.known.as_ref()?;
                return known[usize::from(addr.index())].then_some(Input::Avoid(addr));
            }
            Event::Acquired(_) | Event::Restored(_) => {
                self.open = true;
                self.record.changed_at = net.now();
                self.record.acquired_at.get_or_insert(net.now());
            }
            Event::Contested(..) => self.record.conflicts += 1,
            Event::Defended(_) | Event::Denier(_) | Event::BackedOff => {}
        }
        None
    }

    fn install(&mut self, net: &mut Net, addr: LinkLocalAddr) -> Option<Input<'static>> {
        if net.options.install_ms == 0 && net.options.install_fail == 0 {
            self.place(net, addr);
            return Some(Input::Installed);
        }
        let longest = Duration::from_millis(net.options.install_ms.into());
        let at = net.now() + self.stream.up_to(longest);
        self.requests += 1;
        self.pending = Some(addr);
        net.wake(self.id, at, Alarm::Installed(self.requests));
        None
    }

    /// The address is on the interface from now on.
    fn place(&mut self, net: &mut Net, addr: LinkLocalAddr) {
        let before = self.heard();
        self.addr = Some(addr);
        self.register(net, before);
        net.trace.note(net.now(), self.id, &addr.ip().octets(), format_args!("has {addr}"));
        net.audit.note(net.now(), self.id, &Fact::Placed(addr.ip()));
    }

    fn take_off(&mut self, net: &mut Net, addr: LinkLocalAddr) {
        let before = self.heard();
        self.open = false;
        if self.addr.take().is_some() {
            self.register(net, before);
            net.trace.note(net.now(), self.id, &[0], format_args!("has no {addr}"));
            net.audit.note(net.now(), self.id, &Fact::TakenOff);
        }
    }

    fn listen(&mut self, net: &mut Net, interest: Interest) {
        let before = self.heard();
        self.interest = interest;
        self.register(net, before);
    }

    /// The addresses that frames may matter to it for: the engine's, and the kernel's.
    fn heard(&self) -> [Option<LinkLocalAddr>; 2] {
        let engine = match self.interest {
            Interest::Nothing => None,
            Interest::Candidate(addr) | Interest::Claimed(addr) => Some(addr),
        };
        [engine, self.addr.filter(|&addr| Some(addr) != engine)]
    }

    fn register(&self, net: &mut Net, before: [Option<LinkLocalAddr>; 2]) {
        let after = self.heard();
        for addr in before.into_iter().flatten().filter(|&addr| !after.contains(&Some(addr))) {
            net.ignore(self.id, addr.ip());
        }
        for addr in after.into_iter().flatten().filter(|&addr| !before.contains(&Some(addr))) {
            net.listen(self.id, addr.ip());
        }
    }

    /// Sets the timer for the engine's next deadline.
    fn set_timer(&mut self, net: &mut Net) {
        let due = |deadline: Instant| self.clock.when(deadline).max(net.now());
        let timer = self.subject.poll_timeout().map(due);
        if timer != self.timer && net.ports[self.id as usize].awake {
            self.timer = timer;
            if let Some(at) = timer {
                net.wake(self.id, at, Alarm::Timer);
            }
        }
    }
}

/// What a kernel answers to a request.
pub(crate) fn reply(mac: MacAddr, addr: std::net::Ipv4Addr, request: &ArpPacket) -> ArpPacket {
    ArpPacket {
        operation: Operation::Reply,
        sender_mac: mac,
        sender_ip: addr,
        target_mac: request.sender_mac,
        target_ip: request.sender_ip,
    }
}

/// The MAC address number `number` of a node.
pub(crate) fn mac_of(seed: u64, node: u64, number: u64) -> MacAddr {
    let [a, b, c, d, e, ..] = mixed(seed, Purpose::Mac, node, number).to_le_bytes();
    MacAddr([0x02, a, b, c, d, e])
}

fn sequence(options: &Options, mac: MacAddr) -> Sequence {
    Sequence::new(mac, &DEFAULT_KEY, options.addr_range())
}

fn first_candidate(options: &Options, mac: MacAddr) -> Option<LinkLocalAddr> {
    match options.first {
        First::Sequence => None,
        First::Avahi => Some(avahi_candidate(mac)),
    }
}

/// The first candidate of avahi-autoipd: one of 5 356 values, those in the middle far likelier.
pub(crate) fn avahi_candidate(mac: MacAddr) -> LinkLocalAddr {
    let weighted = (1..).zip(mac.octets()).map(|(weight, byte)| weight * u16::from(byte));
    let addr = LinkLocalAddr::from_index(1 + weighted.sum::<u16>());
    addr.unwrap_or(LinkLocalAddr::FIRST)
}

// What a host costs, engine included; its ledger and its place in queue and index come on top.
const _: () = assert!(size_of::<Host>() <= 512, "a host costs at most 512 bytes");
