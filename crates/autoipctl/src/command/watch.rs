//! `autoipctl watch`: an address that is already there, defended by the daemon.

use autoip_control::{Outcome, Watch};

use crate::cli::WatchArgs;
use crate::command::monitor::describe;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::moment::date;
use crate::screen::{Screen, Tone};

pub(super) fn run(args: &WatchArgs, daemon: &Daemon, screen: &mut Screen) -> Result<Exit, Failure> {
    let method = Watch {
        interface: args.interface.clone(),
        addr: args.addr,
        defend: Some(args.defend.into()),
    };
    let mut exit = Exit::Done;
    for reply in daemon.awake()?.call_more(&method)? {
        let reply = reply?;
        if args.json {
            screen.json_line(&reply)?;
        } else if let Some(conflict) = &reply.conflict {
            let time = screen.toned(Tone::Faint, &date(conflict.time));
            let what = screen.toned(Tone::Bad, &describe(conflict));
            screen.line(&format!("{time} {} {what}", conflict.interface))?;
        } else if reply.defended {
            screen.line(&format!("defended {}", args.addr))?;
        } else {
            screen.line(&format!("watching {} on {}", args.addr, args.interface))?;
        }
        screen.flush()?;
        if reply.conflict.is_some_and(|conflict| conflict.outcome == Outcome::Ceded) {
            exit = Exit::No;
        }
    }
    Ok(exit)
}
