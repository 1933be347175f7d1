//! What the kernel says about this host: its links and IPv4 addresses, kept up to date.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use autoip_linux::rtnl::{Address, Event, Link, Rtnl};
use autoip_linux::{IfIndex, Result};
use autoip_wire::{ArpPacket, MacAddr, is_link_local};

/// A prefix that leaves nobody else on the link to talk to.
const HOST_PREFIX: u8 = 32;
/// The scope of addresses that are valid everywhere (RT_SCOPE_UNIVERSE).
const SCOPE_GLOBAL: u8 = 0;

/// The links and addresses of the network namespace.
#[derive(Debug, Default)]
pub(crate) struct Host {
    links: BTreeMap<IfIndex, Link>,
    names: BTreeMap<String, IfIndex>,
    addresses: BTreeMap<IfIndex, Vec<Address>>,
    /// What is known of each link's driver, once somebody wants to know: the question wakes a
    /// device that sleeps.
    drivers: BTreeMap<IfIndex, OnceCell<Option<String>>>,
}

impl Host {
    /// Reads everything anew.
    pub(crate) fn load(rtnl: &mut Rtnl) -> Result<Self> {
        let mut host = Self::default();
        for link in rtnl.links()? {
            host.set_link(link);
        }
        for address in rtnl.addresses()? {
            host.add(address);
        }
        Ok(host)
    }

