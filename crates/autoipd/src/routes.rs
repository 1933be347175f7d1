//! The routes and the routing rules of one interface: what should be there, and what we have put
//! there.
//!
//! Every interface that we manage has 169.254.0.0/16 on its link, whether or not it has an address
//! of that network. An address in use has a table of its own besides, so that whatever is sent
//! from it leaves by its own interface, straight to its destination.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_core::{Instant, LinkLocalAddr};
use autoip_linux::rtnl::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKind, Rtnl, Rule};
use autoip_linux::{IfIndex, Result};
use autoip_wire::LINK_LOCAL_NET;

use crate::guard::Tier;
use crate::host::Host;
use crate::limit::Limit;
use crate::marks;
use crate::settings::RouteSettings;

/// The metric of an on-link route is this and the interface's number, so that the routes of
/// several interfaces can stand side by side and the order between them is settled.
const METRIC_BASE: u32 = 1000;
/// The same for default routes: behind all that anybody else may have.
const DEFAULT_METRIC_BASE: u32 = 2_000_000_000;
/// The routing table of an interface is this and the interface's number.
const TABLE_BASE: u32 = 39_270_000;
/// Our rules are asked before the tables of everybody else.
const RULE_PRIORITY: u32 = 3927;
/// Before that, what came in is kept from being forwarded; and before that again, what may be.
const FENCE_PRIORITY: u32 = 3926;
const EXEMPT_PRIORITY: u32 = 3925;
/// Straight to the destination, without a router (RT_SCOPE_LINK).
const SCOPE_LINK: u8 = 253;
/// The pause after others deleted our routes too often.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// 169.254.0.0/16 is never divided (RFC 3927 §2.8).
const LINK_LOCAL_PREFIX: u8 = 16;
const HOST_PREFIX: u8 = 32;
const BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);

/// The metric of the on-link route of an interface for which nobody chose one.
pub(crate) fn metric(index: IfIndex) -> u32 {
    METRIC_BASE.saturating_add(index.get())
}

/// What decides about the routes of an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) index: IfIndex,
    pub(crate) name: &'a str,
    /// Without a carrier there are no routes.
    pub(crate) carrier: bool,
    /// Our address, once it is announced.
    pub(crate) addr: Option<LinkLocalAddr>,
    /// The operable routable address.
    pub(crate) routable: Option<Ipv4Addr>,
    /// From [`Tier::Sysctl`] on, addresses get tables of their own. In that tier rules have to do
    /// what the filter does above it.
    pub(crate) tier: Tier,
    /// Link-local addresses to and from which packets may be forwarded.
    pub(crate) exempt: &'a [Ipv4Addr],
}

