//! Random inputs, and the engine and the model side by side.

use std::time::Duration;

use autoip_core::{
    Action, AddrRange, Config, DEFAULT_KEY, Defend, Engine, Event, Instant, LinkLocalAddr, Loss,
    MacAddr, Sequence, Timing,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::reference::Model;

/// One thing that happens to an engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Start,
    Stop(Loss),
    SetMac(MacAddr),
    Installed,
    InstallFailed,
    AddressDeleted,
    Reannounce,
    TransmitFailed,
    Timeout,
    /// Received then, which may be a while ago.
    Frame(Instant, Vec<u8>),
}

/// What is drawn: an input, or what it is made of once the state is known.
#[derive(Clone, Debug)]
enum Draw {
    Plain(Input),
    /// Time passes; deadlines may pass unnoticed.
    Wait(Duration),
    /// The deadline comes, and so much more time passes.
    Due(Duration),
    /// A frame about the address held or tried, or about another one.
    Heard {
        kind: usize,
        mac: MacAddr,
        about_held: bool,
        lag: Duration,
        damage: Option<(usize, u8)>,
    },
}

/// Destination, operation, and the addresses of sender and target: the address in question is 1,
/// another one is 2, none is 0.
const KINDS: [(bool, u8, u8, u8); 10] = [
    (true, 2, 1, 2),
    (false, 2, 1, 2),
    (true, 1, 1, 1),
    (true, 1, 1, 2),
    (true, 1, 0, 1),
    (false, 1, 0, 1),
    (true, 2, 0, 1),
    (true, 1, 2, 1),
    (true, 1, 2, 2),
    (true, 4, 1, 1),
];

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const START: Instant = Instant::from_nanos(1_000_000_000_000);

fn frame(kind: usize, mac: MacAddr, addr: LinkLocalAddr) -> Vec<u8> {
    let (to_all, operation, sender, target) = KINDS[kind];
    let ip = |which| match which {
        0 => [0; 4],
        1 => addr.ip().octets(),
        _ => [169, 254, 99, 99],
    };
    let destination = if to_all { [0xff; 6] } else { OWN.0 };
    let mut bytes = [destination, mac.0].concat();
    bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    bytes.extend([&mac.0[..], &ip(sender), &[0; 6], &ip(target)].concat());
    bytes
}

#[derive(Clone, Debug)]
struct Setup {
    seed: u64,
    timing: Timing,
    defend: Defend,
    first: Option<LinkLocalAddr>,
}

/// Runs both; the first difference is the error.
fn compare(setup: &Setup, draws: &[Draw]) -> Result<(), String> {
    let Setup { seed, timing, defend, first } = *setup;
    let mut engine = Engine::new(Config { timing, defend, first, ..Config::new(OWN, seed) });
    let yields = defend == Defend::Never;
    let mut model = Model::new(OWN.0, timing, yields, first);
    let mut now = START;
    let mut sent = false;
    for (turn, draw) in draws.iter().enumerate() {
        let input = match *draw {
            Draw::Wait(duration) => {
                now = now + duration;
                continue;
            }
            Draw::Due(late) => {
                now = engine.poll_timeout().map_or(now, |at| now.max(at)) + late;
                Input::Timeout
            }
            // A driver says so right after it has tried.
            Draw::Plain(Input::TransmitFailed) if !sent => continue,
            Draw::Plain(ref input) => input.clone(),
            Draw::Heard { kind, mac, about_held, lag, damage } => {
                let about = engine.addr().filter(|_| about_held).unwrap_or(LinkLocalAddr::LAST);
                let mut bytes = frame(kind, mac, about);
                if let Some((at, value)) = damage {
                    bytes[at] = value;
                }
                let lag = u64::try_from(lag.as_nanos()).expect("short");
                Input::Frame(Instant::from_nanos(now.as_nanos() - lag), bytes)
            }
        };
        apply(&mut engine, now, &input);
        let told = std::iter::from_fn(|| engine.poll_action());
        // No rule knows deniers.
        let told = told.filter(|action| !matches!(action, Action::Report(Event::Denier(_))));
        let told: Vec<Action> = told.collect();
        let expected = model.step(now, &input, &told);
        sent = told.iter().any(|action| matches!(action, Action::Transmit(_)));
        let agreed = if told == expected {
            model.settle(engine.poll_timeout())
        } else {
            Err(format!("told     {told:?}\nexpected {expected:?}"))
        };
        agreed.map_err(|what| {
            format!("turn {turn} at {now:?}, {input:?}:\n{what}\n{model:?}\n{engine:?}")
        })?;
    }
    Ok(())
}

fn apply(engine: &mut Engine, now: Instant, input: &Input) {
    match *input {
        Input::Start => engine.start(now),
        Input::Stop(loss) => engine.stop(loss),
        Input::SetMac(mac) => {
            engine.set_mac(now, mac, Sequence::new(mac, &DEFAULT_KEY, AddrRange::ALL));
        }
        Input::Installed => engine.installed(now),
        Input::InstallFailed => engine.install_failed(now),
        Input::AddressDeleted => engine.address_deleted(now),
        Input::Reannounce => engine.reannounce(now),
        Input::TransmitFailed => engine.transmit_failed(now),
        Input::Timeout => engine.handle_timeout(now),
        Input::Frame(at, ref bytes) => engine.handle_frame(at, bytes),
    }
}

