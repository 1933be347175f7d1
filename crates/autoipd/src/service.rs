//! What a service manager is told, where one has started the daemon (sd_notify): that it is up,
//! how its interfaces stand, that it is alive, that it ends.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use autoip_core::{Instant, ZeroConfState};
use autoip_linux::{IfIndex, boottime};
use sd_notify::{NotifyState, notify, watchdog_enabled};
use tracing::debug;

use crate::notice::{Notice, What};

/// How many interfaces are named; a line of status is for people.
const NAMED_MAX: usize = 16;

/// The line to the service manager. Without one, nothing is ever said.
#[derive(Debug, Default)]
pub(crate) struct Service {
    present: bool,
    /// How often the manager wants to hear from the daemon.
    interval: Option<Duration>,
    alive_at: Option<Instant>,
    interfaces: BTreeMap<IfIndex, String>,
    changed: bool,
}

impl Service {
    /// Finds out who started the daemon.
    pub(crate) fn new() -> Self {
        let present = std::env::var_os("NOTIFY_SOCKET").is_some();
        // Twice as often as the manager asks for, as it advises.
        let interval = watchdog_enabled().filter(|_| present).map(|limit| limit / 2);
        Self { present, interval, changed: true, ..Self::default() }
    }

    /// The daemon is up.
    pub(crate) fn ready(&mut self) {
        self.alive_at = self.interval.map(|interval| boottime() + interval);
        self.say(&[NotifyState::Ready]);
        self.on_turn();
    }

    /// Takes in what happened.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        let Notice { index, interface, addr, what, .. } = notice;
        let text = match (what, addr) {
            (What::Stopped, _) => {
                self.changed |= self.interfaces.remove(index).is_some();
                return;
            }
            (What::State(ZeroConfState::Probing), Some(addr)) => format!("probing {addr}"),
            (What::State(state @ (ZeroConfState::Idle | ZeroConfState::Probing)), _) => {
                state.to_string()
            }
            (What::State(_), Some(addr)) => addr.to_string(),
            _ => return,
        };
        self.interfaces.insert(*index, format!("{interface}: {text}"));
        self.changed = true;
    }

    /// Says what is to be said after each turn of the loop.
    pub(crate) fn on_turn(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.say(&[NotifyState::Status(&self.status())]);
        }
        let now = boottime();
        if let (Some(interval), Some(at)) = (self.interval, self.alive_at)
            && at <= now
        {
            self.alive_at = Some(now + interval);
            self.say(&[NotifyState::Watchdog]);
        }
    }

    /// When the manager wants to hear from the daemon next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.alive_at
    }

    /// The daemon ends.
    pub(crate) fn stopping(&self) {
        self.say(&[NotifyState::Stopping]);
    }

    fn status(&self) -> String {
        if self.interfaces.is_empty() {
            return "waiting for an interface".to_owned();
        }
        let named: Vec<_> = self.interfaces.values().take(NAMED_MAX).map(String::as_str).collect();
        let mut text = named.join(", ");
        if self.interfaces.len() > NAMED_MAX {
            // Writing to a string cannot fail.
            let _ = write!(text, " and {} more", self.interfaces.len() - NAMED_MAX);
        }
        text
    }

    fn say(&self, states: &[NotifyState<'_>]) {
        if self.present
            && let Err(error) = notify(states)
        {
            debug!("the service manager cannot be told: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autoip_core::MacAddr;

    fn notice(index: u32, what: What, addr: Option<&str>) -> Notice {
        Notice {
            at: Instant::from_nanos(1),
            index: IfIndex::new(index).unwrap(),
            interface: format!("eth{index}"),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            label: None,
            addr: addr.map(|addr| addr.parse().unwrap()),
            what,
        }
    }

    #[test]
    fn the_status_names_each_interface_and_how_it_stands() {
        let mut service = Service::default();
        assert_eq!(service.status(), "waiting for an interface");
        for (index, state, addr) in [
            (1, ZeroConfState::Announcing, Some("169.254.7.7")),
            (2, ZeroConfState::Probing, Some("169.254.8.8")),
            (3, ZeroConfState::Probing, None),
            (4, ZeroConfState::Idle, None),
            (5, ZeroConfState::Idle, None),
        ] {
            service.tell(&notice(index, What::State(state), addr));
        }
        service.tell(&notice(5, What::Stopped, None));
        assert_eq!(
            service.status(),
            "eth1: 169.254.7.7, eth2: probing 169.254.8.8, eth3: probing, eth4: idle"
        );
        for index in 10..110 {
            service.tell(&notice(index, What::State(ZeroConfState::Idle), None));
        }
        assert!(service.status().ends_with("eth21: idle and 88 more"), "{}", service.status());
    }
}
