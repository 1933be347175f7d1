//! What goes wrong, and the exit status that it has.

use std::fs::File;
use std::os::unix::net::UnixListener;

use serde_json::json;

use crate::fake::{Fake, error};
use crate::{Ended, assert_complains, autoipctl, run, run_alone};

#[test]
fn no_daemon_is_named_with_its_path() {
    for command in ["status", "monitor", "add eth0", "metrics", "reload", "watch 10.0.0.1 -i e"] {
        let sentence = "no daemon can be reached at /nowhere/at/all: No such file or directory \
                        (os error 2); is autoipd running?";
        assert_complains(&run_alone(command), 69, sentence);
    }
}

#[test]
fn a_daemon_that_hangs_is_given_up() {
    let fake = Fake::new(vec![("Status", vec![])]);
    let ended = run(&fake, "status --timeout 0.05");
    assert_complains(&ended, 69, "the daemon did not answer within 0.05 s");
}

/// Also where there may be nothing to say for long.
#[test]
fn a_daemon_that_does_not_answer_is_not_watched() {
    let path = std::env::temp_dir().join(format!("autoipctl-{}-deaf", std::process::id()));
    let _deaf = UnixListener::bind(&path).unwrap();
    for command in ["monitor", "watch 10.0.0.1 -i e", "add eth0 --wait 20", "metrics"] {
        let arguments = format!("--socket {} --timeout 0.05 {command}", path.display());
        let ended = Ended::from(autoipctl(&arguments).output().unwrap());
        assert_complains(&ended, 69, "the daemon did not answer within 0.05 s");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_daemon_that_ends_is_said() {
    let fake = Fake::new(vec![("Monitor", vec![json!({"error": "a.b.C"})])]);
    assert_complains(&run(&fake, "monitor"), 1, "the daemon says a.b.C");
    let refusal = error("NotManaged", json!({"interface": "eth7"}));
    let fake = Fake::new(vec![("Monitor", vec![refusal])]);
    assert_complains(
        &run(&fake, "monitor eth7"),
        1,
        "eth7 is not managed; \"autoipctl status\" shows what is",
    );
}

#[test]
fn a_wrong_command_line_says_what_is_allowed() {
    for (arguments, words) in [
        ("", "Usage: autoipctl"),
        ("dance", "unrecognized subcommand 'dance'"),
        ("status eth0 eth1", "unexpected argument 'eth1'"),
        ("status a/b", "names have 1 to 15 bytes"),
        ("claim eth0 10.0.0.1", "169.254.1.0 to 169.254.254.255"),
        ("probe 10.0.0.1", "--interface <INTERFACE>"),
        ("probe 300.0.0.1 -i eth0", "is not an IPv4 address"),
        ("probe 224.0.0.1 -i eth0", "no host's address"),
        ("predict 02:00", "six hexadecimal bytes"),
        ("predict 02:00:00:00:00:01 -n 0", "from 1 to 65024"),
        ("predict 02:00:00:00:00:01 --key 00", "32 hexadecimal digits"),
        ("predict 02:00:00:00:00:01 --range 169.254.2.1-169.254.1.1", "below its first"),
        ("add eth0 --mode sometimes", "fallback, always, route"),
        ("claim eth0 --wait soon", "number of seconds"),
        ("completions csh", "bash"),
        ("validate a b", "unexpected argument 'b'"),
    ] {
        let ended = run_alone(arguments);
        assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{arguments}");
        assert!(ended.err.contains(words), "{arguments}: {}", ended.err);
    }
}

#[test]
fn an_interface_that_the_doctor_cannot_find_cannot_be_looked_at() {
    let ended = run_alone("doctor -i autoip-no-such");
    assert_eq!((ended.status, ended.out.as_str()), (Some(69), ""));
    let begin = "autoipctl: there is no interface \"autoip-no-such\"; name one of: ";
    assert!(ended.err.starts_with(begin), "{}", ended.err);
}

#[test]
fn help_is_data_and_names_the_exit_statuses() {
    let ended = run_alone("--help");
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    for status in ["0   ", "1   ", "2   ", "69  ", "74  ", "77  "] {
        assert!(ended.out.contains(&format!("\n  {status}")), "{status}");
    }
    let ended = run_alone("--version");
    assert_eq!(ended.out, format!("autoipctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = autoipctl("predict 02:00:00:00:00:01").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(74));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("autoipctl: standard output cannot be written: "), "{text}");
}
