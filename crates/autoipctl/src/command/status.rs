//! `autoipctl status`: where the interfaces stand, in a table or one in full.

use std::time::Duration;

use autoip_control::{
    Conflict, Error, Guard, GuardTier, Interface, Monitor, State, StatusReply, Watched,
};

use crate::cli::StatusArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::moment::{date, span};
use crate::screen::{Screen, Tone};
use crate::table::{Cell, lines, width};

mod full;

const HEADING: [&str; 7] = ["INTERFACE", "STATE", "ADDRESS", "SINCE", "MODE", "TIMING", "NOTE"];

/// How often a live status is drawn again though nothing happened: times go on.
const REDRAW: Duration = Duration::from_secs(1);

pub(super) fn run(
    args: &StatusArgs,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    if args.watch {
        return follow(args, daemon, screen);
    }
    let status = daemon.status(args.interface.clone())?;
    show(&status, args, screen)?;
    Ok(Exit::Done)
}

/// Shows it again after everything that happens; and every second, where somebody looks.
fn follow(args: &StatusArgs, daemon: &Daemon, screen: &mut Screen) -> Result<Exit, Failure> {
    let mut events = daemon.connect()?.call_more(&Monitor { interface: args.interface.clone() })?;
    events.set_limit(screen.is_terminal().then_some(REDRAW));
    loop {
        let status = daemon.status(args.interface.clone())?;
        screen.clear()?;
        show(&status, args, screen)?;
        screen.flush()?;
        match events.next() {
            Some(Ok(_) | Err(Error::TimedOut(_))) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(Exit::Done),
        }
    }
}

fn show(status: &StatusReply, args: &StatusArgs, screen: &mut Screen) -> Result<(), Failure> {
    if args.json && args.watch {
        screen.json_line(status)?;
    } else if args.json {
        screen.json(status)?;
    } else if args.interface.is_some() {
        for interface in &status.interfaces {
            full::show(interface, status, screen)?;
        }
    } else {
        overview(status, screen)?;
    }
    Ok(())
}

/// All interfaces in a table, and below it what is to be looked at.
fn overview(status: &StatusReply, screen: &mut Screen) -> Result<(), Failure> {
    if status.interfaces.is_empty() {
        screen.line("no interface is managed")?;
    } else {
        let mut rows = vec![HEADING.map(|text| Cell::new(Tone::Faint, text))];
        rows.extend(status.interfaces.iter().map(|interface| row(interface, status.now)));
        for line in fitted(&rows, screen.columns(), screen) {
            screen.line(&line)?;
        }
    }
    for watched in &status.watched {
        let Watched { addr, interface, since, .. } = watched;
        let age = span(status.now - since);
        screen.line(&format!("{addr} on {interface} is watched, for {age}"))?;
    }
    let guard = guard(&status.guard, screen);
    screen.line(&guard)?;
    Ok(())
}

/// The lines of the table, with as many columns as there is room for. The last one, which has no
/// end, goes under its row first.
fn fitted(rows: &[[Cell; 7]], room: Option<usize>, screen: &Screen) -> Vec<String> {
    const LESS_AND_LESS: [&[&str]; 5] = [
        &[],
        &["NOTE"],
        &["NOTE", "MODE"],
        &["NOTE", "MODE", "SINCE"],
        &["NOTE", "MODE", "SINCE", "TIMING"],
    ];
    let without = |hidden: &[&str]| -> Vec<Vec<Cell>> {
        let cells = |row: &[Cell; 7]| {
            let cells = HEADING.iter().zip(row).filter(|(name, _)| !hidden.contains(name));
            cells.map(|(_, cell)| cell.clone()).collect()
        };
        rows.iter().map(cells).collect()
    };
    let fits = |hidden: &&&[&str]| room.is_none_or(|room| width(&without(hidden)) <= room);
    let hidden = LESS_AND_LESS.iter().find(fits).or(LESS_AND_LESS.last());
    let hidden = hidden.copied().unwrap_or_default();
    let mut out = Vec::new();
    for (at, (line, row)) in lines(&without(hidden), screen).into_iter().zip(rows).enumerate() {
        out.push(line);
        let [.., note] = row;
        if at > 0 && hidden.contains(&"NOTE") && !note.text.is_empty() {
            out.push(format!("  {}", screen.toned(note.tone, &note.text)));
        }
    }
    out
}

