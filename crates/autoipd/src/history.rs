//! The last conflicts on an interface, with the frames that showed them, for whoever asks later.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use autoip_core::{Contest, Instant};

/// How many conflicts are kept.
const KEPT_MAX: usize = 8;
/// How much of a frame is kept: all of an ARP packet, and some of the padding.
const FRAME_MAX: usize = 60;

/// One conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: Instant,
    pub(crate) addr: Ipv4Addr,
    pub(crate) contest: Contest,
    pub(crate) frame: Vec<u8>,
}

/// The last conflicts, the latest last. Takes no memory before the first one.
#[derive(Debug, Default)]
pub(crate) struct History {
    records: VecDeque<Record>,
    /// The latest one waits for its frame.
    unframed: bool,
}

impl History {
    /// Notes a conflict; the oldest makes room. Its frame follows.
    pub(crate) fn push(&mut self, at: Instant, addr: Ipv4Addr, contest: Contest) {
        if self.records.len() == KEPT_MAX {
            self.records.pop_front();
        }
        self.records.push_back(Record { at, addr, contest, frame: Vec::new() });
        self.unframed = true;
    }

    /// The frame that was being handled, and when it came: if it was a conflict, it was this one.
    pub(crate) fn complete(&mut self, at: Instant, frame: &[u8]) {
        if !std::mem::take(&mut self.unframed) {
            return;
        }
        if let Some(latest) = self.records.back_mut() {
            latest.at = at;
            latest.frame = frame.get(..FRAME_MAX).unwrap_or(frame).to_vec();
        }
    }

    /// The latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autoip_core::{ConflictKind, MacAddr, Outcome};

    const CONTEST: Contest =
        Contest { mac: MacAddr::ZERO, kind: ConflictKind::Late, outcome: Outcome::Defending };

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn the_oldest_make_room_and_the_latest_come_first() {
        let mut history = History::default();
        for n in 1..=20 {
            history.push(at(n), Ipv4Addr::LOCALHOST, CONTEST);
        }
        let times: Vec<_> = history.iter().map(|record| record.at).collect();
        assert_eq!(times, (13..=20).rev().map(at).collect::<Vec<_>>());
    }

    #[test]
    fn a_frame_goes_with_its_own_conflict() {
        let mut history = History::default();
        history.complete(at(1), &[1; 42]);
        assert_eq!(history.iter().count(), 0, "no conflict, no record");
        history.push(at(5), Ipv4Addr::LOCALHOST, CONTEST);
        history.complete(at(2), &[2; 42]);
        history.complete(at(3), &[3; 42]);
        history.push(at(6), Ipv4Addr::LOCALHOST, CONTEST);
        history.complete(at(4), &[4; 1500]);
        let kept: Vec<_> = history.iter().map(|record| (record.at, record.frame.clone())).collect();
        assert_eq!(kept, [(at(4), vec![4; FRAME_MAX]), (at(2), vec![2; 42])]);
    }
}
