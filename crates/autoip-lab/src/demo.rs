//! The demo: the real daemon on two virtual hosts, in six acts.
//!
//! What is shown, and what each act waits for, is seen from outside: frames on the cables and
//! changes on the interfaces. The daemon's own words appear only when it fails.

mod screen;
mod stage;
mod state_dir;
mod story;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use autoip_lab::Entry;
use autoip_linux::{Signal, Signals};

use screen::Screen;
use stage::{CAMERA, LAPTOP, NAMES, Stage};
use state_dir::StateDir;

/// Probing takes 4 to 7 s, the second announcement comes 2 s after the first.
const CLAIM_LIMIT: Duration = Duration::from_secs(12);
/// For what the daemon does at once, or after at most 100 ms.
const PROMPT_LIMIT: Duration = Duration::from_secs(1);
/// Lets the eye rest between two events. The second conflict must come within 10 s.
const PAUSE: Duration = Duration::from_millis(1500);

/// Why the demo ends early.
enum Stop {
    /// Something that should happen did not: a sentence.
    Missing(String),
    /// The user or the system wants it to end.
    Signal(Signal),
    /// The output cannot be written: nobody watches any longer.
    Output(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs the demo. Everything that it makes is gone when this returns.
pub(crate) fn run() -> ExitCode {
    let entry = match autoip_lab::enter() {
        Ok(entry) => entry,
        Err(why) => {
            complain(&format!("the demo needs virtual hosts, but {why}"));
            return ExitCode::from(77);
        }
    };
    match play(entry) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Missing(what)) => {
            complain(&what);
            ExitCode::FAILURE
        }
        Err(Stop::Signal(signal)) => {
            complain("interrupted; the virtual hosts are gone");
            ExitCode::from(match signal {
                Signal::Hangup => 129,
                Signal::Interrupt => 130,
                Signal::Terminate => 143,
            })
        }
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Output(error)) => {
            complain(&format!("the output cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn play(entry: Entry) -> Result<(), Stop> {
    // First, so that no signal ends the demo halfway, and before there is a thread to take it.
    let signals = Signals::new().map_err(|error| Stop::Missing(error.to_string()))?;
    let screen = Screen::new();
    introduce(&screen, entry)?;
    let state_dir = StateDir::new(&[NAMES[CAMERA], NAMES[LAPTOP]]).map_err(|error| {
        Stop::Missing(format!("no directory for the daemons' state can be made: {error}"))
    })?;
    state_dir.remove_on_panic();
    let mut stage = Stage::build(screen, signals, &state_dir)?;
    let (camera, laptop) = claim(&mut stage)?;
    ping(&mut stage, camera)?;
    defend(&mut stage, camera)?;
    let new = cede(&mut stage, camera)?;
    replug(&mut stage, laptop)?;
    end(&mut stage)?;
    let screen = stage.strike();
    screen.heading("Everything happened as it should")?;
    screen.text(&format!(
        "camera had {camera} until another host insisted on it, then {new};\n\
         laptop had {laptop}, and found it again after its cable was pulled.\n\
         The hosts, the switch and the cables are gone; nothing is left behind."
    ))?;
    Ok(())
}

fn introduce(screen: &Screen, entry: Entry) -> io::Result<()> {
    let promise = match entry {
        Entry::Privileged => "Nothing of this machine is touched.",
        Entry::UserNamespace => "Nothing of this machine is touched, and no privilege used.",
    };
    screen.text(&format!(
        "Two virtual hosts on a virtual switch run the real autoipd: below, the ARP frames on \
         their cables\nand the addresses on their interfaces. {promise}"
    ))
}

fn claim(stage: &mut Stage) -> Result<(Ipv4Addr, Ipv4Addr), Stop> {
    stage.screen.heading("Both hosts claim an address: three probes, then two announcements")?;
    stage.until("one of the hosts does not claim an address", CLAIM_LIMIT, |stage, _| {
        stage.settled(CAMERA).is_some() && stage.settled(LAPTOP).is_some()
    })?;
    match (stage.settled(CAMERA), stage.settled(LAPTOP)) {
        (Some(camera), Some(laptop)) if camera != laptop => Ok((camera, laptop)),
        _ => Err(Stop::Missing("both hosts have claimed the same address".to_owned())),
    }
}

fn ping(stage: &mut Stage, camera: Ipv4Addr) -> Result<(), Stop> {
    stage.screen.heading("laptop pings camera")?;
    let answer = stage.host(LAPTOP).ping(camera, PROMPT_LIMIT);
    // The ARP frames that went before the ping are shown before its result.
    stage.pause(Duration::ZERO)?;
    match answer {
        Ok(Some(time)) => {
            let text =
                format!("{camera} answers the ping after {:.2} ms", time.as_secs_f64() * 1e3);
            stage.say(LAPTOP, &text)?;
            stage.pause(PAUSE)
        }
        Ok(None) => Err(Stop::Missing(format!("{camera} does not answer a ping"))),
        Err(error) => Err(Stop::Missing(format!("laptop cannot ping {camera}: {error}"))),
    }
}

fn defend(stage: &mut Stage, camera: Ipv4Addr) -> Result<(), Stop> {
    stage.screen.heading("Another host uses camera's address: camera defends it, once")?;
    stage.challenge(camera);
    stage.until("camera does not defend its address", PROMPT_LIMIT, |_, happening| {
        happening.is_announcement(CAMERA, camera)
    })?;
    stage.pause(PAUSE)
}

fn cede(stage: &mut Stage, camera: Ipv4Addr) -> Result<Ipv4Addr, Stop> {
    stage
        .screen
        .heading("The other host insists within 10 s: camera gives up, and looks further")?;
    stage.challenge(camera);
    stage.until("camera does not give up its address", PROMPT_LIMIT, |stage, _| {
        stage.address(CAMERA).is_none()
    })?;
    stage.until("camera does not claim another address", CLAIM_LIMIT, |stage, _| {
        stage.settled(CAMERA).is_some()
    })?;
    match stage.settled(CAMERA) {
        Some(new) if new != camera => Ok(new),
        _ => Err(Stop::Missing(format!("camera has claimed {camera} again, which is in use"))),
    }
}

fn replug(stage: &mut Stage, laptop: Ipv4Addr) -> Result<(), Stop> {
    stage
        .screen
        .heading("laptop's cable is pulled and put back: it claims the same address again")?;
    stage.cable(LAPTOP).pull();
    stage.until("laptop keeps its address without a carrier", PROMPT_LIMIT, |stage, _| {
        stage.address(LAPTOP).is_none()
    })?;
    stage.pause(PAUSE)?;
    stage.cable(LAPTOP).put_back();
    stage.until("laptop does not claim an address again", CLAIM_LIMIT, |stage, _| {
        stage.settled(LAPTOP).is_some()
    })?;
    if stage.settled(LAPTOP) == Some(laptop) {
        return Ok(());
    }
    Err(Stop::Missing(format!("laptop has not come back to {laptop}")))
}

fn end(stage: &mut Stage) -> Result<(), Stop> {
    stage.screen.heading("Both daemons are told to end: they take their addresses with them")?;
    stage.end_daemons(PROMPT_LIMIT)?;
    stage.until("a daemon has ended and left its address", PROMPT_LIMIT, |stage, _| {
        stage.address(CAMERA).is_none() && stage.address(LAPTOP).is_none()
    })
}

fn complain(what: &str) {
    // Nobody can be told where even this cannot be written.
    let _ = writeln!(io::stderr(), "autoip-lab: {what}");
}
