//! The two capabilities that the daemon needs.

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
    fn names_what_is_missing() {
        assert_eq!(missing_in(0x3000), Vec::<&str>::new());
        assert_eq!(missing_in(0x1000), ["CAP_NET_RAW"]);
        assert_eq!(missing_in(0), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        assert_eq!(missing_in(u64::MAX), Vec::<&str>::new());
    }
}
