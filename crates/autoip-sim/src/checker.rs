//! The checkers: what must hold on every link, seen from outside.
//!
//! They look at frames as they leave and reach a port, at the addresses on interfaces, and at
//! what befell a host. They know nothing of any engine. What one host has shown so far is its
//! [`Ledger`]; a rule is a function that says what is wrong with the next fact in its light.

mod choice;
mod claim;
mod in_use;
mod ledger;
mod number;
mod wire;

use std::net::Ipv4Addr;
use std::time::Duration;

use autoip_wire::{Frame, MacAddr};

use crate::clock::SimTime;
use crate::link::Transmission;
use crate::options::{Options, Policy, Replies};
use choice::Choices;
use ledger::Ledger;
use number::Numbers;

/// Something that happened at a host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact<'a> {
    /// It was powered on.
    Started,
    /// Its claim, if there was one, ended for a reason that is not on the link.
    Interrupted,
    /// The link went, and with it what was known of it.
    LinkLost,
    /// It has another MAC address.
    NewMac(MacAddr),
    /// A frame left it.
    Sent(&'a Transmission),
    /// A frame could not be sent.
    NotSent(&'a Frame),
    /// A frame arrived.
    Received(&'a Transmission),
    /// An address was put on the interface.
    Placed(Ipv4Addr),
    /// An address could not be put on the interface.
    InstallFailed,
    /// Somebody else is about to delete the address.
    Deleted,
    /// The address went from the interface.
    TakenOff,
}

/// What the rules have to reckon with in a run.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    numbers: Numbers,
    policy: Policy,
    replies: Replies,
    /// By how many microseconds in a second a host's clock may be wrong.
    drift_ppm: u32,
    /// How long a host may not get to run.
    slack: Duration,
    /// Addresses to choose from.
    addresses: u32,
    /// The longest that a frame is under way.
    travel: Duration,
}

impl Terms {
    fn new(options: &Options) -> Self {
        Self {
            numbers: Numbers::of(options),
            policy: options.defend,
            replies: options.replies,
            drift_ppm: options.drift_ppm,
            slack: options.busy(),
            addresses: options.addresses(),
            travel: options.delay() + options.jitter(),
        }
    }

    /// The shortest time that a host with a fast clock may take for `duration`.
    fn shortest(&self, duration: Duration) -> Duration {
        duration.saturating_sub(self.error(duration))
    }

    /// The longest that a host's clock takes for `duration`.
    fn latest(&self, duration: Duration) -> Duration {
        duration + self.error(duration)
    }

    /// The longest that a host takes for `duration` that is busy as well.
    fn longest(&self, duration: Duration) -> Duration {
        self.latest(duration) + self.slack
    }

    fn error(&self, duration: Duration) -> Duration {
        duration * (self.drift_ppm + self.drift_ppm / 500) / 1_000_000 + Duration::from_micros(1)
    }
}

/// A fact in the light of what went before.
struct View<'a> {
    now: SimTime,
    ledger: &'a Ledger,
    fact: Fact<'a>,
    terms: &'a Terms,
}

/// What a rule has to say against a fact.
type Verdict = Result<(), String>;

/// A rule, with the rows of `spec/requirements.toml` that it checks.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it checks.
    pub rows: &'static str,
    check: fn(&View<'_>) -> Verdict,
}

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: SimTime,
    /// By which node.
    pub node: u32,
    /// Which rule.
    pub rule: &'static str,
    /// How.
    pub text: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, node, rule, text } = self;
        write!(f, "{at} host #{node} breaks {rule}: {text}")
    }
}

const fn rule(name: &'static str, rows: &'static str, check: fn(&View<'_>) -> Verdict) -> Rule {
    Rule { name, rows, check }
}

/// The rules about single hosts.
pub const RULES: &[Rule] = &[
    rule("format", "LL-1.2-01 LL-1.2-02 LL-1.2-03 LL-1.2-05 ACD-3-01", wire::format),
    rule("legal_address", "LL-2.1-02 LL-8-01", wire::legal_address),
    rule("silent_before_claim", "LL-2.2-02 LL-2.2-03 DNA-2.3-03", wire::silent_before_claim),
    rule("probe_spacing", "LL-2.2.1-06 LL-9-03 LL-9-04 ACD-2.1.1-03", claim::probe_spacing),
    rule("probe_count", "LL-2.2-01 LL-9-02 DNA-2.3-01", claim::probe_count),
    rule("listens_to_the_end", "LL-2.2.1-11 LL-9-05 ACD-2.1.1-10", claim::listens_to_the_end),
    rule(
        "heeds_what_it_hears",
        "LL-2.2.1-07 LL-2.2.1-08 ACD-2.1.1-04 ACD-2.1.1-06",
        claim::heeds_what_it_hears,
    ),
    rule("another_candidate", "LL-1.5-01", claim::another_candidate),
    rule("returns_to_its_address", "LL-2.1-07", claim::returns_to_its_address),
    rule("rate_limit", "LL-2.2.1-10 LL-9-08 LL-9-09 ACD-2.1.1-08 ACD-2.1.1-09", claim::rate_limit),
    rule("no_conflict_with_itself", "ACD-2.1.1-07 LL-3.4-02", claim::no_conflict_with_itself),
    rule("no_conflict_from_nothing", "LL-2.5-01 ACD-2.5-02", claim::no_conflict_from_nothing),
    rule("announcements", "LL-2.4-01 LL-2.4-02 LL-9-06 LL-9-07 ACD-2.3-01", in_use::announcements),
    rule("no_periodic_arp", "LL-4-01 LL-2.2-04 ACD-2.1-03", in_use::no_periodic_arp),
    rule("defence_interval", "LL-2.5-05 LL-9-10 ACD-1.3-02", in_use::defence_interval),
    rule(
        "answers_conflicts",
        "LL-2.5-02 LL-2.5-03 ACD-2.4-02 ACD-2.4-12",
        in_use::answers_conflicts,
    ),
    rule("cedes_at_second_conflict", "LL-2.5-07 ACD-2.4-05", in_use::cedes_at_second_conflict),
];

/// The rules about all hosts together, and about a run as a whole.
pub const WHOLE_RULES: &[(&str, &str)] = &[
    (ONE_HOLDER, "LL-4-02"),
    (FIRST_WAIT, "LL-2.2.1-05 ACD-2.1.1-02"),
    (CHOICE, "LL-2.1-01 LL-2.1-03"),
    (LIVENESS, "LL-1.5-01"),
];

pub(crate) const ONE_HOLDER: &str = "one_holder";
pub(crate) const FIRST_WAIT: &str = "first_wait";
pub(crate) const CHOICE: &str = "choice";
/// Everybody who can be satisfied has an address of its own in the end; judged by the world.
pub(crate) const LIVENESS: &str = "liveness";

/// More violations than these say nothing new, but for the verdicts on a run as a whole: those are
/// never crowded out.
const VIOLATIONS_MAX: usize = 20;

/// Two hosts with one address have met: after this time at most one of them has it.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    at: SimTime,
    until: SimTime,
    hosts: [u32; 2],
    addr: Ipv4Addr,
}

