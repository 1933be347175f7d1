//! Text of files and of the command line. Bytes that are no text are refused by whoever reads the
//! file, so they are none of these.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use autoipd::{config as configuration, fuzzing};

/// Longer messages than this help nobody.
const MESSAGE_MAX: usize = 4096;

/// A remembered address: what is read is what was written, and nothing but that.
pub fn state_file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Some(addr) = fuzzing::remembered(text) {
        assert!([addr.to_string(), format!("{addr}\n")].contains(&text.to_owned()), "{text:?}");
        assert!((1..=254).contains(&addr.ip().octets()[2]), "{addr} is reserved");
    }
}

/// A record of an interface's settings: a number that is read stands there behind its name.
pub fn settings_record(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for name in ["promote_secondaries", "arp_ignore", "arp_announce"] {
        if let Some(value) = fuzzing::recorded(text, name) {
            let says = |line: &str| {
                let words = line.split_once(' ');
                words.is_some_and(|(word, number)| word == name && number.parse() == Ok(value))
            };
            assert!(text.lines().any(says), "{name} {value} from {text:?}");
        }
    }
}

/// The list of `-o`.
pub fn option_list(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Err(sentence) = fuzzing::option_list(text) {
        assert!(!sentence.is_empty() && sentence.len() <= MESSAGE_MAX + 10 * text.len());
    }
}

/// A command line of ours, a zero byte between the arguments.
pub fn command_line(bytes: &[u8]) {
    arguments("autoipd", bytes);
}

/// A command line of avahi-autoipd.
pub fn avahi(bytes: &[u8]) {
    arguments("avahi-autoipd", bytes);
}

/// A command line of zcip.
pub fn zcip(bytes: &[u8]) {
    arguments("zcip", bytes);
}

fn arguments(program: &str, bytes: &[u8]) {
    let given = bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec);
    let args = std::iter::once(program.into()).chain(given).map(OsString::from_vec);
    if let Err(sentence) = fuzzing::command_line(args.collect()) {
        assert!(!sentence.is_empty());
    }
}

/// The configuration file: at least one mistake where there is no configuration, each in a line of
/// its own that names a line of the file.
pub fn config(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Err(mistakes) = configuration::read("file", text) else { return };
    assert!((1..=20).contains(&mistakes.len()), "{} mistakes", mistakes.len());
    let lines = 1 + text.bytes().filter(|&byte| byte == b'\n').count();
    for mistake in mistakes {
        let sentence = mistake.to_string();
        assert!(sentence.starts_with("file:") && !sentence.contains('\n'), "{sentence:?}");
        assert!(mistake.line().is_none_or(|line| line <= lines), "{sentence:?} of {lines} lines");
    }
}
