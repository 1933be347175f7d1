//! The guard: keeps the kernel from doing with link-local addresses what RFC 3927 forbids.
//!
//! The daemon decides which addresses are ours; the kernel sends and answers with them, and
//! breaks rules while it does (it answers ARP by unicast, before an address is announced, and
//! forwards what must stay on the link). The guard puts rules of our own in its way. They belong
//! to this process: the kernel removes them when it ends, however it ends.
//!
//! Must never stand in the way of what is not link-local, and never end a daemon that runs: what
//! cannot be had is said once, a lower [`Tier`] is in force, and it is tried again later.

pub(crate) mod conf;
mod filter;
mod tier;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoip_core::{Instant, MacAddr};
use autoip_linux::rtnl::Rtnl;
use autoip_linux::{Error, IfIndex, Result, boottime};
use tracing::{debug, info, warn};

use conf::Kept;
pub(crate) use filter::Ended;
use filter::Filter;
pub(crate) use tier::Tier;

use crate::Failure;
use crate::settings::GuardMode;

/// When to try again to have a packet filter.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The least pause between two attempts, however many interfaces appear.
const PAUSE: Duration = Duration::from_secs(1);
/// How many routers are kept in mind. The routing rules keep packets from all of them.
const GATEWAYS_MAX: usize = 4096;

/// The guard of all interfaces.
pub(crate) struct Guard {
    mode: GuardMode,
    /// Link-local addresses to and from which packets may be forwarded.
    exempt: Vec<Ipv4Addr>,
    filter: Option<Filter>,
    /// When to try again to open the filter.
    retry_at: Option<Instant>,
    /// Why it could not be opened, as it was said last.
    trouble: Option<String>,
    interfaces: BTreeMap<IfIndex, Guarded>,
    /// The routers that nothing link-local is handed to.
    gateways: BTreeSet<Ipv4Addr>,
    /// Whether the tier of an interface changed since somebody asked.
    changed: bool,
    /// Where settings are written down.
    state_dir: PathBuf,
}

/// One interface under guard.
struct Guarded {
    name: String,
    mac: MacAddr,
    /// The addresses that may leave it.
    admitted: BTreeSet<Ipv4Addr>,
    /// Its settings, as they were.
    kept: Kept,
    /// Whether it has chains of its own in the filter.
    is_gated: bool,
    /// Why not, as it was said last.
    trouble: Option<String>,
}

impl Guard {
    /// The guard that `mode` asks for, or what of it can be had. `exempt` are link-local
    /// addresses to and from which packets may be forwarded.
    ///
    /// # Errors
    ///
    /// A packet filter is demanded and cannot be had.
    pub(crate) fn start(
        mode: GuardMode,
        exempt: &[Ipv4Addr],
        state_dir: &Path,
    ) -> std::result::Result<Self, Failure> {
        let mut guard = Self {
            mode,
            exempt: exempt.to_owned(),
            filter: None,
            retry_at: None,
            trouble: None,
            interfaces: BTreeMap::new(),
            gateways: BTreeSet::new(),
            changed: false,
            state_dir: state_dir.to_owned(),
        };
        match guard.open() {
            Err(error) if mode == GuardMode::Nft => {
                return Err(Failure::Refused(format!(
                    "{error}: \"--guard nft\" demands a packet filter; with \"--guard auto\" the \
                     daemon does without"
                )));
            }
            Err(error) => guard.fall(&error),
            Ok(()) => {}
        }
        debug!("guard {}; not met: {:?}", guard.tier(), Vec::from_iter(guard.tier().unmet()));
        Ok(guard)
    }

    /// The tier of interfaces that have all that can be had.
    pub(crate) fn tier(&self) -> Tier {
        match self.mode {
            GuardMode::Off => Tier::Off,
            GuardMode::Auto | GuardMode::Nft if self.filter.is_some() => Tier::Filter,
            GuardMode::Auto | GuardMode::Nft | GuardMode::Sysctl => Tier::Sysctl,
        }
    }

    /// The tier that is in force on an interface.
    pub(crate) fn tier_of(&self, index: IfIndex) -> Tier {
        let without_gate = self.interfaces.get(&index).is_some_and(|guarded| !guarded.is_gated);
        if without_gate { self.tier().min(Tier::Sysctl) } else { self.tier() }
    }

    /// The addresses to and from which packets may be forwarded.
    pub(crate) fn exempt(&self) -> &[Ipv4Addr] {
        &self.exempt
    }