fn row(interface: &Interface, now: i64) -> [Cell; 7] {
    let addr = match (interface.addr, interface.in_use) {
        (Some(addr), true) => addr.to_string(),
        (Some(addr), false) => format!("({addr})"),
        (None, _) => "-".to_owned(),
    };
    [
        Cell::new(Tone::Plain, &interface.interface),
        Cell::new(tone(interface.state), interface.state.to_string()),
        Cell::new(Tone::Plain, addr),
        Cell::new(Tone::Plain, span(now - interface.since)),
        Cell::new(Tone::Plain, interface.mode.to_string()),
        Cell::new(Tone::Plain, timing(interface)),
        Cell::new(Tone::Bad, note(interface, now)),
    ]
}

fn tone(state: State) -> Tone {
    match state {
        State::Idle => Tone::Faint,
        State::Probing | State::Announcing => Tone::Busy,
        State::Configured => Tone::Good,
        State::Defending => Tone::Bad,
    }
}

fn timing(interface: &Interface) -> String {
    let profile = interface.timing.profile;
    if interface.timing.is_rfc3927 {
        profile.to_string()
    } else {
        format!("{profile}, not RFC 3927")
    }
}

/// The one thing about an interface that matters most to somebody who wonders.
fn note(interface: &Interface, now: i64) -> String {
    if let Some(mac) = &interface.denier {
        return format!("{mac} denies every address");
    }
    if let Some(reason) = &interface.reason {
        return reason.clone();
    }
    match interface.conflicts.first() {
        Some(conflict) => {
            format!("conflict {} ago with {}", span(now - conflict.time), conflict.mac)
        }
        None => String::new(),
    }
}

/// What is in force, and what that leaves to be desired.
fn guard(guard: &Guard, screen: &Screen) -> String {
    let tone = match guard.tier {
        GuardTier::Nft => Tone::Good,
        GuardTier::Sysctl | GuardTier::Off => Tone::Bad,
    };
    let mut text = format!("guard: {}", screen.toned(tone, &guard.tier.to_string()));
    if !guard.unmet.is_empty() {
        text.push_str(&format!(" (not met: {})", guard.unmet.join(", ")));
    }
    text
}

/// A conflict in a line.
fn conflict_line(conflict: &Conflict) -> String {
    let Conflict { time, addr, mac, kind, outcome, .. } = conflict;
    format!("{} {mac} claims {addr} ({kind}), {outcome}", date(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_gets_what_matters_most() {
        let row = |cells: [&str; 7]| cells.map(|text| Cell::new(Tone::Plain, text));
        let note = "conflict 2 min ago with 02:00:00:00:00:05";
        let rows = [
            row(HEADING),
            row(["eth1", "defending", "169.254.200.200", "3 s", "fallback", "rfc3927", note]),
            row(["eth2", "configured", "169.254.7.7", "1 d", "always", "fast, not RFC 3927", ""]),
        ];
        let lines = |room| fitted(&rows, room, &Screen::stdout());
        assert!(lines(None)[1].ends_with(note) && lines(Some(200)) == lines(None));
        let below = lines(Some(80));
        assert_eq!((below.len(), below[2].as_str()), (4, format!("  {note}").as_str()));
        assert!(below[0].ends_with("TIMING") && below[3].ends_with("not RFC 3927"));
        let narrow = lines(Some(40));
        assert_eq!(narrow[0], "INTERFACE  STATE       ADDRESS");
        assert_eq!(narrow[1], "eth1       defending   169.254.200.200");
        assert_eq!(lines(Some(1)), narrow, "less would say nothing");
        for room in 40..120 {
            let table = lines(Some(room)).into_iter().filter(|line| !line.starts_with(' '));
            let widest = table.map(|line| line.chars().count()).max();
            assert!(widest.is_some_and(|widest| widest <= room), "{room}: {widest:?}");
        }
    }
}
