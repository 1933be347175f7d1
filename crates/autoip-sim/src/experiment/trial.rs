//! One newcomer on a link where others own addresses: what most experiments repeat.

use std::rc::Rc;
use std::time::Duration;

use autoip_core::LinkLocalAddr;

use super::Setup;
use crate::clock::SimTime;
use crate::options::Options;
use crate::peer::Crowd;
use crate::stream::{Purpose, Stream, mixed};
use crate::world::World;

/// Owners of `count` addresses, chosen at random.
pub(super) fn owners(seed: u64, count: u32) -> Rc<[bool]> {
    let mut stream = Stream::new(seed, Purpose::Trial, 0, 0);
    let mut taken = vec![false; usize::from(LinkLocalAddr::COUNT)];
    let mut left = count.min(LinkLocalAddr::COUNT.into());
    while left > 0 {
        let place = stream.below(LinkLocalAddr::COUNT.into()) as usize;
        if !std::mem::replace(&mut taken[place], true) {
            left -= 1;
        }
    }
    taken.into()
}

/// The seed of trial number `trial` under `setting`: no two settings share their trials, or their
/// figures would err together.
pub(super) fn seed_of(setup: &Setup, setting: [u32; 3], trial: u32) -> u64 {
    let numbers = setting.map(u64::from);
    let kind = mixed(setup.seed, Purpose::Trial, numbers[0], numbers[1]);
    mixed(kind, Purpose::Trial, numbers[2], trial.into())
}

/// A newcomer among owners who answer after `delay`.
pub(super) fn newcomer(seed: u64, options: &Options, taken: &Rc<[bool]>, delay: Duration) -> World {
    let mut world = World::unwatched(seed, options);
    world.add_peer(|net, id| Box::new(Crowd::new(net, id, Rc::clone(taken), delay)));
    world.schedule();
    world
}

/// Longer than any trial may take.
pub(super) const FOREVER: SimTime = SimTime::from_secs(30 * 86_400);

/// Lets the newcomer look for an address until it has one, and says which.
pub(super) fn claim(world: &mut World) -> Option<LinkLocalAddr> {
    world.run_until_that(FOREVER, |world| world.hosts[0].addr().is_some());
    world.hosts[0].addr()
}
