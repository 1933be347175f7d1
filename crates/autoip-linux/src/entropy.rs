//! Randomness from the kernel.

use crate::{Error, Result};

/// A seed for the engine's random waits, different on every call.
///
/// It may wait until the kernel's random pool is ready, once, early in the boot of a machine.
pub fn seed() -> Result<u64> {
    getrandom::u64().map_err(|error| Error::new("get a random seed from the kernel", error))
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_differ() {
        assert_ne!(super::seed().unwrap(), super::seed().unwrap());
    }
}
