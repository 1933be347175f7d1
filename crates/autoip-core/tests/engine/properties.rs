//! Random runs: commands in any order, frames of all kinds, bytes of no kind, timeouts early,
//! late and never, installs acknowledged or not. [`crate::invariants`] says what must hold.

use std::time::Duration;

use autoip_core::{
    Action, AddrRange, Config, DEFAULT_KEY, Defend, Engine, Instant, LinkLocalAddr, Loss, MacAddr,
    Phase, Sequence, Stage, Timing,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::{
    NANOSECOND, OWN, PEER, START, THIRD, announcement, before, elsewhere, ms, probe, reply,
    request, secs, unicast_probe, unicast_reply, zero_sender_reply,
};
use crate::invariants::{Cause, RULES, Turn};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Input {
    /// Time passes; deadlines may pass unnoticed.
    Wait(Duration),
    /// Time passes up to the deadline, and it is kept.
    Due,
    Timeout,
    Start,
    Stop(Loss),
    SetMac(MacAddr),
    AvoidHeld,
    Avoid(LinkLocalAddr),
    Installed,
    InstallFailed,
    AddressDeleted,
    Reannounce,
    TransmitFailed,
    Frame(Heard),
    Bytes(Vec<u8>),
}

/// A frame that was received a while ago.
#[derive(Clone, Debug)]
struct Heard {
    kind: usize,
    mac: MacAddr,
    /// About the address held or tried, or about another one.
    about_held: bool,
    lag: Duration,
    /// A byte to change, and what to.
    damage: Option<(usize, u8)>,
}

type Say = fn(MacAddr, LinkLocalAddr) -> [u8; 42];

const KINDS: [Say; 8] = [
    reply,
    unicast_reply,
    announcement,
    probe,
    unicast_probe,
    zero_sender_reply,
    |mac, addr| request(mac, addr, elsewhere()),
    |mac, addr| request(mac, elsewhere(), addr),
];

/// How an engine is set up, and how its driver behaves.
#[derive(Clone, Debug)]
struct Setup {
    seed: u64,
    timing: Timing,
    defend: Defend,
    first: Option<LinkLocalAddr>,
    /// Whether installs are acknowledged at once.
    acknowledges: bool,
}

/// An engine on its way through a run.
struct Runner {
    engine: Engine,
    acknowledges: bool,
    now: Instant,
    mac: MacAddr,
    turns: Vec<Turn>,
}

fn drain(engine: &mut Engine) -> Vec<Action> {
    std::iter::from_fn(|| engine.poll_action()).collect()
}

impl Runner {
    fn new(setup: &Setup) -> Self {
        let config = Config {
            timing: setup.timing,
            defend: setup.defend,
            first: setup.first,
            ..Config::new(OWN, setup.seed)
        };
        let (engine, acknowledges) = (Engine::new(config), setup.acknowledges);
        Self { engine, acknowledges, now: START, mac: OWN, turns: Vec::new() }
    }

    fn run(setup: &Setup, inputs: &[Input]) -> Self {
        let mut runner = Self::new(setup);
        for input in inputs {
            runner.apply(input);
        }
        runner
    }

    fn turn(&mut self, cause: Cause, input: impl FnOnce(&mut Engine, Instant)) {
        let status = self.engine.snapshot(self.now);
        input(&mut self.engine, self.now);
        let actions = drain(&mut self.engine);
        let installs = actions.iter().any(|it| matches!(it, Action::Install(_)));
        let after = self.engine.snapshot(self.now);
        self.turns.push(Turn {
            now: self.now,
            cause,
            actions,
            before: status,
            after,
            mac: self.mac,
        });
        self.assert_progress();
        if installs && self.acknowledges {
            self.turn(Cause::Installed, Engine::installed);
        }
    }

    fn apply(&mut self, input: &Input) {
        match *input {
            Input::Wait(duration) => self.now = self.now + duration,
            Input::Due => {
                self.now = self.engine.poll_timeout().map_or(self.now, |at| at.max(self.now));
                self.turn(Cause::Other, Engine::handle_timeout);
            }
            Input::Timeout => self.turn(Cause::Other, Engine::handle_timeout),
            Input::Start => self.turn(Cause::Other, Engine::start),
            Input::Stop(loss) => self.turn(Cause::Other, |engine, _| engine.stop(loss)),
            Input::SetMac(mac) => {
                let sequence = Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL);
                self.turn(Cause::SetMac(mac), |engine, now| engine.set_mac(now, mac, sequence));
                self.mac = mac;
            }
            Input::AvoidHeld => {
                if let Some(addr) = self.engine.addr() {
                    self.turn(Cause::Other, |engine, now| engine.avoid(now, addr));
                }
            }
            Input::Avoid(addr) => self.turn(Cause::Other, |engine, now| engine.avoid(now, addr)),
            Input::Installed => self.turn(Cause::Installed, Engine::installed),
            Input::InstallFailed => self.turn(Cause::InstallFailed, Engine::install_failed),
            Input::AddressDeleted => self.turn(Cause::AddressDeleted, Engine::address_deleted),
            Input::Reannounce => self.turn(Cause::Other, Engine::reannounce),
            Input::TransmitFailed => {
                // A driver says so right after it has tried.
                let sent = |it: &Action| matches!(it, Action::Transmit(_));
                if self.turns.last().is_some_and(|turn| turn.actions.iter().any(sent)) {
                    self.turn(Cause::TransmitFailed, Engine::transmit_failed);
                }
            }
            Input::Frame(ref heard) => {
                let about = self.engine.addr().filter(|_| heard.about_held);
                let mut bytes = KINDS[heard.kind](heard.mac, about.unwrap_or(elsewhere()));
                if let Some((at, value)) = heard.damage {
                    bytes[at] = value;
                }
                self.receive(before(self.now, heard.lag), &bytes);
            }
            Input::Bytes(ref bytes) => self.receive(self.now, bytes),
        }
    }

    fn receive(&mut self, at: Instant, bytes: &[u8]) {
        let cause = Cause::Frame(at, bytes.to_vec());
        self.turn(cause, |engine, _| engine.handle_frame(at, bytes));
    }

    /// A driver that keeps the deadlines never spins: a few calls and they lie ahead.
    fn assert_progress(&self) {
        let mut engine = self.engine.clone();
        for _ in 0..4 {
            if engine.poll_timeout().is_none_or(|deadline| deadline > self.now) {
                return;
            }
            engine.handle_timeout(self.now);
            drain(&mut engine);
        }
        panic!("the deadline stays behind: {engine:?} at {:?}", self.now);
    }
}

