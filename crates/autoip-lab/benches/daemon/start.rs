//! From the start of the process to its first work.

use std::time::Duration;

use autoip_linux::boottime;

use crate::figure::{Figure, ms_between};
use crate::program::{Program, Timing};
use crate::station::Station;

const LIMIT: Duration = Duration::from_secs(5);

/// One after the other, on an idle machine.
pub(crate) fn measure(program: &Program, runs: usize) -> Vec<Figure> {
    let station = Station::new();
    let ready: Vec<_> = (0..runs)
        .map(|_| {
            let at = boottime();
            let daemon = station.start(program, Timing::Rfc3927);
            // Said once the packet socket of the interface is bound and waited on.
            let line = daemon.wait_log(LIMIT, |line| line.contains("managing"));
            Some(ms_between(at, line.at))
        })
        .collect();
    let version: Vec<_> = (0..runs)
        .map(|_| {
            let mut command = program.bare();
            command.arg("--version");
            let at = boottime();
            let line = station.host.spawn(command).wait_log(LIMIT, |_| true);
            Some(ms_between(at, line.at))
        })
        .collect();
    vec![
        Figure::times("fork to ready: the packet socket is bound", ready).budget(10.0),
        Figure::times("fork to the first line of --version, to compare", version),
    ]
}
