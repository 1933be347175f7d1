//! What a file can say, and every way in which it can be wrong, with the words that help.

use super::*;
use crate::settings::{InterfaceSettings, Mode, Place};
use crate::source::Source;
use autoip_core::{Defend, Timing};
use std::time::Duration;

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = read("autoipd.toml", text).unwrap_err();
    assert!(!mistakes.is_empty());
    mistakes.iter().map(Mistake::to_string).collect()
}

/// The settings of the defaults of a file.
fn defaults(text: &str) -> InterfaceSettings {
    read("file", text).unwrap().defaults.settings().unwrap()
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(read("file", "").unwrap(), Config::default());
    assert_eq!(read("file", "# only a comment\n").unwrap(), Config::default());
}

#[test]
fn every_key_has_its_effect() {
    let text = r#"
        mode = "always"
        start = "169.254.9.9"
        range = "169.254.9.0-169.254.9.255"
        defend = "never"
        timing = "draft-07"
        probes = 5
        probe-wait = "100 ms"
        probe-min = "0.2 s"
        "#
    .replace("0.2 s", "200 ms");
    let settings = defaults(&text);
    assert_eq!((settings.mode, settings.defend), (Mode::Always, Defend::Never));
    assert_eq!(settings.start.unwrap().to_string(), "169.254.9.9");
    assert_eq!(settings.range.to_string(), "169.254.9.0-169.254.9.255");
    let timing = settings.timing;
    assert_eq!((timing.probe_count.get(), timing.probe_wait_ms), (5, 100));
    assert_eq!((timing.probe_min_ms, timing.probe_max_ms), (200, 2000));

    let settings = defaults(
        r#"
        timing = "fast"
        probe-max = "3 s"
        announcements = 4
        announce-wait = "1s 500ms"
        announce-interval = 4
        wait = "10 s"
        grace = "1h 30min"
        metric = 0x10
        default-route = true
        alias = "none"
        "#,
    );
    let timing = settings.timing;
    assert_eq!((timing.probe_max_ms, timing.announce_count.get()), (3000, 4));
    assert_eq!((timing.announce_wait_ms, timing.announce_interval_ms), (1500, 4000));
    assert!(timing.second_round, "of the fast profile");
    assert_eq!((settings.wait.as_secs(), settings.grace.as_secs()), (10, 5400));
    assert_eq!((settings.routes.metric, settings.routes.default_route), (Some(16), true));
    assert_eq!((settings.alias, defaults("alias = 0").alias), (None, Some(0)));
    let tenths = defaults("wait = 1.5\nannounce-wait = 0.25");
    assert_eq!((tenths.wait.as_millis(), tenths.timing.announce_wait_ms), (1500, 250));

    let process = read(
        "file",
        "state-dir = \"/s\"\ncontrol = \"/c\"\nverbosity = \"debug\"\nguard = \"sysctl\"\n\
         forward = [\"169.254.169.254\", \"169.254.0.1\"]\nhooks = \"none\"\n\
         sandbox = false",
    );
    let expected = ProcessChoices {
        state_dir: Some(PathBuf::from("/s")),
        control: Some(Place(Some(PathBuf::from("/c")))),
        verbosity: Some(Verbosity::Debug),
        guard: Some(GuardMode::Sysctl),
        exempt: Some(vec![[169, 254, 169, 254].into(), [169, 254, 0, 1].into()]),
        hooks: Some(PathBuf::from("none")),
        sandbox: Some(false),
    };
    assert_eq!(process.unwrap().process, expected);
}

#[test]
fn interfaces_are_met_in_the_order_of_the_file() {
    let config = read(
        "file",
        r#"
        metric = 1
        [[interface]]
        match = "eth0"
        manage = false
        [[interface]]
        match = { mac = "02:00:5e:10:00:01", kind = "physical", name = "en*" }
        metric = 2
        [[interface]]
        match = { kind = "veth" }
        "#,
    );
    let tables = config.unwrap().tables;
    let seen: Vec<_> = tables
        .iter()
        .map(|table| (table.criteria.len(), table.manage, table.choices.metric))
        .collect();
    assert_eq!(seen, [(1, false, None), (3, true, Some(2)), (1, true, None)]);
}

#[test]
fn drivers_have_names_of_all_sorts() {
    for name in ["e1000e", "cdc_ether", "g_ether", "usb-net.2", "MOSCHIP usb-ethernet driver"] {
        let text = format!("[[interface]]\nmatch = {{ driver = \"{name}\" }}");
        let tables = read("file", &text).unwrap().tables;
        assert_eq!(tables[0].criteria, [Criterion::Driver(name.to_owned())]);
    }
}