fn ms(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn mac() -> impl Strategy<Value = MacAddr> {
    prop_oneof![1 => Just(1), 4 => Just(2), 2 => Just(3)].prop_map(|n| MacAddr([2, 0, 0, 0, 0, n]))
}

fn rare() -> impl Strategy<Value = Draw> {
    let loss = prop_oneof![
        Just(Loss::Conflict),
        Just(Loss::Carrier),
        Just(Loss::MacChanged),
        Just(Loss::Retired),
        Just(Loss::Stopped),
        Just(Loss::Deleted)
    ];
    let plain = prop_oneof![
        3 => Just(Input::Start),
        1 => loss.prop_map(Input::Stop),
        1 => mac().prop_map(Input::SetMac),
        1 => Just(Input::InstallFailed),
        2 => Just(Input::AddressDeleted),
        1 => Just(Input::Reannounce),
        1 => Just(Input::Timeout),
        1 => vec(any::<u8>(), 0..64).prop_map(|bytes| Input::Frame(START, bytes)),
    ];
    plain.prop_map(Draw::Plain)
}

/// Inputs among which one in `calm` + 15 or so is a frame.
fn draw(calm: u32) -> impl Strategy<Value = Draw> {
    let late = prop_oneof![4 => Just(Duration::ZERO), 1 => ms(0..3000)];
    let wait = prop_oneof![
        3 => ms(0..100),
        3 => ms(0..2500),
        2 => ms(9_900..10_100),
        1 => ms(50_000..70_000),
        1 => ms(500_000..700_000),
    ];
    let lag = prop_oneof![4 => Just(Duration::ZERO), 1 => ms(0..20)];
    let damage = prop_oneof![9 => Just(None), 1 => (0..42_usize, any::<u8>()).prop_map(Some)];
    let about_held = prop_oneof![9 => Just(true), 1 => Just(false)];
    let heard = (0..KINDS.len(), mac(), about_held, lag, damage).prop_map(
        |(kind, mac, about_held, lag, damage)| Draw::Heard { kind, mac, about_held, lag, damage },
    );
    prop_oneof![
        calm => late.prop_map(Draw::Due),
        3 => heard,
        2 => wait.prop_map(Draw::Wait),
        calm / 4 + 1 => Just(Draw::Plain(Input::Installed)),
        1 => Just(Draw::Plain(Input::TransmitFailed)),
        1 => rare(),
    ]
}

/// Things that come one after the other in life, and hardly ever by chance.
fn episode() -> impl Strategy<Value = Vec<Draw>> {
    let due = || Draw::Due(Duration::ZERO);
    let plain = Draw::Plain;
    let claim = move || {
        let mut draws = vec![due(); 8];
        draws.push(plain(Input::Installed));
        draws
    };
    let conflict = || {
        let (mac, lag) = (MacAddr([2, 0, 0, 0, 0, 2]), Duration::ZERO);
        Draw::Heard { kind: 0, mac, about_held: true, lag, damage: None }
    };
    prop_oneof![
        4 => Just(claim()),
        2 => vec(Just(plain(Input::AddressDeleted)), 1..8).prop_map(move |deleted| {
            deleted.into_iter().flat_map(|it| [it, plain(Input::Installed)]).collect()
        }),
        2 => vec(Just(conflict()), 1..12),
        1 => Just([claim(), vec![conflict(), due(), plain(Input::Stop(Loss::Retired))],
                   vec![plain(Input::Start)], claim(), vec![conflict()]].concat()),
    ]
}

fn draws(calm: u32) -> impl Strategy<Value = Vec<Draw>> {
    let one = draw(calm).prop_map(|draw| vec![draw]);
    vec(prop_oneof![12 => one, 1 => episode()], 1..150).prop_map(|parts| parts.concat())
}

fn setup() -> impl Strategy<Value = Setup> {
    let count = || (1..=5_u8).prop_map(|n| std::num::NonZeroU8::new(n).expect("one or more"));
    let any_timing = (0..3000_u16, count(), 1..3000_u16, 1..3000_u16, 0..3000_u16, count())
        .prop_map(
            |(
                probe_wait_ms,
                probe_count,
                probe_min_ms,
                probe_max_ms,
                announce_wait_ms,
                announce_count,
            )| {
                Timing {
                    probe_wait_ms,
                    probe_count,
                    probe_min_ms,
                    probe_max_ms,
                    announce_wait_ms,
                    announce_count,
                    ..Timing::RFC3927
                }
            },
        );
    let timing =
        prop_oneof![4 => Just(Timing::RFC3927), 1 => Just(Timing::DRAFT_07), 2 => any_timing];
    let defend =
        prop_oneof![3 => Just(Defend::Once), 1 => Just(Defend::Never), 1 => Just(Defend::Always)];
    let first = proptest::option::of(
        (0..LinkLocalAddr::COUNT).prop_map(|n| LinkLocalAddr::from_index(n).expect("in range")),
    );
    (any::<u64>(), timing, defend, first).prop_map(|(seed, timing, defend, first)| Setup {
        seed,
        timing,
        defend,
        first,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    //= test LL-1.2-01
    //= test LL-1.2-02
    //= test LL-1.5-01
    //= test LL-2.2.1-05
    //= test LL-2.2.1-06
    //= test LL-2.2.1-07
    //= test LL-2.2.1-08
    //= test LL-2.2.1-10
    //= test LL-2.2.1-11
    //= test LL-2.4-01
    //= test LL-2.4-02
    //= test LL-2.5-01
    //= test LL-2.5-02
    //= test LL-2.5-05
    //= test LL-2.5-07
    //= test ACD-1.3-02
    //= test ACD-2.1.1-07
    //= test ACD-2.1.1-08
    //= test ACD-2.1.1-09
    //= test DNA-2-01
    #[test]
    fn the_engine_does_what_the_model_says(
        setup in setup(),
        draws in prop_oneof![draws(2), draws(10), draws(40)],
    ) {
        let started = std::iter::once(Draw::Plain(Input::Start)).chain(draws);
        let result = compare(&setup, &started.collect::<Vec<_>>());
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
