//! The routes and the routing rule of one interface: what should be there, and what we have put
//! there.
//!
//! Every interface that we manage has 169.254.0.0/16 on its link, whether or not it has an address
//! of that network. An address in use has a table of its own besides, so that whatever is sent
//! from it leaves by its own interface, straight to its destination.

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_core::{Instant, LinkLocalAddr};
use autoip_linux::rtnl::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKind, Rtnl, Rule};
use autoip_linux::{IfIndex, Result};
use autoip_wire::LINK_LOCAL_NET;

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
/// Straight to the destination, without a router (RT_SCOPE_LINK).
const SCOPE_LINK: u8 = 253;
/// The pause after others deleted our routes too often.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// 169.254.0.0/16 is never divided (RFC 3927 §2.8).
const LINK_LOCAL_PREFIX: u8 = 16;
const HOST_PREFIX: u8 = 32;
const BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);

/// What decides about the routes of an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) index: IfIndex,
    /// Without a carrier there are no routes.
    pub(crate) carrier: bool,
    /// Our address, once it is announced.
    pub(crate) addr: Option<LinkLocalAddr>,
    /// The operable routable address.
    pub(crate) routable: Option<Ipv4Addr>,
    /// Whether addresses get tables of their own.
    pub(crate) guarded: bool,
}

impl Situation {
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
            metric: settings.metric.unwrap_or(METRIC_BASE.saturating_add(number)),
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
                if self.guarded {
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

    /// The rule that has packets from our address leave by its own interface.
    //= LL-2.6.2-07 packets from our address never go to a router
    //= BASE-06 an address leaves by its own interface only
    //= LL-2.6.1-04 the interface of an address is settled before anything else
    //= LL-3.1-01 an address stays on its own link
    //= LL-2.7-02 packets with a link-local address are handed to no router
    fn rule(&self) -> Option<Rule> {
        let addr = self.addr.filter(|_| self.guarded && self.carrier)?;
        Some(Rule {
            priority: RULE_PRIORITY,
            from: Some((addr.ip(), HOST_PREFIX)),
            to: None,
            iif: None,
            oif: None,
            table: table(self.index),
            protocol: marks::PROTOCOL,
        })
    }
}

/// What we have put into the kernel.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    rule: Option<Rule>,
    restores: Limit,
    retry_at: Option<Instant>,
}

impl Routes {
    /// Makes the kernel's routes those that the situation calls for.
    pub(crate) fn set(
        &mut self,
        rtnl: &mut Rtnl,
        situation: &Situation,
        settings: RouteSettings,
    ) -> Result<()> {
        let routes = self.set_routes(rtnl, &situation.routes(settings));
        let rule = self.set_rule(rtnl, situation.rule());
        routes.and(rule)
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

    fn set_rule(&mut self, rtnl: &mut Rtnl, wanted: Option<Rule>) -> Result<()> {
        if wanted == self.rule {
            return Ok(());
        }
        if let Some(old) = &self.rule {
            rtnl.remove_rule(old)?;
            self.rule = None;
        }
        if let Some(new) = wanted {
            rtnl.add_rule(&new)?;
            self.rule = Some(new);
        }
        Ok(())
    }

    /// The kernel may have taken routes away without saying so: the next [`Routes::set`] makes
    /// sure of all of them.
    pub(crate) fn forget(&mut self) {
        self.routes.clear();
        self.rule = None;
        self.retry_at = None;
    }

    /// Whether somebody else deleted one of ours. One that we have replaced had another source.
    pub(crate) fn lost_route(&self, removed: &Route) -> bool {
        let lost = |route: &Route| key(route) == key(removed) && route.source == removed.source;
        self.routes.iter().any(lost)
    }

    /// Whether somebody else deleted ours.
    pub(crate) fn lost_rule(&self, removed: &Rule) -> bool {
        let key = |rule: &Rule| (rule.priority, rule.from, rule.table);
        self.rule.as_ref().is_some_and(|rule| key(rule) == key(removed))
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

/// Takes away what a daemon left here that was killed.
pub(crate) fn remove_left_over(rtnl: &mut Rtnl, index: IfIndex) -> Result<()> {
    let ours = |route: &Route| route.index == index && route.protocol == marks::PROTOCOL;
    for table in [MAIN_TABLE, LOCAL_TABLE, table(index)] {
        for route in rtnl.routes_of(table)?.iter().filter(|route| ours(route)) {
            rtnl.remove_route(route)?;
        }
    }
    for rule in rtnl.rules()? {
        if rule.protocol == marks::PROTOCOL && rule.table == table(index) {
            rtnl.remove_rule(&rule)?;
        }
    }
    Ok(())
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

    fn situation() -> Situation {
        Situation {
            index: IfIndex::new(3).unwrap(),
            carrier: true,
            addr: "169.254.7.9".parse().ok(),
            routable: None,
            guarded: true,
        }
    }

    fn in_words(situation: Situation, settings: RouteSettings) -> Vec<String> {
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
        assert_eq!(situation().rule().unwrap().from, Some(([169, 254, 7, 9].into(), 32)));
        let unguarded = Situation { guarded: false, ..situation() };
        assert_eq!(unguarded.routes(RouteSettings::default()).len(), 1);
        assert_eq!(unguarded.rule(), None);
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
            assert_eq!(situation.rule(), None);
        }
    }
}
