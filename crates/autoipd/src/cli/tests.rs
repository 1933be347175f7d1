//! The letters of QNX's autoipd, their meaning and defaults, and what is refused with which words.

use super::*;
use crate::config::{self, Config};
use crate::selection::{Criterion, Rule};
use crate::settings::{InterfaceSettings, RouteSettings, Settings};
use autoip_core::{Timing, timing};

fn source(line: &str) -> Source {
    parse(words(line)).map_err(|error| error.0.to_string()).unwrap()
}

/// What a command line means where there is no file.
fn settings(line: &str) -> Settings {
    source(line).over(&Config::default()).unwrap()
}

/// What a command line means over a file.
fn over(line: &str, file: &str) -> Settings {
    source(line).over(&config::read("file", file).unwrap()).unwrap()
}

fn refusal(line: &str) -> String {
    let error = parse(words(line)).unwrap_err().0;
    assert_eq!(error.exit_code(), 2, "{line}");
    error.to_string()
}

fn words(line: &str) -> Vec<OsString> {
    std::iter::once("autoipd").chain(line.split_whitespace()).map(OsString::from).collect()
}

fn only(line: &str) -> InterfaceSettings {
    named(line).1
}

/// The names in the rules, "" for a rule without one.
fn names(settings: &Settings) -> Vec<String> {
    let name = |rule: &Rule| match rule.criteria.first() {
        Some(Criterion::Name(pattern)) => pattern.to_string(),
        Some(Criterion::Mac(_) | Criterion::Kind(_) | Criterion::Driver(_)) | None => String::new(),
    };
    settings.rules.iter().map(name).collect()
}

fn named(line: &str) -> (String, InterfaceSettings) {
    let settings = settings(line);
    assert_eq!(settings.rules.len(), 1, "{line}");
    (names(&settings).remove(0), settings.rules[0].settings.clone().unwrap())
}

//= test LL-9-11
#[test]
fn defaults_are_the_rfcs() {
    let settings = settings("-i eth0");
    assert_eq!(settings.process.state_dir, PathBuf::from("/var/lib/autoip"));
    let control = Some(PathBuf::from("/run/autoip/net.autoip.Manager"));
    assert_eq!(settings.process.control, control);
    assert_eq!(settings.process.verbosity, Verbosity::Normal);
    assert_eq!((settings.process.guard, settings.process.exempt.len()), (GuardMode::Auto, 0));
    assert!(settings.rules[0].required, "without this one the daemon does not start");
    assert_eq!(
        only("-i eth0"),
        InterfaceSettings {
            mode: Mode::Fallback,
            start: None,
            range: AddrRange::ALL,
            defend: Defend::Once,
            timing: Timing::RFC3927,
            wait: Duration::ZERO,
            grace: Duration::from_secs(600),
            routes: RouteSettings { metric: None, default_route: false },
            alias: Some(9),
        }
    );
}

#[test]
fn every_letter_of_qnx_means_what_it_meant_there() {
    assert_eq!(only("-i en0 -a 4").timing.announce_count.get(), 4);
    assert_eq!(only("-i en0 -d").defend, Defend::Never);
    assert_eq!(only("-i en0 -f").mode, Mode::Always);
    assert_eq!(only("-i en0 -p 5").timing.probe_count.get(), 5);
    assert_eq!(only("-i en0 -s 169.254.7.9").start, "169.254.7.9".parse().ok());
    assert_eq!(only("-i en0 -t 30").wait, Duration::from_secs(30));
    assert_eq!(settings("-i en0 -v").process.verbosity, Verbosity::Debug);
    assert_eq!(settings("-i en0 -vv").process.verbosity, Verbosity::Trace);
    let timing = only("-i en0 -w 3").timing;
    assert_eq!((timing.announce_wait_ms, timing.announce_interval_ms), (3000, 3000));
    assert!(!timing.is_rfc3927());
    assert_eq!(names(&settings("-i a -i b -dfv")), ["a", "b"]);
}

#[test]
fn long_options_stand_beside_the_letters() {
    let long = "--interface en0 --announcements 4 --no-defend --force --probes 5 \
                --start 169.254.7.9 --wait 30 --verbose --announce-wait 3";
    assert_eq!(settings(long), settings("-i en0 -a 4 -d -f -p 5 -s 169.254.7.9 -t 30 -v -w 3"));
}

#[test]
fn an_option_list_is_nfm_autoip() {
    let (name, listed) = named("-o ip=169.254.20.20,delay=200,abandon");
    assert_eq!((name.as_str(), listed.mode), ("en0", Mode::Always));
    assert_eq!((listed.start, listed.defend), ("169.254.20.20".parse().ok(), Defend::Never));
    let timing = listed.timing;
    assert_eq!((timing.probe_wait_ms, timing.probe_min_ms, timing.probe_max_ms), (200, 200, 200));
    assert_eq!(u64::from(timing.announce_wait_ms), timing::ANNOUNCE_WAIT.as_secs() * 1000);
    let timing = only("-o if=eth1").timing;
    assert_eq!(
        (timing.probe_wait_ms, timing.probe_min_ms, timing.probe_max_ms),
        (1000, 2000, 2000)
    );
    assert_eq!(settings("-o debug").process.verbosity, Verbosity::Debug);
    assert_eq!(names(&settings("-i eth0 -o if=eth1")), ["eth0", "eth1"]);
}