/// Each with its line, what was given, and what helps.
#[test]
fn mistakes_are_named_with_line_key_value_and_remedy() {
    for (text, words) in [
        ("mode = \"sometimes\"", &["1: mode = \"sometimes\"", "\"fallback\", \"always\" or"][..]),
        ("\n\nmode = 3", &["3: mode = 3", "\"route\""]),
        ("start = \"10.0.0.1\"", &["start = \"10.0.0.1\"", "169.254.1.0 to 169.254.254.255"]),
        ("start = 169", &["start = 169", "in quotes"]),
        ("range = \"169.254.9.9\"", &["range = \"169.254.9.9\"", "hyphen"]),
        ("range = [1]", &["range = […]", "169.254.10.0-169.254.10.255"]),
        ("defend = true", &["defend = true", "\"once\" or \"never\""]),
        ("timing = \"slow\"", &["timing = \"slow\"", "\"rfc3927\", \"draft-07\" or \"fast\""]),
        ("probes = 0", &["probes = 0", "1 to 16"]),
        ("probes = 17", &["probes = 17", "1 to 16"]),
        ("probes = 300", &["probes = 300", "1 to 16"]),
        ("announcements = -1", &["announcements = -1", "1 to 16"]),
        ("announcements = \"two\"", &["announcements = \"two\"", "1 to 16"]),
        ("probe-wait = \"2 min\"", &["probe-wait = \"2 min\"", "0 s to 60 s"]),
        ("probe-min = 0", &["probe-min = 0", "1 ms to 60 s"]),
        ("probe-max = \"soon\"", &["probe-max = \"soon\"", "\"200 ms\""]),
        ("probe-max = \"1500 us\"", &["probe-max = \"1500 us\"", "whole milliseconds"]),
        ("announce-wait = 1.0005", &["announce-wait = 1.0005", "whole milliseconds"]),
        ("wait = nan", &["wait = nan", "\"10 s\""]),
        ("wait = -1.5", &["wait = -1.5", "from 0 s to 1 day"]),
        ("wait = 1e300", &["wait = 1e300", "1 day"]),
        ("announce-interval = \"10\"", &["announce-interval = \"10\"", "units"]),
        ("wait = -3", &["wait = -3", "number of seconds"]),
        ("wait = \"25 h\"", &["wait = \"25 h\"", "0 s to 1 day"]),
        ("grace = \"99999999999999999999 s\"", &["grace = ", "1 day"]),
        ("metric = 4294967296", &["metric = 4294967296", "0 to 4294967295"]),
        ("default-route = \"yes\"", &["default-route = \"yes\"", "true or false"]),
        ("alias = 65536", &["alias = 65536", "0 to 65535, or \"none\""]),
        ("alias = \"nine\"", &["alias = \"nine\"", "\"none\""]),
        ("state-dir = \"var\"", &["state-dir = \"var\"", "whole path"]),
        ("hooks = \"no\"", &["hooks = \"no\"", "whole path", "or \"none\""]),
        ("control = \"run\"", &["control = \"run\"", "whole path", "\"none\""]),
        ("control = false", &["control = false", "\"none\""]),
        ("verbosity = 3", &["verbosity = 3", "\"normal\", \"debug\" or \"trace\""]),
        ("guard = \"iptables\"", &["guard = \"iptables\"", "\"auto\", \"nft\", \"sysctl\""]),
        ("forward = \"169.254.0.1\"", &["forward = \"169.254.0.1\"", "a list"]),
        ("forward = [\"10.0.0.1\"]", &["forward = […]", "\"10.0.0.1\"", "169.254.0.0"]),
        ("moed = \"always\"", &["1: moed is not a key: did you mean mode?"]),
        ("gaurd = \"off\"", &["1: gaurd is not a key: did you mean guard?"]),
        ("announce-count = 2", &["1: announce-count is not a key; the keys here are mode"]),
        (
            "[[interface]]\nmatch = \"e\"\nunmanaged = true",
            &["3: unmanaged is not a key; the keys here are match"],
        ),
        ("note = 1", &["1: note is not a key; the keys here are mode"]),
        ("address = \"169.254.7.7\"", &["1: address is not a key", "mode, start, range"]),
        ("default_route = true", &["default_route is not a key", "default-route"]),
        ("\"a\\nb\" = 1", &["\"a\\nb\" is not a key"]),
        ("match = \"eth0\"", &["match is said of certain interfaces", "[[interface]]"]),
        ("interface = 3", &["two brackets"]),
        ("interface = [3]", &["interface = 3", "[[interface]]"]),
        ("[interface]\nmatch = \"e\"", &["1: interface is one of many", "two brackets"]),
        ("[[interface]]\nmode = \"always\"", &["1: [[interface]] does not say which", "match"]),
        ("[[interface]]\nmatch = \"a b\"", &["2: match = \"a b\"", "1 to 15 bytes"]),
        ("[[interface]]\nmatch = {}", &["2: match = {…}", "kind = \"bridge\""]),
        (
            "[[interface]]\nmatch = { mac = \"02:00\" }",
            &["match = {…}", "\"02:00\" is none", "02:00:5e:10:00:01"],
        ),
        (
            "[[interface]]\nmatch = \"e*\"\n[[interface]]\nmatch = \"e*\"\nmetric = 2",
            &["3: another [[interface]] before this one has the same match", "one table"],
        ),
        ("[[interface]]\nmatch = { mac = \"01:00:5e:00:00:01\" }", &["group's address"]),
        ("[[interface]]\nmatch = { mac = \"00:00:00:00:00:00\" }", &["nobody's address"]),
        ("[[interface]]\nmatch = { kind = \"WiFi\" }", &["no kind \"WiFi\"", "\"physical\""]),
        ("[[interface]]\nmatch = { kind = \"wifi\" }", &["no kind \"wifi\"", "\"physical\""]),
        ("[[interface]]\nmatch = { kind = \"\" }", &["\"physical\"", "\"vlan\""]),
        ("[[interface]]\nmatch = { kind = \"a.b\" }", &["\"physical\"", "\"vlan\""]),
        ("[[interface]]\nmatch = { driver = \"\" }", &["match = {…}", "ethtool -i"]),
        ("[[interface]]\nmatch = { driver = \"a\\tb\" }", &["match = {…}", "printable"]),
        (
            "[[interface]]\nmatch = { driver = \"a name that no kernel has room for\" }",
            &["match = {…}", "1 to 31"],
        ),
        ("[[interface]]\nmatch = { speed = \"1000\" }", &["speed is not a key", "name, mac"]),
        ("[[interface]]\nmatch = \"e\"\nmanage = 1", &["3: manage = 1", "true or false"]),
        (
            "[[interface]]\nmatch = \"e\"\nguard = \"off\"",
            &["3: guard holds for the whole daemon", "above the first [[interface]]"],
        ),
        (
            "[[interface]]\nmatch = \"e\"\nmanage = false",
            &["1: no [[interface]] is to be managed", "match = \"*\""],
        ),
        ("mode = ", &["autoipd.toml:1: "]),
        ("mode = \"always\"\nmode = \"route\"", &["autoipd.toml:2: mode is said twice: keep"]),
        ("mode = always # why", &["1: mode = always: put the value in quotes, mode = \"always\""]),
        ("\nstart = 169.254.1.1", &["2: start = 169.254.1.1: ", "quotes, start = \"169.254.1.1\""]),
        ("range = 169.254.1.1-169.254.1.9", &["quotes, range = \"169.254.1.1-169.254.1.9\""]),
        ("wait = 10 s\nmetric = 1", &["1: wait = 10 s: put the value in quotes"]),
        ("[[interface]]\nmatch = eth*\n", &["2: match = eth*: put the value in quotes"]),
        ("mode =\nmetric = 1", &["1: mode has no value: write one, or leave the line out"]),
        ("mode \"always\"", &["1: mode \"always\": ", "expected `=`"]),
        ("metric = 07", &["1: metric = 07: give a whole number"]),
        ("sandbox = True", &["1: sandbox = True: give true or false"]),
        ("default-route = yes", &["1: default-route = yes: give true or false"]),
        ("[[interface]]\nmatch = \"e\"\nmanage = off", &["3: manage = off: give true or false"]),
        ("wait = .5", &["1: wait = .5: "]),
        ("forward = [\n\"169.254.1.1\",\ndefault-route = true", &["default-route = true: "]),
        ("forward = [169.254.169.254]", &["1: forward = [169.254.169.254]: ", "stand in quotes"]),
        ("[[interface]]\nmatch = { name = eth0 }", &["2: match = { name = eth0 }: ", "in quotes"]),
        ("[[interface]]\nmatch = { name = \"e\",\nwait = 1.5", &["wait = 1.5: "]),
        ("mode = \"\"\"always\n", &["not ended"]),
        ("[interface]\n[[interface]]", &["2: interface is one of many", "two brackets"]),
        ("mode = \"always\"\n\"mode\" = \"route\"", &["2: mode is said twice"]),
        ("[[interface]\nmatch = \"a\"", &["1: [[interface]: unclosed array table"]),
        ("a = [[[[", &["autoipd.toml:1: "]),
    ] {
        let mistakes = mistakes(text);
        let [mistake] = &mistakes[..] else { panic!("{text}: {mistakes:#?}") };
        assert!(mistake.starts_with("autoipd.toml:"), "{mistake}");
        assert!(!mistake.contains('\n'), "one line: {mistake}");
        for word in words {
            assert!(mistake.contains(word), "{text}\nsays {mistake}\nwithout {word}");
        }
    }
}

