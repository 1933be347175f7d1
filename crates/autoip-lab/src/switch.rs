//! A virtual switch.

use crate::cable::Cable;
use crate::namespace::Namespace;

/// What every switch calls its bridge.
pub(crate) const BRIDGE: &str = "br0";

/// An Ethernet switch: a bridge in a namespace of its own. It has no address and sends nothing
/// by itself. It goes when it, its cables and its peers are dropped.
#[derive(Debug)]
pub struct Switch {
    namespace: Namespace,
}

impl Switch {
    /// A switch without cables.
    ///
    /// # Panics
    ///
    /// When the kernel refuses; not after [`crate::enter`] succeeded, short of memory.
    #[expect(clippy::new_without_default, reason = "making a switch is work, not a default")]
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let namespace = Namespace::new("switch");
        namespace.add_bridge(BRIDGE);
        Self { namespace }
    }

    /// Lays a cable to another switch: from then on both are one link, until it is pulled.
    #[track_caller]
    pub fn join(&self, other: &Self) -> Cable {
        Cable::between(self, other)
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}