/// All checkers of a run.
#[derive(Debug)]
pub(crate) struct Audit {
    terms: Terms,
    ledgers: Vec<Ledger>,
    choices: Choices,
    meetings: Vec<Meeting>,
    calm: bool,
    violations: Vec<Violation>,
}

impl Audit {
    /// Checkers for hosts with these MAC addresses; they are the first nodes.
    pub(crate) fn new(options: &Options, macs: &[MacAddr]) -> Self {
        Self {
            terms: Terms::new(options),
            ledgers: macs.iter().map(|&mac| Ledger::new(mac)).collect(),
            choices: Choices::new(macs),
            meetings: Vec::new(),
            calm: false,
            violations: Vec::new(),
        }
    }

    /// Faults are over.
    pub(crate) fn calm(&mut self) {
        self.calm = true;
    }

    /// Something happened at `node`.
    pub(crate) fn note(&mut self, now: SimTime, node: u32, fact: &Fact<'_>) {
        let Some(ledger) = self.ledgers.get(node as usize) else { return };
        if let Fact::Received(frame) = fact
            && !ledger.is_concerned(frame)
        {
            return;
        }
        let view = View { now, ledger, fact: *fact, terms: &self.terms };
        for rule in RULES {
            if let Err(text) = (rule.check)(&view)
                && self.violations.len() < VIOLATIONS_MAX
                && !self
                    .violations
                    .iter()
                    .any(|known| (known.node, known.rule) == (node, rule.name))
            {
                self.violations.push(Violation { at: now, node, rule: rule.name, text });
            }
        }
        self.choices.note(now, node, ledger, fact);
        if let Fact::Received(frame) = fact {
            self.meet(now, node, frame);
        }
        self.judge_meetings(now);
        self.ledgers[node as usize].enter(now, fact, &self.terms);
    }

    /// Two of our hosts hold one address, and one of them hears the other.
    //= test LL-4-02
    fn meet(&mut self, now: SimTime, node: u32, frame: &Transmission) {
        let Some((_, packet)) = frame.arp.filter(|_| self.calm) else { return };
        let (here, there) = (node as usize, frame.from as usize);
        let holds = |host: usize| {
            self.ledgers.get(host).filter(|ledger| ledger.addr() == Some(packet.sender_ip))
        };
        let (Some(one), Some(other)) = (holds(here), holds(there)) else { return };
        if one.mac() != other.mac() {
            let rest = Duration::from_millis(100) + self.terms.travel * 4 + self.terms.slack * 4;
            let hosts = [node, frame.from];
            let addr = packet.sender_ip;
            self.meetings.push(Meeting { at: now, until: now + rest, hosts, addr });
        }
    }

    fn judge_meetings(&mut self, now: SimTime) {
        let (ledgers, violations) = (&self.ledgers, &mut self.violations);
        self.meetings.retain(|meeting| {
            if meeting.until >= now {
                return true;
            }
            let [one, other] = meeting.hosts;
            let keeps = |host: u32| {
                let since = ledgers[host as usize].held_since(meeting.addr);
                since.is_some_and(|since| since <= meeting.at)
            };
            if keeps(one) && keeps(other) && violations.len() < VIOLATIONS_MAX {
                let text = format!("#{one} and #{other} have met and both keep {}", meeting.addr);
                violations.push(Violation { at: now, node: one, rule: ONE_HOLDER, text });
            }
            false
        });
    }

    /// The run is over. What was due by now must have happened.
    pub(crate) fn finish(&mut self, now: SimTime) {
        for node in 0..u32::try_from(self.ledgers.len()).unwrap_or(0) {
            // Nothing happens, at a time when something may be overdue.
            self.note(now, node, &Fact::Interrupted);
        }
        self.judge_meetings(now + Duration::from_secs(3600));
        for (rule, text) in self.choices.verdicts(&self.terms) {
            self.violate(now, 0, rule, text);
        }
    }

    pub(crate) fn violate(&mut self, at: SimTime, node: u32, rule: &'static str, text: String) {
        self.violations.push(Violation { at, node, rule, text });
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

#[cfg(test)]
mod tests;

// A ledger is what the checkers cost for each host.
const _: () = assert!(size_of::<Ledger>() <= 256, "a ledger costs at most 256 bytes");
