//! One process with many interfaces.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use autoip_lab::{Change, Host, Process, Recording, Signal};
use autoip_linux::boottime;
use autoip_linux::rtnl::{Event, Rtnl};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::control::Control;
use crate::figure::{Figure, Unit, ms, ms_between};
use crate::program::{Program, Timing};
use crate::state_dir::StateDir;
use crate::station::is_claim;
use crate::usage::{Memory, Usage};

const LIMIT: Duration = Duration::from_secs(60);
/// Until the last announcement is out and everything sleeps.
const SETTLE_TIME: Duration = Duration::from_secs(3);
/// Far from the numbers of the far ends: where both ends of a cable have the same number, the
/// kernel takes up to a second to notice a carrier.
const FIRST_INDEX: u32 = 10_000;

/// A number of interfaces, and the budgets for it.
#[derive(Default)]
pub(crate) struct Crowd {
    count: u32,
    bound_ms: Option<f64>,
    resident_kib: Option<f64>,
    private_dirty_kib: Option<f64>,
    exit_ms: Option<f64>,
}

/// The sizes that are measured.
pub(crate) fn crowds(quick: bool) -> Vec<Crowd> {
    let mut crowds = vec![
        Crowd {
            count: 1,
            resident_kib: Some(1536.0),
            private_dirty_kib: Some(172.0),
            exit_ms: Some(50.0),
            ..Crowd::default()
        },
        Crowd { count: 50, private_dirty_kib: Some(400.0), ..Crowd::default() },
    ];
    if !quick {
        crowds.push(Crowd {
            count: 1000,
            bound_ms: Some(8000.0),
            resident_kib: Some(8192.0),
            exit_ms: Some(2000.0),
            ..Crowd::default()
        });
    }
    crowds
}

impl Crowd {
    pub(crate) fn title(&self) -> String {
        match self.count {
            1 => "One interface".to_owned(),
            count => format!("{count} interfaces in one process"),
        }
    }
}

pub(crate) fn measure(program: &Program, crowd: &Crowd) -> Vec<Figure> {
    let mut cables = Cables::lay(crowd.count);
    let changes = cables.host.changes();
    let control = Control::start();
    let state_dir = StateDir::new();
    let started_at = boottime();
    let command = program.command(Timing::Rfc3927, &cables.names, state_dir.path());
    let daemon = cables.host.spawn(command);
    let ready_at = daemon.wait_log(LIMIT, |line| {
        line.contains("managing") && cables.names.last().is_some_and(|name| line.contains(name))
    });
    cables.plug_in();
    let claims = claims(&changes, crowd.count);
    thread::sleep(SETTLE_TIME);
    let used = Usage::of(daemon.pid());
    let memory = Memory::of(daemon.pid());
    let exit = end(&daemon);
    let delay = control.end();
    // The memory of this program is no business of the daemon's budget.
    let budget = |kib: Option<f64>| kib.filter(|_| !matches!(program, Program::Reexecuted));
    vec![
        Figure::times("fork to ready, all interfaces", [Some(ms_between(started_at, ready_at.at))]),
        Figure::times("carrier to address, each (4-7 s drawn)", claims).budget(crowd.bound_ms),
        Figure::times("CPU time until all are bound and announced", [Some(ms(used.cpu))]),
        Figure::value("resident (RSS)", Unit::Kibibytes, memory.resident as f64)
            .budget(budget(crowd.resident_kib)),
        Figure::value("proportional (PSS)", Unit::Kibibytes, memory.proportional as f64),
        Figure::value("private dirty", Unit::Kibibytes, memory.private_dirty as f64)
            .budget(budget(crowd.private_dirty_kib)),
        Figure::times("SIGTERM to exit, all addresses removed", [exit]).budget(crowd.exit_ms),
        delay,
    ]
}

/// Waits until there are `count` addresses: the time that each took from the carrier.
///
/// Not from the plug: the kernel takes up to a second for every few hundred carriers that come
/// together.
fn claims(changes: &Recording<Change>, count: u32) -> Vec<Option<f64>> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let deadline = boottime() + LIMIT;
    while changes.filtered(is_claim).len() < count && boottime() < deadline {
        thread::sleep(Duration::from_millis(50));
    }
    let mut carrier_at = BTreeMap::new();
    let mut times = Vec::new();
    for change in changes.all() {
        if let Event::LinkChanged(link) = &change.event
            && link.has_carrier()
        {
            carrier_at.entry(link.index).or_insert(change.at);
        }
        if let Event::AddressAdded(address) = &change.event
            && is_claim(&change)
        {
            let since = carrier_at.get(&address.index);
            times.push(since.map(|&since| ms_between(since, change.at)));
        }
    }
    times.resize(count, None);
    times
}

fn end(daemon: &Process) -> Option<f64> {
    let at = boottime();
    daemon.signal(Signal::SIGTERM);
    daemon.ended_within(LIMIT).map(|_| ms_between(at, boottime()))
}

/// A host with many cables to another one. Each is a link of its own, without a switch, on which
/// nobody else speaks.
struct Cables {
    host: Host,
    names: Vec<String>,
    far: Rtnl,
    _far_host: Host,
}

impl Cables {
    /// Lays the cables; the near ends are up, the far ones down.
    fn lay(count: u32) -> Self {
        let (host, far_host) = (Host::new("many"), Host::new("far"));
        let far_namespace = far_host.run(|| File::open("/proc/thread-self/ns/net"));
        let far_namespace = far_namespace.expect("a thread can open its own namespace");
        let mut near = host.run(Rtnl::open).expect("rtnetlink can be had");
        let far = far_host.run(Rtnl::open).expect("rtnetlink can be had");
        let names: Vec<_> = (0..count).map(|number| format!("eth{number}")).collect();
        for (name, index) in names.iter().zip(FIRST_INDEX..) {
            let mut peer = named(name);
            peer.attributes.push(LinkAttribute::NetNsFd(far_namespace.as_raw_fd()));
            let data = InfoData::Veth(InfoVeth::Peer(peer));
            let info = vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)];
            let mut cable = named(name);
            cable.header.index = index;
            cable.attributes.push(LinkAttribute::LinkInfo(info));
            let request = RouteNetlinkMessage::NewLink(cable);
            near.request(request, NLM_F_CREATE | NLM_F_EXCL).expect("a cable can be laid");
            set_up(&mut near, name);
        }
        Self { host, names, far, _far_host: far_host }
    }

    fn plug_in(&mut self) {
        for name in &self.names {
            set_up(&mut self.far, name);
        }
    }
}

fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn set_up(rtnl: &mut Rtnl, name: &str) {
    let mut message = named(name);
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    rtnl.request(RouteNetlinkMessage::SetLink(message), 0).expect("an interface can be set up");
}