#[test]
fn profiles_and_single_numbers_combine() {
    assert_eq!(only("-i e --timing draft-07").timing, Timing::DRAFT_07);
    assert_eq!(only("-i e --timing fast").timing, Timing::FAST);
    assert_eq!(only("-i e --timing rfc3927").timing, Timing::RFC3927);
    let mixed = only("-i e --timing fast -a 1").timing;
    assert_eq!((mixed.announce_count.get(), mixed.probe_max_ms), (1, Timing::FAST.probe_max_ms));
}

#[test]
fn modes_and_routes_can_be_chosen() {
    assert_eq!(only("-i e --mode fallback").mode, Mode::Fallback);
    assert_eq!(only("-i e --mode always").mode, Mode::Always);
    assert_eq!(only("-i e --mode route").mode, Mode::Route);
    assert!(refusal("-i e -f --mode route").contains("--force"));
    let routes = only("-i e --metric 99 --default-route").routes;
    assert_eq!(routes, RouteSettings { metric: Some(99), default_route: true });
    assert!(!only("-i e --default-route=false").routes.default_route);
}

#[test]
fn the_guard_can_be_chosen() {
    for (word, mode) in [
        ("auto", GuardMode::Auto),
        ("nft", GuardMode::Nft),
        ("sysctl", GuardMode::Sysctl),
        ("off", GuardMode::Off),
    ] {
        assert_eq!(settings(&format!("-i e --guard {word}")).process.guard, mode);
    }
    assert!(refusal("-i e --guard iptables").contains("sysctl"));
    let exempt = settings("-i e --forward 169.254.169.254 --forward 169.254.0.1").process.exempt;
    assert_eq!(exempt, [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(169, 254, 0, 1)]);
    assert!(refusal("-i e --forward 10.0.0.1").contains("169.254.0.0 to 169.254.255.255"));
}

#[test]
fn defence_and_range_can_be_chosen() {
    assert_eq!(only("-i e --defend never").defend, Defend::Never);
    assert_eq!(only("-i e --defend once").defend, Defend::Once);
    assert!(refusal("-i e -d --defend once").contains("--defend"));
    let range = only("-i e --range 169.254.10.0-169.254.10.255").range;
    assert_eq!(range.to_string(), "169.254.10.0-169.254.10.255");
    assert!(refusal("-i e --range 169.254.10.0").contains("hyphen"));
    let outside = refusal("-i e --range 169.254.10.0-169.254.10.255 -s 169.254.11.1");
    assert!(outside.contains("169.254.11.1 does not lie in the range"), "{outside}");
}

#[test]
fn without_interfaces_every_one_is_meant() {
    let settings = settings("-f");
    assert_eq!(names(&settings), [""]);
    assert!(settings.rules[0].criteria.is_empty() && !settings.rules[0].required);
    assert_eq!(settings.rules[0].settings.as_ref().unwrap().mode, Mode::Always);
}

#[test]
fn interfaces_can_be_patterns() {
    let settings = settings("-i eth* -i br?");
    assert_eq!(names(&settings), ["eth*", "br?"]);
    assert!(settings.rules.iter().all(|rule| !rule.required), "none may be there");
}

#[test]
fn the_command_line_wins_over_the_file() {
    let file = "mode = \"always\"\nwait = 7\nmetric = 3\nguard = \"off\"\nstate-dir = \"/f\"\n\
                forward = [\"169.254.0.1\"]\nverbosity = \"trace\"\nhooks = \"/f/hooks\"\n\
                sandbox = false";
    let kept = over("-i eth0", file);
    let interface = kept.rules[0].settings.clone().unwrap();
    assert_eq!((interface.mode, interface.wait.as_secs()), (Mode::Always, 7));
    assert_eq!((kept.process.guard, kept.process.exempt.len()), (GuardMode::Off, 1));
    assert_eq!(kept.process.verbosity, Verbosity::Trace);
    assert!(!kept.process.sandbox);
    assert_eq!(kept.process.hooks, Some(PathBuf::from("/f/hooks")));
    let line = "-i eth0 --mode route -t 0 --guard nft --state-dir /c --forward 169.254.0.2 -v \
                --hooks none --sandbox on";
    let won = over(line, file);
    let interface = won.rules[0].settings.clone().unwrap();
    assert_eq!((interface.mode, interface.wait.as_secs()), (Mode::Route, 0));
    assert_eq!(interface.routes.metric, Some(3), "what it says nothing of stays");
    assert_eq!((won.process.guard, won.process.state_dir), (GuardMode::Nft, PathBuf::from("/c")));
    assert_eq!(won.process.exempt, [Ipv4Addr::new(169, 254, 0, 2)]);
    assert_eq!(won.process.verbosity, Verbosity::Debug);
    assert_eq!((won.process.hooks, won.process.sandbox), (None, true));
}

