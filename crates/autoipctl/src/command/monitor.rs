//! `autoipctl monitor`: what happens, line by line.

use autoip_control::{Conflict, Event, Monitor};

use crate::cli::MonitorArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::moment::date;
use crate::screen::{Screen, Tone};

pub(super) fn run(
    args: &MonitorArgs,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let method = Monitor { interface: args.interface.clone() };
    for event in daemon.awake()?.call_more(&method)? {
        let event = event?;
        if args.json {
            screen.json_line(&event)?;
        } else {
            let line = line(&event, screen);
            screen.line(&line)?;
        }
        // Somebody may be waiting for just this line.
        screen.flush()?;
    }
    Ok(Exit::Done)
}

fn line(event: &Event, screen: &Screen) -> String {
    let (time, interface, tone, what) = match event {
        Event::AddressAcquired(acquired) => {
            let alias = acquired.alias.as_ref().map(|alias| format!(" as {alias}"));
            let what = format!("acquired {}{}", acquired.addr, alias.unwrap_or_default());
            (acquired.time, &acquired.interface, Tone::Good, what)
        }
        Event::AddressLost(lost) => {
            let what = format!("lost {}: {}", lost.addr, lost.loss);
            (lost.time, &lost.interface, Tone::Bad, what)
        }
        Event::StateChanged(changed) => {
            let addr = changed.addr.map(|addr| format!(" {addr}")).unwrap_or_default();
            let what = format!("{}{addr}", changed.state);
            (changed.time, &changed.interface, Tone::Plain, what)
        }
        Event::Conflict(conflict) => {
            (conflict.time, &conflict.interface, Tone::Bad, describe(conflict))
        }
        Event::InterfaceRemoved(removed) => {
            (removed.time, &removed.interface, Tone::Plain, "no longer managed".to_owned())
        }
    };
    let time = screen.toned(Tone::Faint, &date(time));
    let interface = screen.toned(Tone::Plain, interface);
    format!("{time} {interface} {}", screen.toned(tone, &what))
}

/// A conflict in a line, without its time and interface.
pub(super) fn describe(conflict: &Conflict) -> String {
    let Conflict { addr, mac, kind, outcome, .. } = conflict;
    format!("conflict: {mac} claims {addr} ({kind}), {outcome}")
}
