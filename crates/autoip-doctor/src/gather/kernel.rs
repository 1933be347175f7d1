//! What the kernel says of interfaces, routes and filters.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use autoip_linux::nft::{Chain, Family, Hook, Nft, Table};
use autoip_linux::rtnl::{Conf, Link, MAIN_TABLE, Route, Rtnl, conf_of_all};
use autoip_linux::{IfIndex, InterfaceLock};

use super::{refused, seen};
use crate::facts::{Interface, Setting, Unseen};
use crate::{Daemon, Error, Request, Tier, numbers};

/// The settings that matter to link-local addresses.
const SETTINGS: [Conf; 6] = [
    Conf::Forwarding,
    Conf::ProxyArp,
    Conf::RpFilter,
    Conf::ArpAnnounce,
    Conf::ArpIgnore,
    Conf::ArpNotify,
];

/// All interfaces, with what is known of them; those that the request is about are marked.
pub(super) fn interfaces(
    rtnl: &mut Rtnl,
    request: &Request,
    unseen: &mut Vec<Unseen>,
) -> Result<Vec<Interface>, Error> {
    let mut links = rtnl.links().map_err(Error::Kernel)?;
    for name in &request.interfaces {
        if !links.iter().any(|link| link.name == *name) {
            let known = links.into_iter().map(|link| link.name).collect();
            return Err(Error::NoSuchInterface { name: name.clone(), known });
        }
    }
    links.retain(|link| !link.loopback || request.interfaces.contains(&link.name));
    let addresses = seen(rtnl.addresses(), "the addresses", unseen);
    let held = InterfaceLock::held().unwrap_or_else(|error| {
        unseen.push(refused(None, "which interfaces have a daemon", &error));
        BTreeSet::new()
    });
    let mut interfaces: Vec<_> = links
        .into_iter()
        .map(|link| {
            let index = link.index;
            let asked = request.interfaces.contains(&link.name);
            let by_default = link.unsuitable().is_none() && link.master.is_none() && link.up;
            Interface {
                addresses: addresses.iter().filter(|a| a.index == index).cloned().collect(),
                settings: Vec::new(),
                examined: asked || (request.interfaces.is_empty() && by_default),
                asked,
                managed: is_managed(&link, request.daemon.as_ref(), &held),
                daemon: held.contains(&index).then(|| holder(index)).flatten(),
                gate: None,
                link,
            }
        })
        .collect();
    for interface in interfaces.iter_mut().filter(|interface| interface.examined) {
        interface.settings = settings(rtnl, &interface.link, unseen);
    }
    look_at_gates(&mut interfaces, request.daemon.as_ref(), unseen);
    Ok(interfaces)
}

/// By the daemon that was asked, or by any.
fn is_managed(link: &Link, daemon: Option<&Daemon>, held: &BTreeSet<IfIndex>) -> bool {
    says(daemon, &link.name).is_some() || held.contains(&link.index)
}

/// The process of the daemon that holds an interface. Who it is matters only for telling it from
/// others, so a refusal is as good as not knowing.
fn holder(index: IfIndex) -> Option<u32> {
    let holder = InterfaceLock::holder(index).ok().flatten();
    holder.and_then(|pid| u32::try_from(pid).ok())
}

/// The tier of an interface, where the daemon that was asked manages it.
fn says(daemon: Option<&Daemon>, name: &str) -> Option<Tier> {
    let managing = daemon.filter(|daemon| daemon.interfaces.iter().any(|known| known == name));
    managing.map(|daemon| daemon.tier)
}

fn settings(rtnl: &mut Rtnl, link: &Link, unseen: &mut Vec<Unseen>) -> Vec<Setting> {
    let mut read = |conf| -> autoip_linux::Result<Setting> {
        Ok(Setting { conf, own: rtnl.conf(link.index, conf)?, all: conf_of_all(conf)? })
    };
    let mut settings = Vec::new();
    for conf in SETTINGS {
        match read(conf) {
            Ok(setting) => settings.push(setting),
            // There is no IPv4 on it, and no such setting.
            Err(error) if error.io().kind() == ErrorKind::Unsupported => {}
            Err(error) => {
                let what = format!("the setting {} of {}", conf.name(), link.name);
                unseen.push(refused(Some(&link.name), &what, &error));
            }
        }
    }
    settings
}

/// Finds out which interfaces the packet filter of autoipd guards.
fn look_at_gates(interfaces: &mut [Interface], daemon: Option<&Daemon>, unseen: &mut Vec<Unseen>) {
    let mut unsaid = Vec::new();
    for interface in interfaces.iter_mut() {
        let said = says(daemon, interface.name()).map(|tier| tier == Tier::Nft);
        // Where no daemon runs, there is no filter of one either: they end together.
        interface.gate = said.or((!interface.managed).then_some(false));
        if interface.gate.is_none() {
            unsaid.push(interface.index());
        }
    }
    if unsaid.is_empty() {
        return;
    }
    match guarded(&unsaid) {
        Ok(guarded) => {
            for interface in interfaces.iter_mut().filter(|i| unsaid.contains(&i.index())) {
                interface.gate = Some(guarded.contains(&interface.index()));
            }
        }
        Err(error) => {
            unseen.push(refused(None, "whether the packet filter of autoipd is there", &error));
        }
    }
}

/// Those of the interfaces that have a gate with rules in a table of autoipd's.
fn guarded(indexes: &[IfIndex]) -> autoip_linux::Result<BTreeSet<IfIndex>> {
    let mut nft = Nft::open()?;
    let mut guarded = BTreeSet::new();
    for name in nft.tables(Family::Netdev)?.iter().filter(|name| numbers::is_filter_table(name)) {
        for &index in indexes {
            let table = Table { family: Family::Netdev, name, owned: true };
            let gate = numbers::gate(index);
            // Only the names count for a look.
            let chain = Chain { table, name: &gate, hook: Hook::Forward, priority: 0 };
            if !nft.counters(&chain)?.is_empty() {
                guarded.insert(index);
            }
        }
    }
    Ok(guarded)
}

/// The routes of the main table and of autoipd's own tables.
pub(super) fn routes(
    rtnl: &mut Rtnl,
    interfaces: &[Interface],
    unseen: &mut Vec<Unseen>,
) -> Vec<Route> {
    let own = interfaces.iter().map(|interface| numbers::table(interface.index()));
    let wanted: BTreeSet<_> = own.chain([MAIN_TABLE]).collect();
    let mut routes = seen(rtnl.routes_of_all_tables(), "the routes", unseen);
    routes.retain(|route| wanted.contains(&route.table));
    routes
}