impl Situation<'_> {
    fn routes(&self, settings: RouteSettings) -> Vec<Route> {
        let mut routes = Vec::new();
        // New traffic comes from the routable address where there is one.
        //= LL-2.6.1-01 the on-link route names a routable source where there is one
        let source = self.routable.or(self.addr.map(LinkLocalAddr::ip));
        let Some(source) = source.filter(|_| self.carrier) else { return routes };
        //= LL-2.6.2-01 destinations in 169.254.0.0/16 are reached directly
        //= LL-2.6.2-02 with a routable address alone as well
        let number = self.index.get();
        //= LL-2.8-01 all of 169.254.0.0/16 counts as on the link
        //= LL-3.3-01 a routable address is enough to reach link-local hosts
        //= LL-3.2-01 every interface has a route of its own, for programs that bind to it
        let on_link = Route {
            kind: RouteKind::Unicast,
            index: self.index,
            destination: LINK_LOCAL_NET,
            prefix_len: LINK_LOCAL_PREFIX,
            scope: SCOPE_LINK,
            metric: settings.metric.unwrap_or(metric(self.index)),
            // The kernel takes the route away together with this address, even after a crash.
            source: Some(source),
            protocol: marks::PROTOCOL,
            gateway: None,
            table: MAIN_TABLE,
        };
        let everything = Route { destination: Ipv4Addr::UNSPECIFIED, prefix_len: 0, ..on_link };
        match self.addr {
            None => {
                //= LL-2.6.2-03 169.254.255.255 is a broadcast without an address as well
                let (kind, metric, table) = (RouteKind::Broadcast, 0, LOCAL_TABLE);
                let (destination, prefix_len) = (BROADCAST, HOST_PREFIX);
                routes.push(Route { kind, metric, table, destination, prefix_len, ..on_link });
            }
            Some(addr) => {
                if self.tier > Tier::Off {
                    //= LL-2.6.2-06 from our address every destination is reached directly
                    let (source, table) = (Some(addr.ip()), table(self.index));
                    routes.push(Route { metric: 0, source, table, ..everything.clone() });
                }
                if settings.default_route && self.routable.is_none() {
                    //= LL-2.6.2-08 with our address alone, everything is sought on the link
                    //= LL-3.3-02 with our address alone every host of the link is reached
                    //= LL-1.8-01 link-local and routable hosts of one link reach each other
                    let metric = DEFAULT_METRIC_BASE.saturating_add(number);
                    routes.push(Route { metric, ..everything });
                }
            }
        }
        routes.push(on_link);
        routes
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules = self.fence();
        rules.extend(self.own_rule());
        rules
    }

    /// The rule that has packets from our address leave by its own interface.
    //= LL-2.6.2-07 packets from our address never go to a router
    //= BASE-06 an address leaves by its own interface only
    //= LL-2.6.1-04 the interface of an address is settled before anything else
    //= LL-3.1-01 an address stays on its own link
    //= LL-2.7-02 packets with a link-local address are handed to no router
    fn own_rule(&self) -> Option<Rule> {
        let addr = self.addr.filter(|_| self.tier > Tier::Off && self.carrier)?;
        Some(Rule {
            priority: RULE_PRIORITY,
            from: Some((addr.ip(), HOST_PREFIX)),
            to: None,
            iif: None,
            oif: None,
            table: Some(table(self.index)),
            protocol: marks::PROTOCOL,
        })
    }

    /// The rules that stand in for the filter: what came in here with a link-local address at
    /// either end goes no further. The table of the host's own addresses is asked before them.
    //= LL-2.7-03 nothing with a link-local address that comes in here is forwarded
    fn fence(&self) -> Vec<Rule> {
        if self.tier != Tier::Sysctl {
            return Vec::new();
        }
        let rule = |priority, from, to, table| Rule {
            priority,
            from,
            to,
            iif: Some(self.name.to_owned()),
            oif: None,
            table,
            protocol: marks::PROTOCOL,
        };
        let both_ways = |priority, network, table| {
            let network = Some(network);
            [rule(priority, network, None, table), rule(priority, None, network, table)]
        };
        let exempt = self
            .exempt
            .iter()
            .flat_map(|&addr| both_ways(EXEMPT_PRIORITY, (addr, HOST_PREFIX), Some(MAIN_TABLE)));
        exempt.chain(both_ways(FENCE_PRIORITY, (LINK_LOCAL_NET, LINK_LOCAL_PREFIX), None)).collect()
    }
}

/// What we have put into the kernel.
#[derive(Debug)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    rules: Vec<Rule>,
    restores: Limit,
    retry_at: Option<Instant>,
}

impl Default for Routes {
    fn default() -> Self {
        let restores = Limit::per_minute();
        Self { routes: Vec::new(), rules: Vec::new(), restores, retry_at: None }
    }
}

impl Routes {
    /// Makes the kernel's routes those that the situation calls for.
    pub(crate) fn set(
        &mut self,
        rtnl: &mut Rtnl,
        situation: &Situation<'_>,
        settings: RouteSettings,
    ) -> Result<()> {
        let routes = self.set_routes(rtnl, &situation.routes(settings));
        let rules = self.set_rules(rtnl, &situation.rules());
        routes.and(rules)
    }

    fn set_routes(&mut self, rtnl: &mut Rtnl, wanted: &[Route]) -> Result<()> {
        for route in wanted {
            if !self.routes.contains(route) {
                rtnl.add_route(route)?;
                // It took the place of one that differs in its source.
                self.routes.retain(|old| key(old) != key(route));
                self.routes.push(route.clone());
            }
        }
        // The old ones after the new ones: meanwhile nothing goes astray.
        while let Some(place) = self.routes.iter().position(|old| !wanted.contains(old)) {
            rtnl.remove_route(&self.routes[place])?;
            self.routes.swap_remove(place);
        }
        Ok(())
    }

    fn set_rules(&mut self, rtnl: &mut Rtnl, wanted: &[Rule]) -> Result<()> {
        while let Some(place) = self.rules.iter().position(|old| !wanted.contains(old)) {
            rtnl.remove_rule(&self.rules[place])?;
            self.rules.remove(place);
        }
        for rule in wanted {
            if !self.rules.contains(rule) {
                rtnl.add_rule(rule)?;
                self.rules.push(rule.clone());
            }
        }
        Ok(())
    }

    /// The kernel may have taken routes away without saying so: the next [`Routes::set`] makes
    /// sure of all of them.
    pub(crate) fn forget(&mut self) {
        self.routes.clear();
        self.rules.clear();
        self.retry_at = None;
    }

