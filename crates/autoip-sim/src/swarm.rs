//! Options drawn at random: every seed switches on another handful of troubles, some gently and
//! some hard, so that each combination meets each other sooner or later.

use crate::options::{Delivery, Options, Policy, Profile};
use crate::stream::{Purpose, Stream};

/// The options of the run `seed`.
#[must_use]
pub fn swarm(seed: u64) -> Options {
    let mut draw = Stream::new(seed, Purpose::Options, 0, 0);
    let mut options = Options {
        hosts: if draw.chance(100) { draw.between(12, 40) } else { draw.between(1, 11) },
        chaos_s: draw.between(20, 240),
        spread_ms: draw.pick(&[0, 0, 1000, 20_000]),
        ..Options::default()
    };
    if draw.chance(250) {
        options.profile = draw.pick(&[Profile::Draft, Profile::Fast]);
    }
    if draw.chance(150) {
        options.defend = Policy::Never;
    }
    if draw.chance(250) {
        options.delivery = Delivery::All;
    }
    link(&mut options, &mut draw);
    machine(&mut options, &mut draw);
    events(&mut options, &mut draw);
    peers(&mut options, &mut draw);
    if draw.chance(400) {
        // Few addresses make conflicts; half of them always stay free.
        let taken =
            options.hosts + options.owners + options.drafts + options.avahis + options.systemds;
        options.range = taken * draw.pick(&[2, 3, 8]) + 2;
    }
    options
}

fn link(options: &mut Options, draw: &mut Stream) {
    options.delay_us = draw.pick(&[1, 100, 1000, 20_000]);
    if draw.chance(500) {
        options.loss = draw.pick(&[1, 20, 100, 300, 700]);
    }
    if draw.chance(250) {
        options.duplicate = draw.pick(&[1, 50, 500]);
    }
    if draw.chance(250) {
        options.echo = draw.pick(&[100, 1000]);
    }
    if draw.chance(400) {
        options.jitter_us = draw.pick(&[100, 5000, 100_000, 400_000]);
    }
    if draw.chance(250) {
        options.split_s = draw.pick(&[10, 40]);
    }
}

fn machine(options: &mut Options, draw: &mut Stream) {
    if draw.chance(500) {
        options.drift_ppm = draw.pick(&[20, 200, 1000]);
    }
    if draw.chance(300) {
        options.busy_ms = draw.pick(&[10, 200]);
    }
    if draw.chance(300) {
        options.install_ms = draw.pick(&[1, 50, 2000]);
    }
    if draw.chance(200) {
        options.install_fail = draw.pick(&[20, 300]);
    }
    if draw.chance(200) {
        options.transmit_fail = draw.pick(&[20, 300]);
    }
    if draw.chance(100) && options.hosts > 1 {
        options.clones = draw.between(1, options.hosts.div_ceil(3));
    }
}

fn events(options: &mut Options, draw: &mut Stream) {
    for interval in [
        &mut options.flap_s,
        &mut options.suspend_s,
        &mut options.mac_s,
        &mut options.stop_s,
        &mut options.delete_s,
    ] {
        if draw.chance(200) {
            *interval = draw.pick(&[5, 30, 100]);
        }
    }
    options.talk_s = draw.pick(&[0, 1, 10, 10]);
}

fn peers(options: &mut Options, draw: &mut Stream) {
    for peers in [
        &mut options.owners,
        &mut options.drafts,
        &mut options.avahis,
        &mut options.systemds,
        &mut options.trackers,
    ] {
        if draw.chance(250) {
            *peers = draw.between(1, 4);
        }
    }
    for liars in [
        &mut options.deniers,
        &mut options.laggards,
        &mut options.harassers,
        &mut options.flooders,
        &mut options.spoofers,
    ] {
        if draw.chance(100) {
            *liars = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_switched_on_by_some_seed_and_off_by_another() {
        let drawn: Vec<String> = (0..500).map(|seed| format!(" {}", swarm(seed))).collect();
        for name in [
            "range",
            "profile",
            "defend",
            "clones",
            "delivery",
            "loss",
            "duplicate",
            "echo",
            "jitter_us",
            "drift_ppm",
            "busy_ms",
            "install_ms",
            "install_fail",
            "transmit_fail",
            "flap_s",
            "suspend_s",
            "mac_s",
            "stop_s",
            "delete_s",
            "talk_s",
            "split_s",
            "owners",
            "drafts",
            "avahis",
            "systemds",
            "deniers",
            "laggards",
            "harassers",
            "flooders",
            "spoofers",
            "trackers",
        ] {
            let on = drawn.iter().filter(|text| text.contains(&format!(" {name}="))).count();
            assert!((10..490).contains(&on), "{name} is on in {on} of 500");
        }
    }

    #[test]
    fn what_is_drawn_can_be_written_and_read() {
        for seed in 0..500 {
            let options = swarm(seed);
            assert_eq!(Options::parse(&options.to_string()), Ok(options));
        }
    }
}
