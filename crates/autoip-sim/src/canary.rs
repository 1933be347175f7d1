//! Canaries: for each planted bug the options under which it shows, and the checker that has to
//! see it. A checker that lets its canary live is blind.

use crate::bug::Bug;
use crate::checker::Violation;
use crate::options::Options;
use crate::run::Run;

/// A planted bug and who must notice it.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// The bug.
    pub bug: Bug,
    /// What the bug does, in words.
    pub does: &'static str,
    /// The rule that must see it.
    pub caught_by: &'static str,
    /// The options under which it shows.
    scenario: &'static str,
}

/// Nobody else is there.
const QUIET: &str = "hosts=12 chaos_s=100";
/// More hosts than a quarter of the addresses.
const CROWDED: &str = "hosts=12 range=40 spread_ms=20000 chaos_s=100 talk_s=5";
/// The same, with hosts that hear every probe and leave at the first conflict.
const ASKED: &str = "hosts=12 range=40 spread_ms=20000 defend=never delivery=all chaos_s=100";
/// Somebody contradicts every announcement twice.
const HARASSED: &str = "hosts=4 chaos_s=200 harassers=1";
/// The same among few addresses, for long.
const HUNTED: &str = "hosts=4 range=2000 chaos_s=900 harassers=1 owners=400";
/// Somebody answers every probe some seconds late.
const LAGGED: &str = "hosts=6 chaos_s=200 laggards=1";
/// Somebody denies every candidate.
const DENIED: &str = "hosts=4 chaos_s=200 deniers=1";
/// Broadcasts come back.
const ECHOING: &str = "hosts=4 chaos_s=60 echo=1000";
/// Two links become one.
const JOINED: &str = "hosts=30 range=64 spread_ms=30000 chaos_s=40 split_s=5";
/// Hundreds of hosts are switched on.
const MANY: &str = "hosts=300 chaos_s=30";
/// The carrier goes and comes back.
const FLAPPING: &str = "hosts=6 chaos_s=120 flap_s=20 talk_s=5";

macro_rules! canaries {
    ($($bug:ident $caught_by:literal $scenario:ident $does:literal,)*) => {
        /// All canaries.
        pub const CANARIES: &[Canary] = &[
            $(Canary {
                bug: Bug::$bug,
                does: $does,
                caught_by: $caught_by,
                scenario: $scenario,
            },)*
        ];
    };
}

