//! `autoipctl probe`: whether an address is free, from the daemon or, where there is none, found
//! out here.

use std::time::Duration;

use autoip_control::{Error, Probe, ProbeReply, Profile, Refusal};

use crate::acd;
use crate::cli::ProbeArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, Tone};

/// Longer than a probe takes with any timing, waits for a busy daemon included.
const PROBE_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn run(args: &ProbeArgs, daemon: &Daemon, screen: &mut Screen) -> Result<Exit, Failure> {
    let profile = Profile::from(args.timing);
    let reply = if args.direct {
        acd::probe(&args.interface, args.addr, profile)?
    } else {
        match ask(args, profile, daemon) {
            Err(Error::Unreachable { .. }) => acd::probe(&args.interface, args.addr, profile)?,
            reply => reply.map_err(unanswered)?,
        }
    };
    if args.json {
        screen.json(&reply)?;
    } else {
        let (addr, interface) = (args.addr, &args.interface);
        let line = match &reply.conflict {
            None => screen.toned(Tone::Good, &format!("{addr} is free on {interface}")),
            Some(conflict) => {
                let mac = &conflict.mac;
                screen.toned(Tone::Bad, &format!("{addr} is taken on {interface} by {mac}"))
            }
        };
        screen.line(&line)?;
    }
    Ok(if reply.free { Exit::Done } else { Exit::No })
}

fn ask(args: &ProbeArgs, profile: Profile, daemon: &Daemon) -> Result<ProbeReply, Error> {
    let method =
        Probe { interface: args.interface.clone(), addr: args.addr, profile: Some(profile) };
    daemon.connect()?.call_within(PROBE_LIMIT.max(daemon.limit), &method)
}

/// That a daemon refuses to probe does not mean that the address is taken.
fn unanswered(error: Error) -> Failure {
    match error {
        Error::Refused(Refusal::PermissionDenied) => error.into(),
        Error::Refused(refusal) => Failure::Other(Exit::Unavailable, refusal.to_string()),
        Error::Unreachable { .. }
        | Error::Broken(_)
        | Error::Closed
        | Error::TimedOut(_)
        | Error::Garbled(_) => error.into(),
    }
}