fn mac() -> impl Strategy<Value = MacAddr> {
    prop_oneof![1 => Just(OWN), 4 => Just(PEER), 2 => Just(THIRD)]
}

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![Just(Loss::Carrier), Just(Loss::Retired), Just(Loss::Stopped)]
}

fn wait() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => (0..100_u64).prop_map(ms),
        3 => (0..2500_u64).prop_map(ms),
        2 => (9_900..10_100_u64).prop_map(ms),
        1 => (50_000..70_000_u64).prop_map(ms),
        1 => (500..700_u64).prop_map(secs),
    ]
}

fn heard() -> impl Strategy<Value = Heard> {
    let lag = prop_oneof![4 => Just(Duration::ZERO), 1 => (0..20_u64).prop_map(ms)];
    let damage = prop_oneof![9 => Just(None), 1 => (0..42_usize, any::<u8>()).prop_map(Some)];
    let about_held = prop_oneof![9 => Just(true), 1 => Just(false)];
    (0..KINDS.len(), mac(), about_held, lag, damage).prop_map(
        |(kind, mac, about_held, lag, damage)| Heard { kind, mac, about_held, lag, damage },
    )
}

/// Inputs among which one in `calm` + 20 or so is a frame.
fn input(calm: u32) -> impl Strategy<Value = Input> {
    prop_oneof![
        calm => Just(Input::Due),
        4 => heard().prop_map(Input::Frame),
        2 => wait().prop_map(Input::Wait),
        1 => Just(Input::Timeout),
        1 => Just(Input::Installed),
        1 => prop_oneof![
            3 => Just(Input::Start),
            1 => loss().prop_map(Input::Stop),
            1 => mac().prop_map(Input::SetMac),
            1 => Just(Input::AvoidHeld),
            1 => Just(Input::Avoid(elsewhere())),
            1 => Just(Input::InstallFailed),
            2 => Just(Input::AddressDeleted),
            1 => Just(Input::Reannounce),
            2 => Just(Input::TransmitFailed),
            1 => vec(any::<u8>(), 0..64).prop_map(Input::Bytes),
        ],
    ]
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let begun = |calm| {
        vec(input(calm), 1..200).prop_map(|mut inputs| {
            inputs.insert(0, Input::Start);
            inputs
        })
    };
    prop_oneof![begun(2), begun(10), begun(40)]
}

