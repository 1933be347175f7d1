//! The kernel's number of an interface.

use std::fmt;
use std::num::NonZeroU32;

/// The number of an interface in its network namespace. It outlives a rename, and is not used
/// again for a while after the interface is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The interface with this number; `None` for 0 and for numbers that no interface can have
    /// (the kernel counts in a signed 32-bit number).
    #[must_use]
    pub const fn new(index: u32) -> Option<Self> {
        if index > i32::MAX as u32 {
            return None;
        }
        match NonZeroU32::new(index) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// The number, never 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_numbers_that_no_interface_has() {
        assert_eq!(IfIndex::new(0), None);
        assert_eq!(IfIndex::new(u32::MAX), None);
        assert_eq!(IfIndex::new(7).map(IfIndex::get), Some(7));
    }
}