    /// Takes in one change. Routes and rules are nobody's business here.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::LinkChanged(link) => self.set_link(link.clone()),
            Event::LinkRemoved(index) => {
                self.forget_name(*index);
                self.links.remove(index);
                self.addresses.remove(index);
                self.drivers.remove(index);
            }
            Event::AddressAdded(address) => self.add(address.clone()),
            Event::AddressRemoved(address) => self.remove(address),
            Event::RouteAdded(_)
            | Event::RouteRemoved(_)
            | Event::RuleAdded(_)
            | Event::RuleRemoved(_)
            | Event::Overrun => {}
        }
    }

    fn set_link(&mut self, link: Link) {
        self.forget_name(link.index);
        self.names.insert(link.name.clone(), link.index);
        // It is asked for by name, which another device may have had by the time it was asked.
        let is_renamed = self.links.get(&link.index).is_none_or(|known| known.name != link.name);
        if is_renamed {
            self.drivers.insert(link.index, OnceCell::new());
        }
        self.links.insert(link.index, link);
    }

    /// The name of the driver of the link `index`, if it has one.
    pub(crate) fn driver(&self, index: IfIndex) -> Option<&str> {
        let ask = || autoip_linux::driver(&self.links.get(&index)?.name);
        self.drivers.get(&index)?.get_or_init(ask).as_deref()
    }

    /// Spares the question in a test.
    #[cfg(test)]
    pub(crate) fn set_driver(&mut self, index: IfIndex, driver: Option<&str>) {
        self.drivers.insert(index, OnceCell::from(driver.map(str::to_owned)));
    }

    #[cfg(test)]
    pub(crate) fn has_asked_for_driver(&self, index: IfIndex) -> bool {
        self.drivers.get(&index).is_some_and(|driver| driver.get().is_some())
    }

    /// A name may have gone over to another link meanwhile.
    fn forget_name(&mut self, index: IfIndex) {
        let Some(link) = self.links.get(&index) else { return };
        if self.names.get(&link.name) == Some(&index) {
            self.names.remove(&link.name);
        }
    }

    pub(crate) fn add(&mut self, address: Address) {
        self.remove(&address);
        self.addresses.entry(address.index).or_default().push(address);
    }

    /// The kernel can have one address with several prefixes.
    pub(crate) fn remove(&mut self, removed: &Address) {
        let key = |a: &Address| (a.ip, a.prefix_len);
        if let Some(addresses) = self.addresses.get_mut(&removed.index) {
            addresses.retain(|address| key(address) != key(removed));
        }
    }

    /// The numbers of all links.
    pub(crate) fn indexes(&self) -> Vec<IfIndex> {
        self.links.keys().copied().collect()
    }

    pub(crate) fn link(&self, index: IfIndex) -> Option<&Link> {
        self.links.get(&index)
    }

    pub(crate) fn link_named(&self, name: &str) -> Option<&Link> {
        self.links.get(self.names.get(name)?)
    }

    /// The addresses of one interface.
    fn on(&self, index: IfIndex) -> &[Address] {
        self.addresses.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Whether `ip` is on the interface `index`, with this prefix if one is given.
    pub(crate) fn has(&self, index: IfIndex, ip: Ipv4Addr, prefix_len: Option<u8>) -> bool {
        let same = |a: &Address| a.ip == ip && prefix_len.is_none_or(|len| a.prefix_len == len);
        self.on(index).iter().any(same)
    }

    /// Another interface of this host that has `ip`.
    pub(crate) fn elsewhere(&self, index: IfIndex, ip: Ipv4Addr) -> Option<&Link> {
        let has_it = |(other, on): &(&IfIndex, &Vec<Address>)| {
            **other != index && on.iter().any(|a| a.ip == ip)
        };
        let (other, _) = self.addresses.iter().find(has_it)?;
        self.links.get(other)
    }

    /// Whether a frame that the interface `index` received, which has `ip`, speaks for `ip` and
    /// comes from another interface of this host that does not have it: the kernel answers there
    /// for all addresses of the host, unless somebody tells it not to.
    //= LL-3.4-03 the host's other interface is no stranger
    //= ACD-2.4-01 nor is what it sends another host's claim
    pub(crate) fn answers(&self, index: IfIndex, ip: Ipv4Addr, frame: &[u8]) -> bool {
        ArpPacket::parse(frame).is_ok_and(|(_, packet)| {
            packet.sender_ip == ip
                && self.owns_mac_elsewhere(index, packet.sender_mac)
                && self.elsewhere(index, ip).is_none()
        })
    }

    /// Whether another interface of this host, and not this one, has the MAC address.
    fn owns_mac_elsewhere(&self, index: IfIndex, mac: MacAddr) -> bool {
        let has_it = |link: &Link| link.mac == Some(mac);
        let here = self.links.get(&index).is_some_and(has_it);
        !here && self.links.values().any(has_it)
    }

    /// The scope of the other addresses in the network of `address` on its interface.
    pub(crate) fn neighbouring_scope(&self, address: &Address) -> Option<u8> {
        let neighbour = |a: &&Address| {
            a.prefix_len == address.prefix_len && a.ip != address.ip && is_link_local(a.ip)
        };
        self.on(address.index).iter().find(neighbour).map(|neighbour| neighbour.scope)
    }

    /// The link-local addresses on the interface `index` that bear the mark of `protocol`, and
    /// `unmarked` if it is there with its prefix.
    pub(crate) fn ours(
        &self,
        index: IfIndex,
        protocol: u8,
        unmarked: Option<(Ipv4Addr, u8)>,
    ) -> Vec<Address> {
        let is_ours = |a: &Address| {
            a.protocol == protocol || unmarked.is_some_and(|it| it == (a.ip, a.prefix_len))
        };
        let ours = |a: &&Address| is_link_local(a.ip) && is_ours(a);
        self.on(index).iter().filter(ours).cloned().collect()
    }

    /// The link-local addresses on the interface `index` that somebody else put there.
    pub(crate) fn foreign(&self, index: IfIndex, protocol: u8) -> impl Iterator<Item = Ipv4Addr> {
        let foreign = move |a: &&Address| a.protocol != protocol && is_link_local(a.ip);
        self.on(index).iter().filter(foreign).map(|address| address.ip)
    }

    /// The operable routable address of the interface `index`, if it has one: global, not
    /// link-local, in a network with room for others, and neither deprecated nor expired.
    //= LL-1.9-11 what counts as an operable routable address
    pub(crate) fn routable(&self, index: IfIndex) -> Option<Ipv4Addr> {
        let operable = |a: &&Address| {
            a.scope == SCOPE_GLOBAL
                && a.prefix_len < HOST_PREFIX
                && !a.deprecated
                && a.valid.is_none_or(|left| !left.is_zero())
                && !is_link_local(a.ip)
                && !a.ip.is_loopback()
        };
        self.on(index).iter().find(operable).map(|address| address.ip)
    }
}