#[test]
fn contradictions_are_found_within_a_table_and_below_it() {
    let range = "range = \"169.254.9.0-169.254.9.9\"";
    let within = mistakes(&format!("{range}\nstart = \"169.254.1.1\""));
    assert!(within[0].starts_with("autoipd.toml:2: start 169.254.1.1 does not lie"), "{within:?}");
    let below = format!("{range}\n[[interface]]\nmatch = \"e\"\nstart = \"169.254.1.1\"");
    assert!(mistakes(&below)[0].starts_with("autoipd.toml:4: "));
    let probes = mistakes("probe-max = 1\nprobe-min = 2");
    assert!(probes[0].contains("2: probe-min is 2000 ms and probe-max 1000 ms"), "{probes:?}");
    let once = format!("{range}\nstart = \"169.254.1.1\"\n[[interface]]\nmatch = \"e\"");
    assert_eq!(mistakes(&once).len(), 1, "said where it is, and not of every table");
}

#[test]
fn all_mistakes_are_reported_in_order_and_not_without_end() {
    let lines = mistakes("guard = 1\nmode = 1\n\nalias = \"x\"\n[[interface]]\nmatch = 3");
    let numbers: Vec<_> = lines.iter().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(numbers, ["1", "2", "4", "6"]);
    let many: String = (0..100).map(|n| format!("key{n} = 1\n")).collect();
    assert_eq!(mistakes(&many).len(), MISTAKES_MAX);
    let long = mistakes(&format!("mode = \"{}\"", "x".repeat(100_000)));
    assert!(long[0].len() < 300, "{} bytes", long[0].len());
}

