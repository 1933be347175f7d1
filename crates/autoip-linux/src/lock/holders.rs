//! Which interfaces have a daemon, as everybody may know.

use std::collections::BTreeSet;
use std::fs;

use super::{InterfaceLock, NAME_PREFIX};
use crate::{Error, IfIndex, Result};

/// Every Unix socket of the network namespace of this thread, a line each.
const SOCKETS: &str = "/proc/thread-self/net/unix";

impl InterfaceLock {
    /// The interfaces of this network namespace whose lock is held, by whomever: any program can
    /// take the name, so this is a hint and no proof.
    pub fn held() -> Result<BTreeSet<IfIndex>> {
        match fs::read(SOCKETS) {
            Ok(text) => Ok(held_in(&String::from_utf8_lossy(&text))),
            Err(error) => Err(Error::new(format!("read {SOCKETS}"), error)),
        }
    }
}

fn held_in(sockets: &str) -> BTreeSet<IfIndex> {
    let names = sockets.lines().filter_map(|line| line.split_whitespace().nth(7));
    names
        .filter_map(|name| name.strip_prefix('@')?.strip_prefix(NAME_PREFIX)?.parse().ok())
        .filter_map(IfIndex::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_a_socket_with_the_number_in_its_name() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2741 @autoip/3\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2742 @autoip/x\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2743 /autoip/5\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2744\n\
                    0000000000000000: 00000003 00000000 00000000 0001 03 2745 @autoip/3\n";
        assert_eq!(held_in(text), BTreeSet::from([IfIndex::new(3).unwrap()]));
        assert_eq!(held_in(""), BTreeSet::new());
    }
}
