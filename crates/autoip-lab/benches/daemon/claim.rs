//! What the daemon adds to the waits that the RFC demands.
//!
//! The random waits cannot be seen from outside. So the fixed ones are measured within claims as
//! the RFC has them, and the whole way from the carrier to the announcement with options that
//! leave next to nothing to chance.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use autoip_core::timing::{ANNOUNCE_INTERVAL, ANNOUNCE_WAIT};
use autoip_lab::Seen;
use autoip_linux::boottime;

use crate::control::Control;
use crate::figure::{Figure, ms, ms_between};
use crate::program::{Program, Timing};
use crate::station::{Station, in_parallel};

const LIMIT: Duration = Duration::from_secs(12);
/// Those of [`Timing::Fixed`]: two gaps of 1 ms and 1 s of listening.
const FIXED_WAITS: Duration = Duration::from_millis(1002);
/// How often a station of the second kind claims.
const ROUNDS: usize = 4;

/// The times of one claim, in milliseconds.
struct Claim {
    plug_to_probe: f64,
    listening: f64,
    interval: f64,
}

/// All stations at the same time: they sleep nearly always.
pub(crate) fn measure(program: &Program, stations: usize) -> Vec<Figure> {
    let stations = Station::several(stations);
    let control = Control::start();
    let claims = in_parallel(&stations, |station| claim(program, station));
    let turn = Mutex::new(());
    let again = &stations[..stations.len() / 2];
    let fixed = in_parallel(again, |station| claim_again(program, station, &turn));
    let delay = control.end();
    let figure = |name, value: fn(&Claim) -> f64| {
        Figure::times(name, claims.iter().map(|claim| claim.as_ref().map(value)))
    };
    vec![
        // Putting the address on the interface is part of it.
        figure("last probe to announcement 1, less 2 s", |claim| claim.listening).budget(5.0),
        figure("announcement 1 to 2, less 2 s", |claim| claim.interval).budget(5.0),
        Figure::times("plug to usable, less the fixed waits (0-1 ms drawn)", fixed.concat())
            .budget(5.0),
        figure("plug to probe 1 (0-1000 ms drawn)", |claim| claim.plug_to_probe).budget(1005.0),
        delay,
    ]
}

/// A claim with the timing of the RFC.
fn claim(program: &Program, station: &Station) -> Option<Claim> {
    station.cable.pull();
    let mut wire = station.cable.capture();
    let daemon = station.start(program, Timing::Rfc3927);
    daemon.wait_log(LIMIT, |line| line.contains("managing"));
    let plugged_at = boottime();
    station.cable.put_back();
    let is_announcement = |seen: &Seen| seen.is_from_host() && seen.is_announcement();
    let first = wire.wait(LIMIT, is_announcement)?;
    let second = wire.wait(LIMIT, is_announcement)?;
    let probes = wire.probes_for(first.arp.sender_ip);
    let last_probe = probes.iter().rfind(|probe| probe.at < first.at)?;
    Some(Claim {
        plug_to_probe: ms_between(plugged_at, probes.first()?.at),
        listening: ms_between(last_probe.at, first.at) - ms(ANNOUNCE_WAIT),
        interval: ms_between(first.at, second.at) - ms(ANNOUNCE_INTERVAL),
    })
}

/// Claims after a replugged cable, again and again, with hardly any random wait.
fn claim_again(program: &Program, station: &Station, turn: &Mutex<()>) -> Vec<Option<f64>> {
    let mut wire = station.cable.capture();
    let Some((_daemon, _)) = station.bind(program, Timing::Fixed) else {
        return vec![None; ROUNDS];
    };
    (0..ROUNDS)
        .map(|_| {
            station.cable.pull();
            thread::sleep(Duration::from_millis(100));
            wire.skip_to_end();
            let plugged_at = {
                // One at a time: laying cables keeps the kernel busy.
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                let at = boottime();
                station.cable.put_back();
                at
            };
            let usable = wire.wait(LIMIT, |seen| seen.is_from_host() && seen.is_announcement());
            // Claims are at least a second apart, counted from their probes.
            thread::sleep(Duration::from_millis(50));
            usable.map(|seen| ms_between(plugged_at, seen.at) - ms(FIXED_WAITS))
        })
        .collect()
}
