//! `autoipctl add` and `claim`: what ends with an address, if somebody waits for it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use autoip_control::{
    AddInterface, Claim, Error, Event, InterfaceRemoved, Method, Monitor, Range, StateChanged,
};

use crate::cli::{AddArgs, ClaimArgs};
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn add(args: &AddArgs, daemon: &Daemon, screen: &mut Screen) -> Result<Exit, Failure> {
    let method = AddInterface {
        interface: args.interface.clone(),
        mode: args.mode.map(Into::into),
        start: args.start.map(Into::into),
        range: args.range.map(|range| Range { first: range.first().ip(), last: range.last().ip() }),
        profile: args.timing.map(Into::into),
        defend: args.defend.map(Into::into),
    };
    start(&method, &args.interface, None, args.wait.wait, daemon, screen)
}

pub(super) fn claim(
    args: &ClaimArgs,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let addr = args.addr.map(Into::into);
    let method = Claim { interface: args.interface.clone(), addr };
    start(&method, &args.interface, addr, args.wait.wait, daemon, screen)
}

/// Calls `method`, and waits for the address of `interface` if somebody wants that.
fn start<M: Method>(
    method: &M,
    interface: &str,
    wanted: Option<Ipv4Addr>,
    wait: Option<Duration>,
    daemon: &Daemon,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let Some(wait) = wait else {
        daemon.call(method)?;
        return Ok(Exit::Done);
    };
    let deadline = Instant::now() + wait;
    // Before the call. The daemon may still take the call first, and the address may come between
    // the two: the events begin with where things stand.
    let mut events = daemon.connect()?.call_more(&Monitor::default())?;
    daemon.call(method)?;
    let is_wanted = |addr: &Ipv4Addr| wanted.is_none_or(|wanted| wanted == *addr);
    let found = match in_use(daemon, interface)?.filter(is_wanted) {
        Some(addr) => Some(addr),
        None => loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break None;
            }
            events.set_limit(Some(left));
            match events.next() {
                Some(Ok(Event::AddressAcquired(acquired))) if acquired.interface == interface => {
                    break Some(acquired.addr);
                }
                // An address can be the interface's before it is announced, and in use only then.
                // Whether a removed one is still waited for is the daemon's to know, too.
                Some(Ok(
                    Event::StateChanged(StateChanged { interface: of, .. })
                    | Event::InterfaceRemoved(InterfaceRemoved { interface: of, .. }),
                )) if of == interface => {
                    let addr = in_use(daemon, interface)?.filter(is_wanted);
                    if addr.is_some() {
                        break addr;
                    }
                }
                Some(Ok(_)) | Some(Err(Error::TimedOut(_))) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Error::Closed.into()),
            }
        },
    };
    match found {
        Some(addr) => {
            screen.line(&addr.to_string())?;
            let Some(wanted) = wanted.filter(|wanted| *wanted != addr) else {
                return Ok(Exit::Done);
            };
            screen.flush()?;
            let sentence = format!("{wanted} was not to be had, so {interface} has {addr}");
            Err(Failure::Other(Exit::No, sentence))
        }
        None => {
            let seconds = wait.as_secs_f64();
            let sentence = format!("{interface} has no address after {seconds} s");
            Err(Failure::Other(Exit::No, sentence))
        }
    }
}

/// The address of an interface, if one is in use.
fn in_use(daemon: &Daemon, interface: &str) -> Result<Option<Ipv4Addr>, Failure> {
    let status = daemon.status(Some(interface.to_owned()))?;
    let interface = status.interfaces.into_iter().next();
    Ok(interface.filter(|interface| interface.in_use).and_then(|interface| interface.addr))
}
