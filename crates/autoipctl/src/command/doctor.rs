//! `autoipctl doctor`: what breaks link-local networking here, found out by autoip-doctor. What the
//! daemon says of itself goes into it, where there is a daemon.

use autoip_control::{Guard, GuardTier, StatusReply};
use autoip_doctor::{Daemon as Said, Error, Request, Tier, examine, json, text};

use crate::cli::DoctorArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(
    args: &DoctorArgs,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let request = Request {
        interfaces: args.interfaces.clone(),
        probe: args.probe,
        ask_resolver: args.ask_resolver,
        // Without one the doctor goes by traces.
        daemon: daemon.status(None).ok().map(said),
        ..Request::default()
    };
    let report = examine(&request).map_err(|error| match error {
        Error::NoSuchInterface { .. } => Failure::Other(Exit::Unavailable, error.to_string()),
        Error::Kernel(error) => error.into(),
    })?;
    let written = match args.json {
        true => json(&report),
        false => text(&report, screen.has_colour(), screen.columns()),
    };
    screen.line(written.trim_end_matches('\n'))?;
    Ok(if report.exit_status() == 0 { Exit::Done } else { Exit::No })
}

fn said(status: StatusReply) -> Said {
    let StatusReply { guard: Guard { tier, .. }, interfaces, .. } = status;
    let present = interfaces.into_iter().filter(|interface| interface.index.is_some());
    Said {
        interfaces: present.map(|interface| interface.interface).collect(),
        tier: match tier {
            GuardTier::Nft => Tier::Nft,
            GuardTier::Sysctl => Tier::Sysctl,
            GuardTier::Off => Tier::Off,
        },
    }
}
