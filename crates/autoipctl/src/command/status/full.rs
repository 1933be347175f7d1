//! All that is known of one interface.

use autoip_control::{Counters, Defend, Interface, StatusReply};

use super::{conflict_line, guard, timing, tone};
use crate::exit::Failure;
use crate::moment::{date, span};
use crate::screen::{Screen, Tone};
use crate::table::{Cell, lines};

/// Shows one interface in full.
pub(super) fn show(
    interface: &Interface,
    status: &StatusReply,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let state = screen.toned(tone(interface.state), &interface.state.to_string());
    let number = interface.state_number;
    let name = screen.toned(Tone::Plain, &interface.interface);
    screen.line(&format!("{name}: {state} ({number})"))?;
    let rows: Vec<_> = facts(interface, status)
        .into_iter()
        .map(|(name, value)| {
            vec![Cell::new(Tone::Faint, format!("  {name}")), Cell::new(Tone::Plain, value)]
        })
        .collect();
    for line in lines(&rows, screen) {
        screen.line(&line)?;
    }
    for conflict in &interface.conflicts {
        screen.line(&format!("  {}", conflict_line(conflict)))?;
        if let Some(packet) = &conflict.packet {
            screen.line(&format!("    {packet}"))?;
        }
    }
    let guard = guard(&status.guard, screen);
    screen.line(&guard)?;
    Ok(())
}

/// What there is to say, each under its name.
fn facts(interface: &Interface, status: &StatusReply) -> Vec<(&'static str, String)> {
    let now = status.now;
    let mut facts = Vec::new();
    if let Some(addr) = interface.addr {
        let name = if interface.in_use { "address" } else { "candidate" };
        let alias = interface.alias.as_ref().filter(|_| interface.in_use);
        let alias = alias.map(|alias| format!(" as {alias}")).unwrap_or_default();
        facts.push((name, format!("{addr}{alias}")));
    }
    facts.push(("stage", interface.stage.to_string()));
    facts.extend(interface.reason.clone().map(|reason| ("reason", reason)));
    let age = span(now - interface.since);
    facts.push(("since", format!("{} ({age})", date(interface.since))));
    if let Some(deadline) = interface.deadline {
        facts.push(("next step", format!("in {}", span(deadline - now))));
    }
    facts.push(("link", if interface.carrier { "up" } else { "down" }.to_owned()));
    facts.extend(interface.mac.clone().map(|mac| ("MAC address", mac)));
    facts.push(("mode", interface.mode.to_string()));
    facts.extend(interface.routable.map(|addr| ("routable", addr.to_string())));
    let defence = match interface.defend {
        Defend::Never => "never",
        Defend::Once => "once in ten seconds",
        Defend::Always => "always",
    };
    facts.push(("defence", defence.to_owned()));
    facts.push(("timing", timing(interface)));
    if interface.index.is_some() {
        facts.push(("guard", interface.guard.to_string()));
    }
    facts.extend(interface.remembered.map(|addr| ("remembered", addr.to_string())));
    facts.extend(interface.denier.clone().map(|mac| ("denied by", mac)));
    facts.push(("counters", counters(&interface.counters)));
    let count = interface.conflict_count;
    facts.push(("conflicts", format!("{count} of 10 before the rate limit")));
    facts
}

/// Those that are not zero, with the words for one and for many of them.
fn counters(counters: &Counters) -> String {
    let named = [
        (counters.probes, "probe", "probes"),
        (counters.announcements, "announcement", "announcements"),
        (counters.defences, "defence", "defences"),
        (counters.conflicts_in_use, "candidate in use", "candidates in use"),
        (counters.conflicts_competing, "competing probe", "competing probes"),
        (counters.conflicts_late, "late conflict", "late conflicts"),
        (counters.ceded, "given up", "given up"),
        (counters.echoes, "echo", "echoes"),
        (counters.unicast_probes, "unicast probe", "unicast probes"),
        (counters.frames_refused, "frame refused", "frames refused"),
        (counters.transmit_failures, "not sent", "not sent"),
    ];
    let told: Vec<_> = named
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}
