//! What there is of the guard in a host's kernel.

use autoip_lab::Host;
use autoip_linux::IfIndex;
use autoip_linux::nft::{Chain, Family, Hook, Nft, Table};
use autoip_linux::rtnl::{Conf, NeighbourSetting, Route, Rule};

use crate::station::{MARK, change, rules};

/// The name of the daemon's tables, unless somebody else has it.
pub(crate) const TABLE: &str = "autoip";

/// The settings that the daemon changes.
const SETTINGS: [Conf; 3] = [Conf::PromoteSecondaries, Conf::ArpIgnore, Conf::ArpAnnounce];

/// What there is of the guard of eth0, and what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// How many rules with a counter are in the filters of the link and of the host.
    pub(crate) filters: (usize, usize),
    pub(crate) rules: Vec<Rule>,
    /// The routes of the table for packets from the address.
    pub(crate) own_routes: Vec<Route>,
    /// promote_secondaries, arp_ignore and arp_announce.
    pub(crate) settings: [i32; 3],
    /// ucast_solicit and mcast_resolicit.
    pub(crate) search: [u32; 2],
}

impl Traces {
    pub(crate) fn of(host: &Host) -> Self {
        Self::in_table(host, TABLE)
    }

    /// The same where the daemon's tables have another name.
    pub(crate) fn in_table(host: &Host, table: &str) -> Self {
        let index = host.link("eth0").unwrap().index;
        Self {
            filters: filters(host, index, table),
            rules: rules(host),
            own_routes: own_routes(host, index),
            settings: settings(host),
            search: search(host),
        }
    }

    /// Whether nothing is there but settings.
    pub(crate) fn is_gone(&self) -> bool {
        self.filters == (0, 0) && self.rules.is_empty() && self.own_routes.is_empty()
    }
}

fn filters(host: &Host, index: IfIndex, name: &str) -> (usize, usize) {
    let count = |family, chain: &str| {
        let table = Table { family, name, owned: true };
        // Only the names count when a chain is read.
        let chain = Chain { table, name: chain, hook: Hook::Forward, priority: 0 };
        host.run(|| Nft::open().unwrap().counters(&chain).unwrap().len())
    };
    let link = ["egress", "ingress"].map(|name| count(Family::Netdev, &format!("{name}_{index}")));
    let host = ["prerouting", "forward", "postrouting"].map(|name| count(Family::Inet, name));
    (link.iter().sum(), host.iter().sum())
}

fn own_routes(host: &Host, index: IfIndex) -> Vec<Route> {
    let mut routes = change(host, |rtnl| rtnl.routes_of(39_270_000 + index.get()).unwrap());
    routes.retain(|route| route.protocol == MARK);
    routes
}

/// The settings of eth0.
pub(crate) fn settings(host: &Host) -> [i32; 3] {
    let index = host.link("eth0").unwrap().index;
    change(host, |rtnl| SETTINGS.map(|conf| rtnl.conf(index, conf).unwrap()))
}

/// How eth0 looks for neighbours.
fn search(host: &Host) -> [u32; 2] {
    let index = host.link("eth0").unwrap().index;
    let settings = [NeighbourSetting::UnicastProbes, NeighbourSetting::BroadcastReprobes];
    change(host, |rtnl| settings.map(|one| rtnl.neighbour_setting(index, one).unwrap()))
}