/// An Ethernet device as tests like it.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    pub(crate) fn link(index: u32, name: &str) -> Link {
        Link {
            index: IfIndex::new(index).unwrap(),
            name: name.to_owned(),
            mac: Some(MAC),
            hardware: 1,
            up: true,
            lower_up: true,
            running: true,
            no_arp: false,
            loopback: false,
            point_to_point: false,
            operstate: 6,
            carrier_changes: 0,
            master: None,
            kind: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::link;
    use super::*;
    use std::time::Duration;

    fn index(n: u32) -> IfIndex {
        IfIndex::new(n).unwrap()
    }

    fn address(on: u32, ip: [u8; 4]) -> Address {
        Address {
            index: index(on),
            ip: ip.into(),
            prefix_len: 24,
            broadcast: None,
            label: None,
            scope: SCOPE_GLOBAL,
            no_prefix_route: false,
            deprecated: false,
            protocol: 0,
            valid: None,
        }
    }

    fn host(addresses: impl IntoIterator<Item = Address>) -> Host {
        let mut host = Host::default();
        for address in addresses {
            host.apply(&Event::AddressAdded(address));
        }
        host
    }

    //= test LL-1.9-11
    #[test]
    fn only_an_operable_routable_address_on_this_interface_counts() {
        let good = address(2, [192, 168, 1, 5]);
        assert_eq!(host([good.clone()]).routable(index(2)), Some(good.ip));
        let not_counted = [
            address(3, [192, 168, 1, 5]),
            address(2, [169, 254, 9, 9]),
            address(2, [127, 0, 0, 2]),
            Address { scope: 253, ..good.clone() },
            Address { prefix_len: 32, ..good.clone() },
            Address { deprecated: true, ..good.clone() },
            Address { valid: Some(Duration::ZERO), ..good.clone() },
        ];
        for address in not_counted {
            assert_eq!(host([address.clone()]).routable(index(2)), None, "{address:?}");
        }
        let leased = Address { valid: Some(Duration::from_secs(60)), ..good };
        assert!(host([leased]).routable(index(2)).is_some());
    }

    #[test]
    fn an_address_that_changes_is_still_one_address() {
        let lease = address(2, [10, 0, 0, 1]);
        let mut host = host([lease.clone(), Address { deprecated: true, ..lease.clone() }]);
        assert_eq!(host.routable(index(2)), None);
        host.apply(&Event::AddressRemoved(lease));
        assert!(host.on(index(2)).is_empty());
    }

    #[test]
    fn one_address_with_two_prefixes_is_two_addresses() {
        let wide = address(2, [10, 0, 0, 1]);
        let narrow = Address { prefix_len: 32, ..wide.clone() };
        let mut host = host([wide.clone(), narrow.clone()]);
        assert_eq!(host.routable(index(2)), Some(wide.ip));
        host.apply(&Event::AddressRemoved(narrow));
        assert_eq!(host.routable(index(2)), Some(wide.ip));
        assert!(host.has(index(2), wide.ip, Some(24)) && !host.has(index(2), wide.ip, Some(32)));
    }

    #[test]
    fn addresses_go_with_their_interface() {
        let mut host = host([address(2, [10, 0, 0, 1]), address(3, [10, 0, 1, 1])]);
        host.apply(&Event::LinkRemoved(index(2)));
        assert_eq!((host.routable(index(2)), host.routable(index(3)).is_some()), (None, true));
    }

    #[test]
    fn a_device_keeps_its_driver_as_long_as_its_name() {
        let mut host = Host::default();
        host.apply(&Event::LinkChanged(link(2, "no such name")));
        host.set_driver(index(2), Some("veth"));
        host.apply(&Event::LinkChanged(Link { up: false, ..link(2, "no such name") }));
        assert_eq!(host.driver(index(2)), Some("veth"));
        host.apply(&Event::LinkChanged(link(2, "another one")));
        assert_eq!(host.driver(index(2)), None, "there is no such device");
        host.apply(&Event::LinkRemoved(index(2)));
        assert!(host.drivers.is_empty());
    }

    #[test]
    fn marked_addresses_are_ours_and_nobody_elses() {
        let ours = Address { protocol: 7, ..address(2, [169, 254, 9, 9]) };
        let host = host([
            ours.clone(),
            address(2, [169, 254, 8, 8]),
            Address { protocol: 7, ..address(3, [169, 254, 7, 7]) },
            Address { protocol: 7, ..address(2, [10, 0, 0, 1]) },
        ]);
        assert_eq!(host.ours(index(2), 7, None), std::slice::from_ref(&ours));
        let unmarked = address(2, [169, 254, 8, 8]);
        let narrower = host.ours(index(2), 7, Some((unmarked.ip, 16)));
        assert_eq!(narrower, std::slice::from_ref(&ours), "somebody else's");
        assert_eq!(host.ours(index(2), 7, Some((unmarked.ip, 24))), [ours, unmarked]);
    }
}