    /// The same, where it is known what the kernel has.
    pub(crate) fn forget_absent(&mut self, present: &Present) {
        self.routes.retain(|route| present.has_route(route));
        self.rules.retain(|rule| present.has_rule(rule));
        self.retry_at = None;
    }

    /// Whether somebody else deleted one of ours. One that we have replaced had another source.
    pub(crate) fn lost_route(&self, removed: &Route) -> bool {
        let lost = |route: &Route| key(route) == key(removed) && route.source == removed.source;
        self.routes.iter().any(lost)
    }

    /// Whether somebody else deleted ours.
    pub(crate) fn lost_rule(&self, removed: &Rule) -> bool {
        self.rules.contains(removed)
    }

    /// Whether to put back at once what somebody else deleted. When that happens too often it
    /// has to wait; see [`Routes::retry_at`].
    pub(crate) fn may_restore(&mut self, now: Instant) -> bool {
        let allowed = self.restores.allows(now);
        if !allowed {
            self.retry_at.get_or_insert(now + RETRY_AFTER);
        }
        allowed
    }

    /// When to make sure of everything again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }
}

/// What bears our mark in the kernel.
#[derive(Debug, Default)]
pub(crate) struct Present {
    routes: BTreeMap<IfIndex, Vec<Route>>,
    rules: Vec<Rule>,
}

impl Present {
    pub(crate) fn load(rtnl: &mut Rtnl) -> Result<Self> {
        let mut routes = BTreeMap::<_, Vec<_>>::new();
        for route in rtnl.routes_with(marks::PROTOCOL)? {
            routes.entry(route.index).or_default().push(route);
        }
        let mut rules = rtnl.rules()?;
        rules.retain(|rule| rule.protocol == marks::PROTOCOL);
        rules.sort_unstable_by_key(rule_key);
        Ok(Self { routes, rules })
    }

    fn has_route(&self, route: &Route) -> bool {
        self.routes.get(&route.index).is_some_and(|routes| routes.contains(route))
    }

    fn has_rule(&self, rule: &Rule) -> bool {
        self.rules_like(rule_key(rule)).contains(rule)
    }

    /// Those that differ in their addresses alone.
    fn rules_like(&self, key: RuleKey) -> &[Rule] {
        let from = self.rules.partition_point(|rule| rule_key(rule) < key);
        let to = self.rules.partition_point(|rule| rule_key(rule) <= key);
        &self.rules[from..to]
    }

    /// Takes away what a daemon left on an interface that was killed.
    pub(crate) fn remove_of(&self, rtnl: &mut Rtnl, index: IfIndex, name: &str) -> Result<()> {
        for route in self.routes.get(&index).into_iter().flatten() {
            rtnl.remove_route(route)?;
        }
        let fence = |priority, table| self.rules_like((Some(name.to_owned()), priority, table));
        let own = self.rules_like((None, RULE_PRIORITY, Some(table(index))));
        let fences = [fence(EXEMPT_PRIORITY, Some(MAIN_TABLE)), fence(FENCE_PRIORITY, None)];
        for rule in own.iter().chain(fences.into_iter().flatten()) {
            rtnl.remove_rule(rule)?;
        }
        Ok(())
    }

    /// Takes away the rules of interfaces that are not there any longer: nobody else will.
    pub(crate) fn remove_strays(&self, rtnl: &mut Rtnl, host: &Host) -> Result<()> {
        for rule in &self.rules {
            let is_stray = match (&rule.iif, rule.table) {
                (Some(name), _) => host.link_named(name).is_none(),
                (None, Some(table)) => {
                    let index = table.checked_sub(TABLE_BASE).and_then(IfIndex::new);
                    index.is_some_and(|index| host.link(index).is_none())
                }
                (None, None) => false,
            };
            if is_stray {
                rtnl.remove_rule(rule)?;
            }
        }
        Ok(())
    }
}

type RuleKey = (Option<String>, u32, Option<u32>);

fn rule_key(rule: &Rule) -> RuleKey {
    (rule.iif.clone(), rule.priority, rule.table)
}

/// What tells a route from others for the kernel.
fn key(route: &Route) -> (u32, Ipv4Addr, u8, u32) {
    (route.table, route.destination, route.prefix_len, route.metric)
}