    /// Does what follows from a change of the tier; whether there was one, so that routes have to
    /// follow as well.
    pub(crate) fn settle(&mut self, rtnl: &mut Rtnl) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed {
            for index in Vec::from_iter(self.interfaces.keys().copied()) {
                self.adjust(rtnl, index);
            }
        }
        changed
    }

    /// When to call [`Guard::on_timer`].
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Tries again what could not be had, if it is time.
    pub(crate) fn on_timer(&mut self) {
        if self.retry_at.is_some_and(|at| at <= boottime()) {
            self.reopen();
        }
    }

    /// Begins to guard an interface: no link-local address leaves it before it is admitted.
    pub(crate) fn protect(&mut self, rtnl: &mut Rtnl, index: IfIndex, name: &str, mac: MacAddr) {
        // What brought the interface may have brought what was missing.
        if self.retry_at.is_some_and(|at| at.since(boottime()) <= RETRY_AFTER - PAUSE) {
            self.reopen();
        }
        let guarded = Guarded {
            name: name.to_owned(),
            mac,
            admitted: BTreeSet::new(),
            kept: Kept::new(index, mac, &self.state_dir),
            is_gated: false,
            trouble: None,
        };
        self.interfaces.insert(index, guarded);
        self.gate(index);
        self.adjust(rtnl, index);
    }

    /// Lets exactly these link-local addresses out of the interface from now on.
    //= ACD-2.5-01 the gate opens with the first announcement and closes when the address goes
    pub(crate) fn admit(&mut self, index: IfIndex, addrs: BTreeSet<Ipv4Addr>) {
        let Some(guarded) = self.interfaces.get_mut(&index) else { return };
        if !guarded.is_gated {
            guarded.admitted = addrs;
            if self.filter.is_some() {
                self.gate(index);
                self.changed |= self.tier_of(index) == Tier::Filter;
            }
            return;
        }
        let more: Vec<_> = addrs.difference(&guarded.admitted).copied().collect();
        let fewer: Vec<_> = guarded.admitted.difference(&addrs).copied().collect();
        guarded.admitted = addrs;
        if let Some(filter) = &mut self.filter
            && let Err(error) = filter.admit(index, &more, &fewer)
        {
            self.fall(&error);
        }
    }

    /// Hands nothing link-local to these routers. One that no route leads to any longer can stay:
    /// nobody is kept from talking with it.
    pub(crate) fn add_gateways(&mut self, gateways: impl IntoIterator<Item = Ipv4Addr>) {
        let room = GATEWAYS_MAX.saturating_sub(self.gateways.len());
        let new = gateways.into_iter().filter(|gateway| !self.gateways.contains(gateway));
        let new: BTreeSet<_> = new.take(room).collect();
        if let Some(filter) = self.filter.as_mut().filter(|_| !new.is_empty())
            && let Err(error) = filter.add_gateways(&Vec::from_iter(new.iter().copied()))
        {
            self.fall(&error);
        }
        self.gateways.extend(new);
    }

    /// Stops guarding an interface.
    pub(crate) fn release(&mut self, rtnl: &mut Rtnl, index: IfIndex) {
        let Some(guarded) = self.interfaces.remove(&index) else { return };
        if let Some(filter) = &mut self.filter
            && let Err(error) = filter.release(index, guarded.mac)
        {
            self.fall(&error);
        }
        if let Err(error) = guarded.kept.put_back(rtnl)
            && !error.is_gone()
        {
            warn!(interface = guarded.name, "{error}");
        }
    }

    /// Stops guarding all interfaces. What is returned is to be dropped when nobody waits.
    pub(crate) fn end(&mut self, rtnl: &mut Rtnl) -> Option<Ended> {
        let (ended, outcome) = self.filter.take().map(Filter::end).unzip();
        if let Some(Err(error)) = outcome {
            debug!("{error}");
        }
        while let Some(index) = self.interfaces.keys().next().copied() {
            self.release(rtnl, index);
        }
        ended
    }

    /// Opens the filter, if one is wanted.
    fn open(&mut self) -> Result<()> {
        self.retry_at = None;
        if matches!(self.mode, GuardMode::Auto | GuardMode::Nft) {
            let mut filter = Filter::open(&self.exempt)?;
            filter.add_gateways(&Vec::from_iter(self.gateways.iter().copied()))?;
            self.filter = Some(filter);
        }
        Ok(())
    }

    /// Tries again to open the filter.
    fn reopen(&mut self) {
        match self.open() {
            Err(error) => self.fall(&error),
            Ok(()) => {
                info!("the packet filter is in force again");
                self.trouble = None;
                self.changed = true;
                for index in Vec::from_iter(self.interfaces.keys().copied()) {
                    self.gate(index);
                }
            }
        }
    }

    /// Gives an interface its part of the filter. Where that fails it goes without; the others
    /// keep theirs.
    fn gate(&mut self, index: IfIndex) {
        let (Some(filter), Some(guarded)) = (&mut self.filter, self.interfaces.get_mut(&index))
        else {
            return;
        };
        let admitted = Vec::from_iter(guarded.admitted.iter().copied());
        match filter.protect(index, &guarded.name, guarded.mac, &admitted) {
            Err(error) => self.fall(&error),
            Ok(None) => {
                if guarded.trouble.take().is_some() {
                    info!(interface = guarded.name, "the packet filter is in force again");
                }
                guarded.is_gated = true;
            }
            Ok(Some(error)) => {
                let text = error.to_string();
                if guarded.trouble.as_ref() != Some(&text) {
                    let name = &guarded.name;
                    warn!(interface = name, "{text}; going on without a gate of its own");
                    guarded.trouble = Some(text);
                }
            }
        }
    }

    /// Makes the settings of an interface those of its tier.
    fn adjust(&mut self, rtnl: &mut Rtnl, index: IfIndex) {
        let tier = self.tier_of(index);
        if let Some(guarded) = self.interfaces.get_mut(&index)
            && let Err(error) = guarded.kept.adjust(rtnl, tier)
            && !error.is_gone()
        {
            warn!(interface = guarded.name, "{error}");
        }
    }

    /// Goes on without the packet filter for now. Half a filter could keep addresses from leaving
    /// that are ours, so all of it goes.
    fn fall(&mut self, error: &Error) {
        self.filter = None;
        self.retry_at = Some(boottime() + RETRY_AFTER);
        self.changed = true;
        for guarded in self.interfaces.values_mut() {
            guarded.is_gated = false;
        }
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            warn!("{text}");
            info!(
                "going on without a packet filter: ARP replies stay unicast, and packets with \
                 link-local addresses may be forwarded; not met: {}",
                Vec::from_iter(self.tier().unmet()).join(", ")
            );
            self.trouble = Some(text);
        }
    }
}