/// Damaged in every place, the example is read or refused, and nothing else.
#[test]
fn no_text_makes_it_panic() {
    let example = include_str!("../../../../dist/autoipd.toml").replace("\n#", "\n");
    for at in (0..example.len()).filter(|&at| example.is_char_boundary(at)) {
        for damage in ["\"", "[", "]", "=", "\n", "{", "\u{0}", "é", "9"] {
            // The head and the tail alone; in between, a tenth of the places.
            if at % 10 == 0 || at < 100 {
                let text = format!("{}{damage}{}", &example[..at], &example[at..]);
                if let Err(mistakes) = read("file", &text) {
                    assert!((1..=MISTAKES_MAX).contains(&mistakes.len()));
                }
            }
        }
    }
}

#[test]
fn the_example_says_what_holds_without_it() {
    let example = include_str!("../../../../dist/autoipd.toml");
    let source = Source {
        selectors: Vec::new(),
        choices: Choices::default(),
        process: ProcessChoices::default(),
        config: None,
    };
    let plain = source.over(&Config::default()).unwrap();
    assert_eq!(source.over(&read("example", example).unwrap()).unwrap(), plain);

    // A commented key is one that begins right after the mark; prose has a blank there.
    let head = example.split("# --- Certain interfaces").next().unwrap();
    let keys = |wanted: fn(&str) -> bool| -> String {
        let lines = head.lines().filter_map(|line| line.strip_prefix('#'));
        lines
            .filter(|line| !line.is_empty() && !line.starts_with(' ') && wanted(line))
            .fold(String::new(), |text, line| format!("{text}{line}\n"))
    };
    let unset = |line: &str| line.starts_with("start ") || line.starts_with("metric ");
    let text = keys(|line| !(line.starts_with("start ") || line.starts_with("metric ")));
    assert_eq!(source.over(&read("example", &text).unwrap()).unwrap(), plain, "{text}");
    assert_eq!(text.lines().count() + keys(unset).lines().count(), 24, "every key is shown");
    assert_eq!(defaults(&keys(unset)).timing, Timing::RFC3927);

    let all = read("example", &example.replace("\n#", "\n").replace("\n ", "\n# ")).unwrap();
    assert_eq!(all.tables.len(), 4, "and the interfaces are no prose either");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let dir = std::env::temp_dir();
    assert_eq!(load(&dir.join("autoipd-there-is-no-such-file.toml")), Ok(None));
    let unreadable = load(&dir).unwrap_err();
    assert!(unreadable[0].to_string().contains("cannot be read"), "{unreadable:?}");
    let path = dir.join(format!("autoipd-config-{}.toml", std::process::id()));
    for (bytes, words) in [(vec![b'#'; (1 << 20) + 1], "longer"), (vec![0xff], "UTF-8")] {
        std::fs::write(&path, bytes).unwrap();
        let mistakes = load(&path).unwrap_err();
        assert!(mistakes[0].to_string().contains(words), "{mistakes:?}");
        assert_eq!(mistakes[0].line(), None);
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = include_str!("../../../../README.md");
    let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let config = read("README.md", example.expect("an example")).unwrap();
    assert_eq!((config.tables.len(), config.defaults.wait), (2, Some(Duration::from_secs(10))));
}