fn table(index: IfIndex) -> u32 {
    TABLE_BASE.saturating_add(index.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTABLE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 5);

    fn situation() -> Situation<'static> {
        Situation {
            index: IfIndex::new(3).unwrap(),
            name: "eth0",
            carrier: true,
            addr: "169.254.7.9".parse().ok(),
            routable: None,
            tier: Tier::Filter,
            exempt: &[],
        }
    }

    fn in_words(situation: Situation<'_>, settings: RouteSettings) -> Vec<String> {
        let words = |route: &Route| {
            let Route { destination, prefix_len, metric, table, .. } = route;
            let source = route.source.unwrap();
            format!("{:?} {destination}/{prefix_len} {source} {metric} {table}", route.kind)
        };
        situation.routes(settings).iter().map(words).collect()
    }

    #[test]
    fn an_address_has_the_link_and_a_table_of_its_own() {
        assert_eq!(
            in_words(situation(), RouteSettings::default()),
            [
                "Unicast 0.0.0.0/0 169.254.7.9 0 39270003",
                "Unicast 169.254.0.0/16 169.254.7.9 1003 254"
            ]
        );
        let [rule] = &situation().rules()[..] else { panic!("one rule") };
        assert_eq!(rule.from, Some(([169, 254, 7, 9].into(), 32)));
        let unguarded = Situation { tier: Tier::Off, ..situation() };
        assert_eq!(unguarded.routes(RouteSettings::default()).len(), 1);
        assert_eq!(unguarded.rules(), []);
    }

    #[test]
    fn rules_stand_in_for_a_filter() {
        let exempt = [Ipv4Addr::new(169, 254, 169, 254)];
        let situation =
            Situation { tier: Tier::Sysctl, addr: None, exempt: &exempt, ..situation() };
        let words: Vec<_> = situation
            .rules()
            .iter()
            .map(|rule| (rule.priority, rule.from, rule.to, rule.iif.clone(), rule.table))
            .collect();
        let (iif, network) = (Some("eth0".to_owned()), Some((LINK_LOCAL_NET, 16)));
        let alone = Some((exempt[0], 32));
        assert_eq!(
            words,
            [
                (3925, alone, None, iif.clone(), Some(MAIN_TABLE)),
                (3925, None, alone, iif.clone(), Some(MAIN_TABLE)),
                (3926, network, None, iif.clone(), None),
                (3926, None, network, iif, None),
            ]
        );
    }

    //= test LL-2.6.2-03
    #[test]
    fn a_routable_address_alone_has_the_link_and_its_broadcast() {
        let situation = Situation { addr: None, routable: Some(ROUTABLE), ..situation() };
        assert_eq!(
            in_words(situation, RouteSettings::default()),
            [
                "Broadcast 169.254.255.255/32 192.168.1.5 0 255",
                "Unicast 169.254.0.0/16 192.168.1.5 1003 254"
            ]
        );
    }

    #[test]
    fn new_traffic_comes_from_the_routable_address() {
        let settings = RouteSettings { metric: Some(99), default_route: true };
        let situation = Situation { routable: Some(ROUTABLE), ..situation() };
        assert_eq!(
            in_words(situation, settings),
            [
                "Unicast 0.0.0.0/0 169.254.7.9 0 39270003",
                "Unicast 169.254.0.0/16 192.168.1.5 99 254"
            ]
        );
    }

    #[test]
    fn a_default_route_comes_last_of_all() {
        let settings = RouteSettings { metric: None, default_route: true };
        let words = in_words(situation(), settings);
        assert_eq!(words[1], "Unicast 0.0.0.0/0 169.254.7.9 2000000003 254");
    }

    #[test]
    fn a_route_that_we_replaced_is_not_lost() {
        let routes = situation().routes(RouteSettings::default());
        let routable = Situation { routable: Some(ROUTABLE), ..situation() };
        let new = Routes { routes: routable.routes(RouteSettings::default()), ..Routes::default() };
        assert!(!new.lost_route(&routes[1]), "its source was another one");
        assert!(new.lost_route(&new.routes[1]));
    }

    #[test]
    fn what_is_deleted_too_often_is_put_back_after_a_pause() {
        let now = Instant::from_nanos(1);
        let mut routes = Routes::default();
        while routes.may_restore(now) {
            assert_eq!(routes.retry_at(), None);
        }
        assert_eq!(routes.retry_at(), Some(now + RETRY_AFTER));
        routes.forget();
        assert_eq!(routes.retry_at(), None);
    }

    #[test]
    fn without_a_carrier_or_an_address_there_is_nothing() {
        for situation in [
            Situation { carrier: false, ..situation() },
            Situation { addr: None, routable: None, ..situation() },
        ] {
            assert_eq!(situation.routes(RouteSettings::default()), []);
            assert_eq!(situation.rules(), []);
        }
    }
}
