//! Addresses that are not to be tried: a short memory without order or allocation.

use autoip_wire::LinkLocalAddr;

/// How many addresses are remembered; a new one takes the place of the oldest.
const LEN: u8 = 6;

/// The addresses found in use on this link or held by siblings, the newest ones only, so that the
/// sequence does not come back to them soon. A driver that knows more of them refuses each
/// candidate as it comes up. Nothing is kept beyond the life of the link.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AvoidSet {
    addrs: [Option<LinkLocalAddr>; LEN as usize],
    next: u8,
}

impl AvoidSet {
    pub(crate) fn insert(&mut self, addr: LinkLocalAddr) {
        if !self.contains(addr) {
            self.addrs[usize::from(self.next)] = Some(addr);
            self.next = (self.next + 1) % LEN;
        }
    }

    pub(crate) fn contains(&self, addr: LinkLocalAddr) -> bool {
        self.addrs.contains(&Some(addr))
    }

    pub(crate) fn remove(&mut self, addr: LinkLocalAddr) {
        for slot in &mut self.addrs {
            slot.take_if(|known| *known == addr);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(index: u16) -> LinkLocalAddr {
        LinkLocalAddr::from_index(index).unwrap()
    }

    #[test]
    fn remembers_the_newest_and_only_once_each() {
        let mut set = AvoidSet::default();
        for index in 0..20 {
            set.insert(addr(index));
            set.insert(addr(index));
        }
        for index in 0..20 {
            assert_eq!(set.contains(addr(index)), index >= 20 - u16::from(LEN), "{index}");
        }
        set.clear();
        assert!(!set.contains(addr(19)));
    }
}