fn setup() -> impl Strategy<Value = Setup> {
    let timing = prop_oneof![
        4 => Just(Timing::RFC3927), 1 => Just(Timing::DRAFT_07), 2 => Just(Timing::FAST)
    ];
    let defend = prop_oneof![4 => Just(Defend::Once), 1 => Just(Defend::Never)];
    let first =
        prop_oneof![Just(None), (0..LinkLocalAddr::COUNT).prop_map(LinkLocalAddr::from_index)];
    let acknowledges = prop_oneof![3 => Just(true), 1 => Just(false)];
    (any::<u64>(), timing, defend, first, acknowledges).prop_map(
        |(seed, timing, defend, first, acknowledges)| Setup {
            seed,
            timing,
            defend,
            first,
            acknowledges,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_every_invariant_holds(setup in setup(), inputs in inputs()) {
        let turns = Runner::run(&setup, &inputs).turns;
        for (name, rule) in RULES {
            prop_assert!(rule(&turns).is_ok(), "{name}: {}", rule(&turns).unwrap_err());
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_actions_at_the_same_instants(
        setup in setup(),
        inputs in inputs(),
    ) {
        prop_assert_eq!(Runner::run(&setup, &inputs).turns, Runner::run(&setup, &inputs).turns);
    }

    /// The longest rest is the rate limit's minute; then a claim takes eleven seconds at most.
    #[test]
    fn after_any_abuse_a_quiet_link_has_an_address(setup in setup(), inputs in inputs()) {
        let mut runner = Runner::run(&setup, &inputs);
        runner.acknowledges = true;
        let quiet = runner.now;
        // What was left hanging: an engine at rest, an install without an answer.
        runner.apply(&Input::Start);
        runner.apply(&Input::Installed);
        while runner.engine.poll_timeout().is_some() {
            runner.apply(&Input::Due);
            prop_assert!(runner.now - quiet <= secs(90), "{:?}", runner.engine);
        }
        prop_assert_eq!(runner.engine.snapshot(runner.now).stage, Stage::Claim(Phase::Bound));
    }

    /// A long time of nothing but bytes: nothing panics, and the address is not lost to noise.
    #[test]
    fn frames_of_random_bytes_change_nothing(frames in vec(vec(any::<u8>(), 0..128), 0..100)) {
        let setup = Setup {
            seed: 1,
            timing: Timing::RFC3927,
            defend: Defend::Once,
            first: None,
            acknowledges: true,
        };
        let mut runner = Runner::new(&setup);
        runner.apply(&Input::Start);
        for frame in frames {
            runner.apply(&Input::Bytes(frame));
            runner.apply(&Input::Due);
        }
        runner.now = runner.now + NANOSECOND;
        for (name, rule) in RULES {
            prop_assert!(rule(&runner.turns).is_ok(), "{name}");
        }
        prop_assert_eq!(runner.engine.snapshot(runner.now).conflicts, 0);
    }
}