canaries! {
    SkipProbe "probe_count" QUIET "leaves out the second probe",
    FourthProbe "probe_count" QUIET "sends a fourth probe",
    HastyProbes "probe_spacing" QUIET "probes 200 ms apart",
    SlowProbes "probe_spacing" QUIET "probes 3 s apart",
    NoWait "first_wait" QUIET "sends the first probe without a random wait",
    ProbesAsOwner "silent_before_claim" QUIET "probes with the candidate as sender",
    NoListening "listens_to_the_end" QUIET "does not listen after the last probe",
    DeafWhileListening "heeds_what_it_hears" LAGGED "ignores all that comes after the last probe",
    IgnoresCompetingProbes "heeds_what_it_hears" CROWDED "ignores others' probes for its candidate",
    DeafToLateProbes "heeds_what_it_hears" LAGGED "ignores others' probes while it listens",
    FearsItsEcho "no_conflict_with_itself" ECHOING "takes its own probes for somebody else's",
    FearsProbes "no_conflict_from_nothing" ASKED "takes a probe for its address for a conflict",
    SmallChoice "choice" MANY "chooses from 256 addresses",
    ReservedAddress "legal_address" QUIET "tries addresses in 169.254.0.0/24",
    Stubborn "another_candidate" DENIED "tries a candidate again that was denied",
    NoRateLimit "rate_limit" DENIED "forgets conflicts, so there never are many",
    LimitAtEleven "rate_limit" DENIED "limits its claims from the eleventh conflict on",
    ImpatientLimit "rate_limit" DENIED "begins limited claims 40 s apart",
    ForgetsWhenBound "rate_limit" HUNTED "forgets conflicts when it has an address",
    AnnouncesTooEarly "silent_before_claim" QUIET "announces before the address is installed",
    OneAnnouncement "announcements" QUIET "announces once",
    AnnouncesForever "no_periodic_arp" QUIET "announces every 30 s",
    UnicastAnnouncements "format" QUIET "announces to a single host",
    ReplyAnnouncements "format" QUIET "announces by ARP replies",
    WrongMac "format" QUIET "sends with a wrong sender hardware address",
    ProbesForever "no_periodic_arp" QUIET "probes for its own address every 30 s",
    DefendsTwice "no_periodic_arp" HARASSED "sends every defence twice",
    DefendsForever "defence_interval" HARASSED "defends at every conflict, however soon",
    DefendsTooSoon "defence_interval" HARASSED "defends again after 6 s already",
    IgnoresSecondConflict "cedes_at_second_conflict" HARASSED "ignores a second conflict",
    NeverGivesUp "one_holder" JOINED "ignores conflicts over the address in use",
    NeverAnswers "answers_conflicts" HARASSED "ignores conflicts over the address in use",
    DefendsLate "answers_conflicts" HARASSED "defends 3 s late",
    DefendsSomewhatLate "answers_conflicts" HARASSED "defends after 200 ms",
    AnswersAfterwards "silent_before_claim" HARASSED "answers for an address that it gave up",
    IgnoresCarrier "silent_before_claim" FLAPPING "keeps its address when the link was gone",
    ForgetsItsAddress "returns_to_its_address" FLAPPING "begins elsewhere when the link is back",
    KeepsForGood "liveness" JOINED "ignores conflicts over the address in use",
    GivesUp "liveness" CROWDED "stops for good at the first conflict",
}

/// What a canary's runs have shown.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The violation by which it was caught, and the run.
    pub caught: Option<(Run, Violation)>,
    /// What the checkers say, wrongly, about the engine as it is on the same runs.
    pub false_alarms: Vec<(Run, Violation)>,
}

/// Each canary may show in any of so many runs.
const SEEDS: u64 = 4;

impl Canary {
    /// The run number `seed` of this canary: with its bug, or without.
    ///
    /// # Panics
    ///
    /// Where a scenario is not written as options are, which a test excludes.
    #[must_use]
    pub fn run(&self, seed: u64, with_bug: bool) -> Run {
        let options = Options::parse(self.scenario).expect("scenarios are written as options");
        Run { seed, options, bug: with_bug.then_some(self.bug) }
    }

    /// Lets it loose, and its healthy siblings as well.
    #[must_use]
    pub fn release(&self) -> Finding {
        let mut finding = Finding { caught: None, false_alarms: Vec::new() };
        for seed in 1..=SEEDS {
            let healthy = self.run(seed, false);
            let alarms = healthy.outcome(false).violations.into_iter();
            finding.false_alarms.extend(alarms.map(|violation| (healthy.clone(), violation)));
            if finding.caught.is_none() {
                let run = self.run(seed, true);
                let violations = run.outcome(false).violations.into_iter();
                let mut seen = violations.filter(|violation| violation.rule == self.caught_by);
                finding.caught = seen.next().map(|violation| (run, violation));
            }
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::{RULES, WHOLE_RULES};

    #[test]
    fn every_rule_has_a_canary_and_every_canary_a_rule() {
        let rules: Vec<&str> = RULES
            .iter()
            .map(|rule| rule.name)
            .chain(WHOLE_RULES.iter().map(|&(name, _)| name))
            .collect();
        for rule in &rules {
            assert!(CANARIES.iter().any(|canary| canary.caught_by == *rule), "{rule}");
        }
        for canary in CANARIES {
            assert!(rules.contains(&canary.caught_by), "{canary:?}");
        }
    }
}
