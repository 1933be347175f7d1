//! Who may do what over the control socket: everybody reads, root and the group `netdev` change.

use std::fs;

use autoip_linux::Peer;

/// The group whose members may change things.
const GROUP: &str = "netdev";
/// Where groups are listed. Nothing else is asked: a directory service could take its time.
const GROUP_FILE: &str = "/etc/group";
const ROOT: u32 = 0;

/// Who may change things.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permission {
    /// The number of the group, on hosts that have it.
    group: Option<u32>,
}

impl Permission {
    /// Looks up the group on this host.
    pub(super) fn load() -> Self {
        let text = fs::read_to_string(GROUP_FILE).unwrap_or_default();
        Self { group: number_of(GROUP, &text) }
    }

    pub(super) fn may_change(&self, peer: &Peer) -> bool {
        peer.uid == ROOT || self.group.is_some_and(|group| peer.is_in(group))
    }
}

/// The number of a group in the text of a group(5) file.
fn number_of(group: &str, text: &str) -> Option<u32> {
    let mut fields = text.lines().map(|line| line.split(':'));
    let mut found =
        fields.find_map(|mut fields| (fields.next() == Some(group)).then_some(fields))?;
    found.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "root:x:0:\nnetdevs:x:7:\nnetdev:x:106:ann,bob\nbad:x:no:\nshort\n";

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        assert_eq!(number_of("netdev", FILE), Some(106));
        for unknown in ["net", "bad", "short", "x", ""] {
            assert_eq!(number_of(unknown, FILE), None, "{unknown}");
        }
    }

    #[test]
    fn root_and_the_group_may_change_things() {
        let peer = |uid, gid, groups: &[u32]| Peer { uid, gid, groups: groups.to_vec() };
        let permission = Permission { group: Some(106) };
        assert!(permission.may_change(&peer(0, 0, &[])));
        assert!(permission.may_change(&peer(1000, 106, &[])));
        assert!(permission.may_change(&peer(1000, 1000, &[4, 106])));
        assert!(!permission.may_change(&peer(1000, 1000, &[4])));
        assert!(!permission.may_change(&peer(106, 0, &[0])), "the group of root is not root");
        assert!(!Permission { group: None }.may_change(&peer(1000, 106, &[106])));
    }
}
