//! A time in which nothing happens.

use std::thread;
use std::time::Duration;

use crate::figure::{Figure, Unit, ms};
use crate::program::{Program, Timing};
use crate::station::Station;
use crate::usage::{Memory, Usage, process_count};

/// Measures a daemon that has an address, and what memory it has after that.
pub(crate) fn measure(program: &Program, time: Duration) -> Vec<Figure> {
    let station = Station::new();
    let Some((daemon, _)) = station.bind(program, Timing::Short) else { return Vec::new() };
    let before = Usage::of(daemon.pid());
    thread::sleep(time);
    let used = Usage::of(daemon.pid()) - before;
    let memory = Memory::of(daemon.pid());
    vec![
        Figure::value("wake-ups, bound, on a quiet link", Unit::Times, used.wakeups as f64)
            .budget(0.0),
        Figure::value("CPU time", Unit::Milliseconds, ms(used.cpu)),
        Figure::value("processes", Unit::Times, process_count(daemon.pid()) as f64),
        Figure::value("resident (RSS)", Unit::Kibibytes, memory.resident as f64),
        Figure::value("proportional (PSS)", Unit::Kibibytes, memory.proportional as f64),
        Figure::value("private dirty", Unit::Kibibytes, memory.private_dirty as f64),
    ]
}
