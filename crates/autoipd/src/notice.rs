//! What happened to interfaces and their addresses, as data for whoever wants to be told: hooks,
//! and clients that watch.
//!
//! Devices write notices down while they work, the loop hands them out once a turn. Nobody who
//! reads them is waited for: the list has an end, and where it is full the oldest go.

use std::collections::VecDeque;

use autoip_core::{Contest, Instant, LinkLocalAddr, Loss, MacAddr, ZeroConfState};
use autoip_linux::IfIndex;

/// How many notices wait, at most: all that a thousand interfaces have to say in one turn.
const WAITING_MAX: usize = 4096;

/// Something that happened to an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// When it was noticed.
    pub(crate) at: Instant,
    /// The number of the interface.
    pub(crate) index: IfIndex,
    /// Its name at that time.
    pub(crate) interface: String,
    /// Its MAC address at that time.
    pub(crate) mac: MacAddr,
    /// The label of the address, such as `eth0:9`, where it has one.
    pub(crate) label: Option<String>,
    /// The address or the candidate that this is about.
    pub(crate) addr: Option<LinkLocalAddr>,
    /// What happened.
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The address has been announced and is in use from now on.
    Acquired,
    /// The address was deleted by others; it is back and in use again.
    Restored,
    /// An address that was in use has gone.
    Lost(Loss),
    /// Another host claims the address or the candidate.
    Conflict(Contest),
    /// The script that configures the interface is to put the address on it.
    Wanted,
    /// The script is to take it off again.
    Unwanted(Loss),
    /// The interface is in this state now.
    State(ZeroConfState),
    /// The interface is managed no longer: it is gone, or the daemon ends.
    Stopped,
}

/// The notices that have not been handed out yet.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: VecDeque<Notice>,
    dropped: usize,
}

impl Notices {
    /// Writes one down.
    pub(crate) fn push(&mut self, notice: Notice) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(notice);
    }

    /// All that waits, in the order in which it happened, and how many before them were dropped
    /// for want of room.
    pub(crate) fn take(&mut self) -> (VecDeque<Notice>, usize) {
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(at: u64) -> Notice {
        Notice {
            at: Instant::from_nanos(at),
            index: IfIndex::new(2).unwrap(),
            interface: "eth0".to_owned(),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            label: None,
            addr: None,
            what: What::Stopped,
        }
    }

    #[test]
    fn notices_come_out_in_order_and_once() {
        let mut notices = Notices::default();
        (1..=3).for_each(|at| notices.push(notice(at)));
        assert_eq!(notices.take(), ((1..=3).map(notice).collect(), 0));
        assert_eq!(notices.take(), (VecDeque::new(), 0));
    }

    #[test]
    fn the_oldest_go_where_nobody_takes_them() {
        let mut notices = Notices::default();
        let count = u64::try_from(WAITING_MAX).unwrap() + 2;
        (1..=count).for_each(|at| notices.push(notice(at)));
        let (taken, dropped) = notices.take();
        assert_eq!((taken.len(), dropped), (WAITING_MAX, 2));
        assert_eq!(taken.front(), Some(&notice(3)));
        assert_eq!(notices.take(), (VecDeque::new(), 0));
    }
}
