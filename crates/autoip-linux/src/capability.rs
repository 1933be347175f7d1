//! The two capabilities that the daemon needs, and who else has them.

use std::fs;

/// CAP_NET_ADMIN changes addresses and routes; CAP_NET_RAW opens packet sockets.
const NEEDED: [(u32, &str); 2] = [(12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW")];

/// Which of the needed capabilities this thread lacks.
///
/// Empty as well where `/proc` is not to be had: the first refused call tells it then.
#[must_use]
pub fn missing() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    match set(&status, "CapEff:") {
        Some(effective) => missing_in(effective),
        None => Vec::new(),
    }
}

fn missing_in(effective: u64) -> Vec<&'static str> {
    NEEDED.into_iter().filter(|(bit, _)| effective >> bit & 1 == 0).map(|(_, name)| name).collect()
}

/// Whether another process may change addresses and routes here: it has CAP_NET_ADMIN, and that in
/// our own user namespace, since anybody has it in one of their making. Where that cannot be seen,
/// it may not.
pub(crate) fn may_configure_networks(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let capable = set(&status, "CapEff:").is_some_and(|set| set >> NEEDED[0].0 & 1 == 1);
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
    let (theirs, ours) = (namespace(&pid.to_string()), namespace("self"));
    capable && theirs.is_some() && theirs == ours
}

/// The capabilities that this thread may have in effect.
pub(crate) fn permitted() -> Option<u64> {
    set(&fs::read_to_string("/proc/thread-self/status").ok()?, "CapPrm:")
}

/// A set in the text of a `status` file.
fn set(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tautoipd\nCapPrm:\t0000000000003000\nCapEff:\t0000000000001000\n";

    #[test]
    fn reads_one_set() {
        assert_eq!(set(STATUS, "CapEff:"), Some(0x1000));
        assert_eq!(set(STATUS, "CapPrm:"), Some(0x3000));
        assert_eq!(set("Name:\tautoipd\n", "CapEff:"), None);
        assert_eq!(set("CapEff:\tnonsense\n", "CapEff:"), None);
        assert!(permitted().is_some());
    }

    #[test]
    fn nobody_may_do_more_than_is_said_of_them() {
        let own = i32::try_from(std::process::id()).unwrap();
        let capable = missing().iter().all(|&name| name != "CAP_NET_ADMIN");
        assert_eq!(may_configure_networks(own), capable);
        assert!(!may_configure_networks(0) && !may_configure_networks(i32::MAX));
    }

    #[test]
    fn names_what_is_missing() {
        assert_eq!(missing_in(0x3000), Vec::<&str>::new());
        assert_eq!(missing_in(0x1000), ["CAP_NET_RAW"]);
        assert_eq!(missing_in(0), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        assert_eq!(missing_in(u64::MAX), Vec::<&str>::new());
    }
}
