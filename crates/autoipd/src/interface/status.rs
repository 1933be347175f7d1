//! What an interface has to tell, and what clients may ask of it.

use autoip_control as control;
use autoip_core::{Instant, LinkLocalAddr, Loss, Stage, ZeroConfState};

use super::{Interface, LinkState, State, follow};
use crate::control::translation::{self, Clock};
use crate::edge::Edge;
use crate::settings::{InterfaceSettings, Mode};

/// The status of an interface of which no more is known than what is wanted of it.
pub(crate) fn blank(
    name: &str,
    settings: &InterfaceSettings,
    since: Instant,
    clock: &Clock,
) -> control::Interface {
    control::Interface {
        interface: name.to_owned(),
        index: None,
        mac: None,
        carrier: false,
        state: translation::state(ZeroConfState::Idle),
        state_number: ZeroConfState::Idle.number(),
        stage: translation::stage(Stage::Stopped),
        addr: None,
        in_use: false,
        alias: None,
        since: clock.ms(since),
        deadline: None,
        reason: Some("there is no such interface".to_owned()),
        mode: translation::mode(settings.mode),
        defend: translation::defend(settings.defend),
        routable: None,
        timing: translation::timing(&settings.timing),
        guard: control::GuardTier::Off,
        remembered: None,
        conflict_count: 0,
        denier: None,
        counters: control::Counters::default(),
        conflicts: Vec::new(),
    }
}

impl Interface {
    /// Where it stands, all but the conflicts.
    pub(crate) fn status(&self, edge: &Edge, clock: &Clock) -> control::Interface {
        let name = edge.host.link(self.index).map_or("", |link| link.name.as_str());
        let mut status = blank(name, &self.choice.settings, self.since, clock);
        status.index = Some(self.index.get());
        match &self.state {
            State::Refused { why, retry_at } => {
                status.reason.clone_from(why);
                status.deadline = retry_at.map(|at| clock.ms(at));
            }
            State::Managed { device, link } => {
                device.describe(&mut status, clock);
                status.guard = translation::tier(edge.guard.tier_of(self.index));
                status.reason = self.reason(link, &status);
                if let Some(until) = link.wait_until {
                    status.deadline = Some(clock.ms(until));
                }
            }
        }
        status
    }

    /// Why it has no address, in the words that come after its name.
    fn reason(&self, link: &LinkState, status: &control::Interface) -> Option<String> {
        if status.stage == control::Stage::BackingOff {
            return Some("too many conflicts, or no way to install an address".to_owned());
        }
        if status.addr.is_some() {
            return None;
        }
        let reason = match self.choice.settings.mode {
            _ if link.released => "released on request".to_owned(),
            _ if !link.carrier => "the link is down".to_owned(),
            Mode::Route => "only routes are wanted".to_owned(),
            Mode::Fallback if status.routable.is_some() => "a routable address is there".to_owned(),
            Mode::Fallback | Mode::Always if link.wait_until.is_some() => {
                "DHCP has its head start".to_owned()
            }
            Mode::Fallback | Mode::Always => return None,
        };
        Some(reason)
    }

    /// The conflicts that are remembered.
    pub(crate) fn conflicts(&self, clock: &Clock) -> Vec<control::Conflict> {
        match &self.state {
            State::Refused { .. } => Vec::new(),
            State::Managed { device, .. } => device.conflicts(clock),
        }
    }

    /// Claims an address: `wanted` first, where somebody names one.
    ///
    /// # Errors
    ///
    /// Why it cannot have one at present, as a sentence.
    pub(crate) fn claim(
        &mut self,
        edge: &mut Edge,
        wanted: Option<LinkLocalAddr>,
    ) -> Result<(), String> {
        let settings = &self.choice.settings;
        let (device, link) = match &mut self.state {
            State::Managed { device, link } => (device, link),
            State::Refused { why, .. } => {
                let unknown = || "the interface cannot be managed at present".to_owned();
                return Err(why.clone().unwrap_or_else(unknown));
            }
        };
        let name = &device.name;
        if let Some(addr) = wanted.filter(|&addr| !settings.range.contains(addr)) {
            let range = settings.range;
            return Err(format!("{addr} does not lie in the range {range} of {name}"));
        }
        match (settings.mode, edge.host.routable(device.index)) {
            (Mode::Route, _) => {
                return Err(format!("only routes are wanted on {name} (mode \"route\")"));
            }
            (Mode::Fallback, Some(routable)) => {
                return Err(format!(
                    "{name} has the routable address {routable}, and gets another one beside it \
                     with mode \"always\" only"
                ));
            }
            (Mode::Fallback, None) | (Mode::Always, _) => {}
        }
        if let Some(addr) = wanted.filter(|&addr| device.addr() != Some(addr)) {
            device.drive(edge, |engine| engine.stop(Loss::Released));
            device.drive(edge, |engine| engine.prefer(addr));
        }
        link.released = false;
        link.wait_until = None;
        follow(settings, device, link, edge);
        Ok(())
    }

    /// Gives the address up, and wants none before the next claim; `None` where it is not managed.
    pub(crate) fn give_up(&mut self, edge: &mut Edge) -> Option<()> {
        let State::Managed { device, link } = &mut self.state else { return None };
        link.released = true;
        device.drive(edge, |engine| engine.stop(Loss::Released));
        follow(&self.choice.settings, device, link, edge);
        Some(())
    }
}
