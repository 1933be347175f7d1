//! The guard: keeps the kernel from doing with link-local addresses what RFC 3927 forbids.
//!
//! The daemon decides which addresses are ours; the kernel sends and answers with them, and
//! breaks rules while it does (it answers ARP by unicast, before an address is announced, and
//! forwards what must stay on the link). The guard puts rules of our own in its way. They belong
//! to this process: the kernel removes them when it ends, however it ends.
//!
//! Must never stand in the way of what is not link-local, and never end the daemon: what cannot
//! be had is said once, and a lower [`Tier`] is in force.

mod conf;
mod filter;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use autoip_core::MacAddr;
use autoip_linux::rtnl::Rtnl;
use autoip_linux::{IfIndex, Result};
use tracing::{debug, info, warn};

use conf::Kept;
use filter::Filter;

use crate::settings::GuardMode;

/// How much of the guard is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Nothing.
    Off,
    /// What needs no packet filter.
    Sysctl,
    /// Everything.
    Filter,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Sysctl => "sysctl",
            Self::Filter => "nft",
        })
    }
}

/// The guard of all interfaces.
pub(crate) struct Guard {
    tier: Tier,
    filter: Option<Filter>,
    /// The addresses that may leave each guarded interface.
    admitted: BTreeMap<IfIndex, BTreeSet<Ipv4Addr>>,
    /// The settings of each guarded interface, as they were.
    kept: BTreeMap<IfIndex, Kept>,
    /// Where they are written down.
    state_dir: PathBuf,
}

impl Guard {
    /// The guard that `mode` asks for, or what of it can be had. `exempt` are link-local
    /// addresses to and from which packets may be forwarded.
    pub(crate) fn start(mode: GuardMode, exempt: &[Ipv4Addr], state_dir: &Path) -> Self {
        let mut guard = Self {
            tier: Tier::Off,
            filter: None,
            admitted: BTreeMap::new(),
            kept: BTreeMap::new(),
            state_dir: state_dir.to_owned(),
        };
        match mode {
            GuardMode::Off => {}
            GuardMode::Sysctl => guard.tier = Tier::Sysctl,
            GuardMode::Auto | GuardMode::Nft => match Filter::open(exempt) {
                Ok(filter) => {
                    guard.tier = Tier::Filter;
                    guard.filter = Some(filter);
                }
                Err(error) => guard.fall_back(&error),
            },
        }
        debug!("guard: {}", guard.tier);
        guard
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// Begins to guard an interface: no link-local address leaves it before it is admitted.
    pub(crate) fn protect(&mut self, rtnl: &mut Rtnl, index: IfIndex, name: &str, mac: MacAddr) {
        self.change(|filter| filter.protect(index, name, mac));
        self.admitted.insert(index, BTreeSet::new());
        match Kept::change(rtnl, index, mac, &self.state_dir, self.tier > Tier::Off) {
            Ok(kept) => {
                self.kept.insert(index, kept);
            }
            Err(error) => warn!(interface = name, "{error}"),
        }
    }

    /// Lets exactly these link-local addresses out of the interface from now on.
    //= ACD-2.5-01 the gate opens with the first announcement and closes when the address goes
    pub(crate) fn admit(&mut self, index: IfIndex, addrs: BTreeSet<Ipv4Addr>) {
        let Some(known) = self.admitted.get(&index) else { return };
        let more: Vec<_> = addrs.difference(known).copied().collect();
        let fewer: Vec<_> = known.difference(&addrs).copied().collect();
        self.change(|filter| filter.admit(index, &more, &fewer));
        self.admitted.insert(index, addrs);
    }

    /// Stops guarding an interface.
    pub(crate) fn release(&mut self, rtnl: &mut Rtnl, index: IfIndex) {
        if self.admitted.remove(&index).is_some()
            && let Some(filter) = &mut self.filter
            && let Err(error) = filter.release(index)
        {
            // Older kernels take the chains away themselves together with their interface.
            debug!("{error}");
        }
        if let Some(kept) = self.kept.remove(&index)
            && let Err(error) = kept.put_back(rtnl)
            && !error.is_gone()
        {
            warn!("{error}");
        }
    }

    /// Stops guarding all interfaces.
    pub(crate) fn end(&mut self, rtnl: &mut Rtnl) {
        if let Some(filter) = self.filter.take()
            && let Err(error) = filter.end()
        {
            debug!("{error}");
        }
        while let Some(index) = self.kept.keys().next().copied() {
            self.release(rtnl, index);
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Filter) -> Result<()>) {
        if let Some(filter) = &mut self.filter
            && let Err(error) = change(filter)
        {
            self.fall_back(&error);
        }
    }

    /// Goes on without the packet filter. Half a filter could keep addresses from leaving that
    /// are ours, so all of it goes.
    fn fall_back(&mut self, error: &autoip_linux::Error) {
        self.filter = None;
        self.tier = Tier::Sysctl;
        warn!("{error}");
        info!(
            "going on without a packet filter: ARP replies stay unicast, and packets with \
             link-local addresses are not kept from being forwarded"
        );
    }
}
