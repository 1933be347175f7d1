//! Random numbers: streams that are the same on every machine, in every build.
//!
//! Everything random in a run comes from one of these; each is named by a few numbers, so that a
//! draw here never shifts what is drawn there. Floating point is kept out.

use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg32;

/// What a stream is for. Equal numbers for different purposes still give different streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Options = 1,
    Host,
    Engine,
    Peer,
    Faults,
    Delivery,
    Busy,
    Mac,
    Trial,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Stream(Pcg32);

impl Stream {
    /// The stream for `purpose` in the run `seed`, number `a`, `b` of its kind.
    pub(crate) fn new(seed: u64, purpose: Purpose, a: u64, b: u64) -> Self {
        Self(Pcg32::seed_from_u64(mixed(seed, purpose, a, b)))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which is at least one.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let drawn = (u64::from(self.0.next_u32()) * u64::from(bound)) >> 32;
        u32::try_from(drawn).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below((high - low).saturating_add(1))
    }

    /// True `permille` times in a thousand.
    pub(crate) fn chance(&mut self, permille: u32) -> bool {
        permille > 0 && self.below(1000) < permille
    }

    /// A time up to `max`, uniform to the nanosecond.
    pub(crate) fn up_to(&mut self, max: Duration) -> Duration {
        let drawn = (u128::from(self.next_u64()) * (max.as_nanos() + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.below(u32::try_from(from.len()).unwrap_or(u32::MAX)));
        from[index.unwrap_or(0)]
    }
}

/// A single number of a stream, for where making the stream would cost more than drawing.
pub(crate) fn mixed(seed: u64, purpose: Purpose, a: u64, b: u64) -> u64 {
    let mut x = seed ^ (purpose as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for word in [a, b] {
        x = finish(
            x.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word.wrapping_mul(0xd1b5_4a32_d192_ed03),
        );
    }
    x
}

/// The finishing step of MurmurHash3: every bit of the input changes half of the output.
fn finish(mut x: u64) -> u64 {
    x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_every_one_of_their_numbers() {
        let first = |seed, purpose, a, b| Stream::new(seed, purpose, a, b).next_u64();
        let one = first(1, Purpose::Host, 2, 3);
        assert_eq!(one, first(1, Purpose::Host, 2, 3));
        for other in [
            first(2, Purpose::Host, 2, 3),
            first(1, Purpose::Peer, 2, 3),
            first(1, Purpose::Host, 3, 3),
            first(1, Purpose::Host, 2, 4),
            first(1, Purpose::Host, 3, 2),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let mut stream = Stream::new(1, Purpose::Host, 0, 0);
        let drawn: Vec<u32> = (0..1000).map(|_| stream.between(3, 5)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&5)));
        let hits = (0..10_000).filter(|_| stream.chance(250)).count();
        assert!((2300..2700).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| stream.up_to(Duration::from_nanos(2)).as_nanos() <= 2));
    }
}
