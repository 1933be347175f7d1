//! What the interfaces share: the ways to the kernel, and what is known of the host.

use std::collections::BTreeMap;

use autoip_core::LinkLocalAddr;
use autoip_linux::rtnl::Rtnl;
use autoip_linux::sock_diag::SockDiag;
use autoip_linux::{IfIndex, Poller};
use tracing::warn;

use crate::guard::Guard;
use crate::host::Host;
use crate::notice::Notices;
use crate::routes::Present;
use crate::siblings::Siblings;
use crate::store::Store;

/// What an interface needs of the world to do its work.
pub(crate) struct Edge {
    pub(crate) rtnl: Rtnl,
    pub(crate) poller: Poller,
    pub(crate) host: Host,
    pub(crate) store: Store,
    pub(crate) guard: Guard,
    pub(crate) siblings: Siblings,
    /// The list of sockets; none in a kernel that has no such list.
    pub(crate) sockets: Option<SockDiag>,
    /// What a daemon left in the kernel that was killed, as long as this one starts; afterwards
    /// it has to be looked for.
    pub(crate) left_over: Option<Present>,
    /// What each interface of this process holds or tries.
    pub(crate) claims: BTreeMap<IfIndex, LinkLocalAddr>,
    /// What happened and has not been handed out yet.
    pub(crate) notices: Notices,
    /// Whether a script puts addresses on interfaces and takes them off.
    pub(crate) by_script: bool,
}

impl Edge {
    pub(crate) fn new(rtnl: Rtnl, poller: Poller, host: Host, store: Store, guard: Guard) -> Self {
        let sockets = SockDiag::open().inspect_err(|error| warn!("{error}")).ok();
        let (claims, notices) = (BTreeMap::new(), Notices::default());
        let (left_over, by_script) = (None, false);
        let siblings = Siblings::default();
        Self {
            rtnl,
            poller,
            host,
            store,
            guard,
            siblings,
            sockets,
            left_over,
            claims,
            notices,
            by_script,
        }
    }
}
