//! Which interfaces are managed, and with which settings: rules, and what they say about a link.
//!
//! A rule applies to an interface when all its criteria hold. Rules that name one interface
//! exactly, by name or MAC address, come before those that fit many; among equals the first one
//! wins. A rule that fits many takes only devices that nobody else has a use for; one that names
//! a device takes it as it is.

mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use autoip_core::MacAddr;
use autoip_linux::rtnl::Link;

pub(crate) use pattern::Pattern;

use crate::host::Host;
use crate::settings::InterfaceSettings;

/// One thing that a rule asks of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    Name(Pattern),
    Mac(MacAddr),
    Kind(Kind),
    /// The name of the device's driver.
    Driver(String),
}

/// What kind of device an interface is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not made by software: the kernel names no kind.
    Physical,
    /// What the kernel calls it, such as "bridge" or "veth".
    Virtual(String),
}

/// What is to be done with the interfaces to which all criteria apply; without any, with all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) criteria: Vec<Criterion>,
    /// `None`: leave them alone.
    pub(crate) settings: Option<InterfaceSettings>,
    /// Whether the daemon refuses to start when the interface is there and cannot be managed.
    pub(crate) required: bool,
}

/// What was found for an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) settings: InterfaceSettings,
    /// The exact name by which somebody wants it: it stays wanted when it is renamed.
    pub(crate) wanted_as: Option<String>,
    pub(crate) required: bool,
}

impl Criterion {
    fn applies(&self, link: &Link, wanted_as: Option<&str>, host: &Host) -> bool {
        match self {
            Self::Name(pattern) => {
                pattern.matches(&link.name) || wanted_as.is_some_and(|name| pattern.matches(name))
            }
            Self::Mac(mac) => link.mac == Some(*mac),
            Self::Kind(Kind::Physical) => link.kind.is_none(),
            Self::Kind(Kind::Virtual(kind)) => link.kind.as_ref() == Some(kind),
            Self::Driver(driver) => host.driver(link.index) == Some(driver),
        }
    }

    /// The exact name asked for.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(pattern) => pattern.exact(),
            Self::Mac(_) | Self::Kind(_) | Self::Driver(_) => None,
        }
    }

    fn is_exact(&self) -> bool {
        match self {
            Self::Name(_) => self.name().is_some(),
            Self::Mac(_) => true,
            Self::Kind(_) | Self::Driver(_) => false,
        }
    }
}

impl Rule {
    /// Whether it names one interface, and does not fit many.
    pub(crate) fn is_exact(&self) -> bool {
        self.criteria.iter().any(Criterion::is_exact)
    }

    fn name(&self) -> Option<&str> {
        self.criteria.iter().find_map(Criterion::name)
    }

    /// Its place among the rules for an interface of this name, the lowest first.
    fn rank(&self, name: &str) -> u8 {
        match (self.is_exact(), self.name()) {
            (true, None) => 0,
            (true, Some(named)) => u8::from(named != name),
            (false, _) => 2,
        }
    }

    /// Whether all criteria hold.
    fn fits(&self, link: &Link, wanted_as: Option<&str>, host: &Host) -> bool {
        // A former name counts for whoever names it, and for no pattern.
        let wanted_as = wanted_as.filter(|former| self.name() == Some(*former));
        self.criteria.iter().all(|criterion| criterion.applies(link, wanted_as, host))
    }

    fn applies(&self, link: &Link, wanted_as: Option<&str>, host: &Host) -> bool {
        // The driver is asked for only where nothing else stands against it.
        let concerned = self.settings.is_none() || self.is_exact() || self.takes(link, host);
        concerned && self.fits(link, wanted_as, host)
    }

    /// Whether it depends on the driver of a device.
    pub(crate) fn asks_for_driver(&self) -> bool {
        self.criteria.iter().any(|criterion| matches!(criterion, Criterion::Driver(_)))
    }

    /// Whether it takes a device that it does not name. One whose kind or driver is asked for need
    /// not be of a kind that would be taken unasked.
    fn takes(&self, link: &Link, host: &Host) -> bool {
        let says = |criterion| matches!(criterion, &Criterion::Kind(_) | &Criterion::Driver(_));
        let asked = self.criteria.iter().any(says);
        (asked || is_taken_unasked(link)) && is_free(link, host) && unsuitable(link, host).is_none()
    }
}

/// The rules, and what was said at run time.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    rules: Vec<Rule>,
    /// The places of the rules that ask for a name, and of the others: a thousand interfaces may
    /// be named, and each of their changes asks for one.
    by_name: BTreeMap<String, Vec<usize>>,
    nameless: Vec<usize>,
    /// For interfaces that are named at run time.
    named: Vec<Rule>,
    /// Added at run time, by name.
    added: BTreeMap<String, InterfaceSettings>,
    /// Removed at run time, by name.
    removed: BTreeSet<String>,
}

impl Selection {
    pub(crate) fn new(rules: Vec<Rule>, named: Vec<Rule>) -> Self {
        let mut selection = Self::default();
        selection.set_rules(rules, named);
        selection
    }

