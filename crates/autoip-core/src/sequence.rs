//! The order in which a host tries addresses: a keyed hash of its MAC address.
//!
//! # The sequence, exactly
//!
//! Another program can reproduce it, for example to print a label for a device without a screen:
//!
//! 1. The seed of an interface is `s = SipHash-2-4(key, MAC)`, a 64-bit number. The key is 16
//!    bytes; unless an owner has set another one it is [`DEFAULT_KEY`]. The message is the six
//!    bytes of the MAC address in transmission order.
//! 2. Candidate number *k* (from 0; 32 bits, then from 0 again) comes from
//!    `h = SipHash-2-4(s ‖ k, nothing)`: the 16 bytes of the key are `s` and *k*, eight bytes
//!    each, least significant byte first, and the message is empty.
//! 3. Let *n* be the number of addresses to choose from: 65 024, or fewer where a range was set.
//!    A hash of 2⁶⁴ − (2⁶⁴ mod *n*) or more yields no candidate and is passed over; this makes
//!    the choice exactly uniform.
//! 4. Otherwise the candidate is the address at place `h mod n`, where place 0 is 169.254.1.0
//!    (or the first address of the range) and each next place is the next higher address.
//!
//! With the default key the MAC address 02:00:00:00:00:01 yields 169.254.172.150,
//! 169.254.99.28, 169.254.237.72, and so on (RFC 3927 §2.1).

use core::fmt;

use autoip_wire::{LinkLocalAddr, MacAddr};
use siphasher::sip::SipHasher24;

/// The key that everybody uses who has set none: the 16 bytes of `autoip RFC 3927!`.
pub const DEFAULT_KEY: [u8; 16] = *b"autoip RFC 3927!";

/// A run of claimable addresses, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrRange {
    first: LinkLocalAddr,
    last: LinkLocalAddr,
}

impl AddrRange {
    /// All 65 024 claimable addresses.
    pub const ALL: Self = Self { first: LinkLocalAddr::FIRST, last: LinkLocalAddr::LAST };

    /// The addresses from `first` to `last`, or `None` where `last` is below `first`.
    #[must_use]
    pub fn new(first: LinkLocalAddr, last: LinkLocalAddr) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The lowest address.
    #[must_use]
    pub const fn first(&self) -> LinkLocalAddr {
        self.first
    }

    /// The highest address.
    #[must_use]
    pub const fn last(&self) -> LinkLocalAddr {
        self.last
    }

    /// Whether `addr` lies in the range.
    #[must_use]
    pub fn contains(&self, addr: LinkLocalAddr) -> bool {
        (self.first..=self.last).contains(&addr)
    }

    /// How many addresses there are; at least one.
    fn size(&self) -> u64 {
        u64::from(self.last.index() - self.first.index()) + 1
    }

    /// The address at place `h mod n`, unless `h` is one of those that would favour low places.
    fn choose(&self, h: u64) -> Option<LinkLocalAddr> {
        let surplus = (u64::MAX % self.size() + 1) % self.size();
        if h > u64::MAX - surplus {
            return None;
        }
        let place = u16::try_from(h % self.size()).ok()?;
        LinkLocalAddr::from_index(self.first.index() + place)
    }
}

impl fmt::Display for AddrRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The candidates of one interface, in order and without end.
///
/// Every address of the range turns up sooner or later, some more than once.
//= LL-2.1-01 candidates are uniform over 169.254.1.0 to 169.254.254.255
//= LL-2.1-03 hosts with different MAC addresses try different addresses
//= LL-2.1-04 the sequence depends on the MAC address and returns after every boot
//= LL-2.1-05 no clock goes into the sequence
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    seed: u64,
    next: u32,
    range: AddrRange,
}

impl Sequence {
    /// The sequence of `mac` under `key`, from its beginning.
    #[must_use]
    pub fn new(mac: MacAddr, key: &[u8; 16], range: AddrRange) -> Self {
        let seed = SipHasher24::new_with_key(key).hash(&mac.octets());
        Self { seed, next: 0, range }
    }

    /// The addresses to choose from.
    #[must_use]
    pub fn range(&self) -> AddrRange {
        self.range
    }

    /// Goes on within another range.
    pub(crate) fn set_range(&mut self, range: AddrRange) {
        self.range = range;
    }

    /// The next candidate.
    pub(crate) fn draw(&mut self) -> LinkLocalAddr {
        loop {
            let hash = SipHasher24::new_with_keys(self.seed, self.next.into()).hash(&[]);
            self.next = self.next.wrapping_add(1);
            if let Some(addr) = self.range.choose(hash) {
                return addr;
            }
        }
    }
}

impl Iterator for Sequence {
    type Item = LinkLocalAddr;

    fn next(&mut self) -> Option<LinkLocalAddr> {
        Some(self.draw())
    }
}

#[cfg(test)]
mod tests;
