//! What the interfaces share: the ways to the kernel, and what is known of the host.

use std::collections::BTreeMap;

use autoip_core::LinkLocalAddr;
use autoip_linux::rtnl::Rtnl;
use autoip_linux::{IfIndex, Poller};

use crate::host::Host;
use crate::store::Store;

/// What an interface needs of the world to do its work.
pub(crate) struct Edge {
    pub(crate) rtnl: Rtnl,
    pub(crate) poller: Poller,
    pub(crate) host: Host,
    pub(crate) store: Store,
    /// What each interface of this process holds or tries.
    pub(crate) claims: BTreeMap<IfIndex, LinkLocalAddr>,
}

impl Edge {
    pub(crate) fn new(rtnl: Rtnl, poller: Poller, host: Host, store: Store) -> Self {
        Self { rtnl, poller, host, store, claims: BTreeMap::new() }
    }
}