    /// Takes other rules. What was said at run time goes on to hold.
    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>, named: Vec<Rule>) {
        (self.rules, self.named) = (rules, named);
        // Stable: among equals the order is the writer's.
        self.rules.sort_by_key(|rule| !rule.is_exact());
        self.named.sort_by_key(|rule| !rule.is_exact());
        self.by_name.clear();
        self.nameless.clear();
        for (place, rule) in self.rules.iter().enumerate() {
            match rule.name() {
                Some(name) => self.by_name.entry(name.to_owned()).or_default().push(place),
                None => self.nameless.push(place),
            }
        }
    }

    /// Whether a rule depends on the driver of a device.
    pub(crate) fn asks_for_drivers(&self) -> bool {
        self.rules.iter().chain(&self.named).any(Rule::asks_for_driver)
    }

    /// What to do with an interface; `None` to leave it alone. `wanted_as` is what an earlier
    /// [`Choice`] said about it.
    pub(crate) fn choose(
        &self,
        link: &Link,
        wanted_as: Option<&str>,
        host: &Host,
    ) -> Option<Choice> {
        let names = || std::iter::once(link.name.as_str()).chain(wanted_as);
        if let Some(name) = names().find(|name| self.added.contains_key(*name)) {
            let (settings, wanted_as) = (self.added[name].clone(), Some(name.to_owned()));
            return Some(Choice { settings, wanted_as, required: false });
        }
        if names().any(|name| self.removed.contains(name)) {
            return None;
        }
        let by_name = names().filter_map(|name| self.by_name.get(name)).flatten();
        let mut places: Vec<_> = by_name.chain(&self.nameless).collect();
        places.sort_unstable();
        // What names it as it is called now comes before what names it as it was called.
        places.sort_by_key(|place| self.rules[**place].rank(&link.name));
        let mut rules = places.into_iter().map(|&place| &self.rules[place]);
        let rule = rules.find(|rule| rule.applies(link, wanted_as, host))?;
        let settings = rule.settings.clone()?;
        let wanted_as = rule.name().map(str::to_owned);
        Some(Choice { settings, wanted_as, required: rule.required })
    }

    /// Whether a rule that fits many would take this one if it were of another kind.
    pub(crate) fn passes_over(&self, link: &Link, host: &Host) -> bool {
        let is_candidate = is_free(link, host) && unsuitable(link, host).is_none();
        let fits = |rule: &Rule| {
            rule.settings.is_some() && !rule.is_exact() && rule.fits(link, None, host)
        };
        is_candidate && !is_taken_unasked(link) && self.rules.iter().any(fits)
    }

    /// The settings for an interface that somebody names at run time without choosing any.
    pub(crate) fn settings_if_named(&self, link: &Link, host: &Host) -> Option<InterfaceSettings> {
        let rule = self.named.iter().find(|rule| rule.fits(link, None, host))?;
        rule.settings.clone()
    }

    /// The settings of an interface that is wanted by exactly this name.
    pub(crate) fn settings_of(&self, name: &str) -> Option<&InterfaceSettings> {
        let mut rules = self.rules.iter().filter(|rule| rule.name() == Some(name));
        self.added.get(name).or_else(|| rules.find_map(|rule| rule.settings.as_ref()))
    }

    /// Wants the interface `name` from now on.
    pub(crate) fn add(&mut self, name: &str, settings: InterfaceSettings) {
        self.removed.remove(name);
        self.added.insert(name.to_owned(), settings);
    }

    /// Wants it no more than the rules do.
    pub(crate) fn forget(&mut self, name: &str) {
        self.added.remove(name);
    }

    /// Wants the interface `name` no longer, whatever the rules say.
    pub(crate) fn remove(&mut self, name: &str) {
        self.added.remove(name);
        self.removed.insert(name.to_owned());
    }

    /// Whether somebody wants an interface of exactly this name.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.exact_names().any(|exact| exact == name)
    }

    /// The names of interfaces that are wanted, whether they are there or not.
    pub(crate) fn exact_names(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().filter(|rule| rule.settings.is_some());
        let names = rules.filter_map(Rule::name).chain(self.added.keys().map(String::as_str));
        names.filter(|name| !self.removed.contains(*name))
    }
}

/// Whether nobody else has a use for the device: it is no port of anything. A VRF is a table of
/// routes, and its members work as before.
fn is_free(link: &Link, host: &Host) -> bool {
    let Some(master) = link.master else { return true };
    host.link(master).is_some_and(|master| master.kind.as_deref() == Some("vrf"))
}

/// Whether the device is of a kind that is taken when nobody names it: what leads to a cable. A
/// bond or a team stands for the cables of its ports, a port of a switch chip (dsa) for one.
/// Others belong to containers, virtual machines and tunnels.
fn is_taken_unasked(link: &Link) -> bool {
    let kind = link.kind.as_deref();
    matches!(kind, None | Some("bridge" | "vlan" | "bond" | "team" | "dsa"))
}

/// Why ARP cannot be spoken on `link`, and what to do about it; `None` where it can.
//= LL-1.3-01 links without ARP are refused
//= LL-2.2.1-12 links without ARP are out of scope
//= ACD-1.3-01 links without ARP are out of scope
pub(crate) fn unsuitable(link: &Link, host: &Host) -> Option<String> {
    let need = "link-local addresses need an Ethernet interface with ARP";
    if let Some(why) = link.unsuitable() {
        return Some(format!("{why}: {need}"));
    }
    if link.mac.is_none() {
        return Some(format!("has no 48-bit hardware address: {need}"));
    }
    // Such a master takes all frames before anybody else on this interface sees them.
    let master = host.link(link.master?)?;
    let kind = master.kind.as_deref();
    let takes_all = matches!(kind, Some("bridge" | "bond" | "team" | "openvswitch"));
    takes_all.then(|| format!("is a port of {0}: manage {0} instead", master.name))
}

#[cfg(test)]
mod tests;