const TABLES: &str = "metric = 1\n\
                      [[interface]]\nmatch = \"eth3\"\nmanage = false\n\
                      [[interface]]\nmatch = \"eth*\"\nmetric = 2\n";

#[test]
fn without_interfaces_on_the_command_line_the_file_chooses() {
    let settings = over("-f", TABLES);
    assert_eq!(names(&settings), ["eth3", "eth*"]);
    assert_eq!(settings.rules[0].settings, None);
    let taken = settings.rules[1].settings.clone().unwrap();
    assert_eq!((taken.routes.metric, taken.mode), (Some(2), Mode::Always));
    assert!(settings.rules.iter().all(|rule| !rule.required));
    let won = over("--metric 9", TABLES);
    assert_eq!(won.rules[1].settings.as_ref().unwrap().routes.metric, Some(9));
}

#[test]
fn interfaces_on_the_command_line_have_the_settings_of_the_file() {
    let settings = over("-i eth3 -i e*", TABLES);
    let rules: Vec<_> = settings
        .rules
        .iter()
        .map(|rule| {
            let metric = rule.settings.as_ref().and_then(|settings| settings.routes.metric);
            (rule.criteria.len(), rule.settings.is_some(), metric, rule.required)
        })
        .collect();
    let expected = [
        // eth3 is meant, although the file leaves it alone.
        (2, true, Some(2), true),
        (1, true, Some(1), true),
        // Of the others it is not.
        (2, false, None, false),
        (2, true, Some(2), false),
        (1, true, Some(1), false),
    ];
    assert_eq!(rules, expected);
}

#[test]
fn tables_of_other_names_cost_nothing() {
    let table = |n: u32| format!("[[interface]]\nmatch = \"eth{n}\"\nmetric = {n}\n");
    let file: String = (0..5).map(table).collect();
    let settings = over("-i eth3 -i eth9", &file);
    assert_eq!(names(&settings), ["eth3", "eth3", "eth9"]);
}

#[test]
fn what_contradicts_the_file_is_named() {
    let file = config::read("file", "range = \"169.254.9.0-169.254.9.9\"").unwrap();
    let error = source("-i e -s 169.254.7.7").over(&file).unwrap_err();
    assert!(error.contains("169.254.7.7") && error.contains("169.254.9.0-169.254.9.9"), "{error}");
}

#[test]
fn the_alias_is_a_number_or_none() {
    assert_eq!(only("-i e --alias 0").alias, Some(0));
    assert_eq!(only("-i e --alias none").alias, None);
    assert!(refusal("-i e --alias nine").contains("\"none\""));
}

#[test]
fn refuses_numbers_out_of_range_with_what_is_allowed() {
    for (line, given, allowed) in [
        ("-i e -a 0", "0", "from 1 to 16"),
        ("-i e -a 17", "17", "from 1 to 16"),
        ("-i e -p 0", "0", "from 1 to 16"),
        ("-i e -w 0", "0", "from 1 to 60"),
        ("-i e -w 61", "61", "from 1 to 60"),
        ("-i e -t 86401", "86401", "from 0 to 86400"),
        ("-i e --grace 86401", "86401", "from 0 to 86400"),
        ("-i e --metric ten", "ten", "from 0 to 4294967295"),
        ("-o delay=8001", "8001", "1 to 8000"),
        ("-i e -s 169.254.255.1", "169.254.255.1", "169.254.1.0 to 169.254.254.255"),
        ("-i e -s 10.0.0.1", "10.0.0.1", "169.254.1.0 to 169.254.254.255"),
        ("-i e -s eth0", "eth0", "169.254.1.0 to 169.254.254.255"),
    ] {
        let text = refusal(line);
        assert!(text.contains(given) && text.contains(allowed), "{line}: {text}");
    }
}

#[test]
fn refuses_unknown_options_and_interfaces_given_twice() {
    assert!(refusal("-i eth0 -x").contains("-x"));
    assert!(refusal("-i eth0 --speed 3").contains("--speed"));
    assert!(refusal("eth0").contains("eth0"));
    assert!(refusal("-i eth0 -o if=eth0").contains("twice"));
}

#[test]
fn refuses_names_that_no_interface_can_have() {
    for name in ["enx00112233445566", "a/b", "eth0:9", ".."] {
        assert!(refusal(&format!("-i {name}")).contains("1 to 15 bytes"), "{name}");
    }
    assert!(refusal("-o if=").contains("if= names no interface"));
}

#[test]
fn the_definition_of_the_options_is_sound() {
    Cli::command().debug_assert();
    let help = Cli::command().render_help().to_string();
    for letter in ["-a", "-c", "-d", "-f", "-i", "-o", "-p", "-s", "-t", "-v", "-w"] {
        assert!(help.contains(&format!("  {letter}, --")), "{letter} is missing in:\n{help}");
    }
}
