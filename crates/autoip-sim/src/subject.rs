//! The engine under test, as a host drives it: one input, and all the actions that come of it.
//!
//! A canary's planted bug sits between the host and the engine here and nowhere else; without one
//! the engine gets every input and the host every action as they are.

use autoip_core::timing::DEFEND_DELAY;
use autoip_core::{
    Action, Config, Engine, Event, Instant, LinkLocalAddr, Loss, MacAddr, Outcome, Sequence,
};

use crate::bug::{Bug, Plant};
use crate::options::Defence;

/// What a driver can tell an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    Start,
    Stop(Loss),
    SetMac(MacAddr, Sequence),
    Avoid(LinkLocalAddr),
    Installed,
    InstallFailed,
    Deleted,
    TransmitFailed,
    /// A frame, and when it was received.
    Frame(Instant, &'a [u8]),
    Timeout,
}

/// An engine, perhaps with a bug.
#[derive(Debug)]
pub(crate) struct Subject {
    engine: Engine,
    defence: Defence,
    plant: Option<Box<Plant>>,
}

impl Subject {
    pub(crate) fn new(mut config: Config, defence: Defence, bug: Option<Bug>) -> Self {
        let plant = bug.map(|bug| Box::new(Plant::new(bug, &mut config)));
        Self { engine: Engine::new(config), defence, plant }
    }

    /// One input; what comes of it goes to `actions`.
    pub(crate) fn input(&mut self, now: Instant, input: Input<'_>, actions: &mut Vec<Action>) {
        match &mut self.plant {
            None => feed(&mut self.engine, now, input, actions),
            Some(plant) => plant.input(&mut self.engine, now, input, actions),
        }
        if self.defence == Defence::Immediate && actions.iter().any(promises_a_defence) {
            self.hurry(now, actions);
        }
    }

    /// Sends the defence that has just been promised without its random wait: the engine is told
    /// that the wait is over. For the experiment that shows what the wait is good for.
    fn hurry(&mut self, now: Instant, actions: &mut Vec<Action>) {
        while let Some(due) = self.engine.poll_timeout().filter(|&due| due <= now + DEFEND_DELAY) {
            feed(&mut self.engine, due.max(now), Input::Timeout, actions);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let own = self.plant.as_ref().and_then(|plant| plant.poll_timeout());
        let engine = self.engine.poll_timeout().filter(|_| !self.is_stuck());
        own.into_iter().chain(engine).min()
    }

    fn is_stuck(&self) -> bool {
        self.plant.as_ref().is_some_and(|plant| plant.is_stuck())
    }
}

fn promises_a_defence(action: &Action) -> bool {
    match action {
        Action::Report(Event::Contested(_, contest)) => contest.outcome == Outcome::Defending,
        Action::Report(_)
        | Action::Listen(_)
        | Action::Transmit(_)
        | Action::Install(_)
        | Action::Remove(..) => false,
    }
}

/// Hands an input to the engine and takes its actions.
pub(crate) fn feed(engine: &mut Engine, now: Instant, input: Input<'_>, actions: &mut Vec<Action>) {
    match input {
        Input::Start => engine.start(now),
        Input::Stop(loss) => engine.stop(loss),
        Input::SetMac(mac, sequence) => engine.set_mac(now, mac, sequence),
        Input::Avoid(addr) => engine.avoid(now, addr),
        Input::Installed => engine.installed(now),
        Input::InstallFailed => engine.install_failed(now),
        Input::Deleted => engine.address_deleted(now),
        Input::TransmitFailed => engine.transmit_failed(now),
        Input::Frame(at, bytes) => engine.handle_frame(at, bytes),
        Input::Timeout => engine.handle_timeout(now),
    }
    actions.extend(std::iter::from_fn(|| engine.poll_action()));
}
