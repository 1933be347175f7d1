//! The numbers by which autoipd marks what it puts into the kernel, in one list.
//!
//! A kernel test compares them with what a running daemon uses.

use autoip_linux::IfIndex;

/// The protocol of its addresses, routes and rules (IFA_PROTO, RTPROT_*).
pub(crate) const PROTOCOL: u8 = 169;
/// The priority of its routing rules.
pub(crate) const RULE_PRIORITY: u32 = 3927;
/// The routing table of an interface is this and the interface's number.
const TABLE_BASE: u32 = 39_270_000;
/// The metric of an on-link route is this and the interface's number.
const METRIC_BASE: u32 = 1000;
/// The name of its nf_tables tables; a second daemon adds `_` and its process number.
const TABLE: &str = "autoip";

/// The routing table of an interface.
pub(crate) fn table(index: IfIndex) -> u32 {
    TABLE_BASE.saturating_add(index.get())
}

/// The metric of an interface's on-link route.
pub(crate) fn metric(index: IfIndex) -> u32 {
    METRIC_BASE.saturating_add(index.get())
}

/// Whether a table of the family netdev is one of autoipd's.
pub(crate) fn is_filter_table(name: &str) -> bool {
    name.strip_prefix(TABLE).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('_').is_some_and(|pid| pid.parse::<u32>().is_ok())
    })
}

/// The chain that everything passes that leaves an interface.
pub(crate) fn gate(index: IfIndex) -> String {
    format!("egress_{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_several_daemons_are_known() {
        assert!(is_filter_table("autoip") && is_filter_table("autoip_812"));
        for other in ["autoip_", "autoip_x", "autoipd", "filter", ""] {
            assert!(!is_filter_table(other), "{other}");
        }
    }
}
