//! Rules about chance: what many hosts draw, taken together.
//!
//! Each asks how likely the draws of a run are if the rule holds, and objects below one in a
//! billion or so: with thousands of runs a day no honest one is ever accused.

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_core::LinkLocalAddr;
use autoip_wire::MacAddr;

use super::ledger::{Ledger, Speech};
use super::{CHOICE, FIRST_WAIT, Fact, Terms};
use crate::clock::SimTime;

/// Fewer draws than these say nothing.
const DRAWS_MIN: usize = 64;
/// More draws than these say nothing new.
const DRAWS_MAX: usize = 4096;
/// Into how many parts the addresses are divided to see whether all are drawn alike.
const PARTS: usize = 16;
/// The chi-square of fifteen degrees of freedom that is exceeded once in 10⁹ times is 73.
const CHI_SQUARE_MAX: f64 = 80.0;
/// Fewer first waits than these say nothing; with one wait in twenty below [`SHORT`], so many
/// short ones and no other come once in 10¹³ times.
const WAITS_MIN: u32 = 10;

/// What hosts have drawn.
#[derive(Debug)]
pub(super) struct Choices {
    /// Hosts whose MAC address nobody else has; the others draw what somebody has drawn.
    is_counted: Vec<bool>,
    candidates: Vec<LinkLocalAddr>,
    waits: u32,
    short_waits: u32,
}

impl Choices {
    pub(super) fn new(macs: &[MacAddr]) -> Self {
        let mut sorted = macs.to_vec();
        sorted.sort_unstable();
        let is_alone = |mac: &MacAddr| {
            sorted.partition_point(|other| other <= mac)
                - sorted.partition_point(|other| other < mac)
                == 1
        };
        Self {
            is_counted: macs.iter().map(is_alone).collect(),
            candidates: Vec::new(),
            waits: 0,
            short_waits: 0,
        }
    }

    pub(super) fn note(&mut self, now: SimTime, node: u32, ledger: &Ledger, fact: &Fact<'_>) {
        let Fact::Sent(frame) = fact else { return };
        let Some((_, packet)) = frame.arp else { return };
        let Speech::Probe(addr) = Speech::of(&packet) else { return };
        if !ledger.opens(addr) || !self.is_counted[node as usize] {
            return;
        }
        self.draw(ledger, addr);
        if let (Some(started_at), None) = (ledger.started_at, ledger.attempt_at) {
            self.waits += 1;
            self.short_waits += u32::from(now - started_at < Duration::from_millis(50));
        }
    }

    fn draw(&mut self, ledger: &Ledger, addr: Ipv4Addr) {
        // Another claim for the same address is no new draw.
        if ledger.candidate != Some(addr) && self.candidates.len() < DRAWS_MAX {
            self.candidates.extend(LinkLocalAddr::new(addr));
        }
    }

    /// What is wrong with all draws together.
    //= test LL-2.1-01
    //= test LL-2.1-03
    //= test LL-2.2.1-05
    //= test ACD-2.1.1-02
    pub(super) fn verdicts(&self, terms: &Terms) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if terms.numbers.first_wait >= Duration::from_secs(1)
            && self.waits >= WAITS_MIN
            && self.waits == self.short_waits
        {
            let text = format!("all {} hosts sent their first probe at once", self.waits);
            found.push((FIRST_WAIT, text));
        }
        if self.candidates.len() >= DRAWS_MIN {
            found.extend(self.uneven(terms.addresses).map(|text| (CHOICE, text)));
            found.extend(self.repeated(terms.addresses).map(|text| (CHOICE, text)));
        }
        found
    }

    /// Are all parts of the range drawn from alike?
    fn uneven(&self, addresses: u32) -> Option<String> {
        let mut counts = [0_u32; PARTS];
        for addr in &self.candidates {
            let part = usize::from(addr.index()) * PARTS / usize::try_from(addresses).ok()?;
            *counts.get_mut(part)? += 1;
        }
        let expected = self.candidates.len() as f64 / PARTS as f64;
        let terms = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected);
        let chi_square: f64 = terms.sum();
        // Parts of a small range are not alike in size.
        let is_large = addresses >= 4096;
        (is_large && chi_square > CHI_SQUARE_MAX)
            .then(|| format!("chi-square {chi_square:.0} of the candidates over sixteen parts"))
    }

    /// Are there more equal draws than chance explains?
    fn repeated(&self, addresses: u32) -> Option<String> {
        let mut sorted = self.candidates.clone();
        sorted.sort_unstable();
        let alike = sorted.chunk_by(|a, b| a == b).map(|group| group.len() * (group.len() - 1) / 2);
        let pairs: usize = alike.sum();
        let draws = sorted.len() as f64;
        let expected = draws * (draws - 1.0) / 2.0 / f64::from(addresses);
        // Poisson: so far above the mean once in a billion times at most.
        let most = expected + 7.0 * expected.sqrt() + 9.0;
        (pairs as f64 > most)
            .then(|| format!("{pairs} equal pairs of candidates, {expected:.1} expected"))
    }
}
