//! Handing a frame only to those who care about it changes nothing but the time that it takes.

use autoip_sim::{Delivery, Options, Run, swarm};

#[test]
fn both_ways_of_delivery_give_the_same_run() {
    for seed in 0..200 {
        let outcome = |delivery| {
            let options = Options { delivery, ..swarm(seed) };
            Run { seed, options, bug: None }.outcome(false)
        };
        let (indexed, all) = (outcome(Delivery::Indexed), outcome(Delivery::All));
        assert_eq!(indexed.trace, all.trace, "seed {seed}: {}", swarm(seed));
        assert_eq!(indexed.violations, all.violations, "seed {seed}");
    }
}
