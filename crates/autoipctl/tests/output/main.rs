//! What the program prints and how it ends, to the letter: the real program against a daemon that
//! the test plays.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod change;
mod failure;
mod fake;
mod measure;
mod status;
mod stream;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use fake::Fake;

/// The program with these arguments, its words apart by spaces.
fn autoipctl(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoipctl"));
    command.args(arguments.split_whitespace()).stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

/// How the program ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    status: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program against `fake`.
fn run(fake: &Fake, arguments: &str) -> Ended {
    autoipctl(&format!("--socket {} {arguments}", fake.path())).output().unwrap().into()
}

/// Runs the program without a daemon.
fn run_alone(arguments: &str) -> Ended {
    autoipctl(&format!("--socket /nowhere/at/all {arguments}")).output().unwrap().into()
}

/// Asserts that it ended with `status`, and wrote `out` and nothing else.
#[track_caller]
fn assert_says(ended: &Ended, status: i32, out: &str) {
    if ended.status != Some(status) || ended.out != out || !ended.err.is_empty() {
        // One under the other they are easier to compare than in one line.
        let mut text = format!("expected {status}:\n{out}\n");
        text.push_str(&format!("got {:?}:\n{}\n{}", ended.status, ended.out, ended.err));
        let _ = std::io::stderr().write_all(text.as_bytes());
        panic!("the output is another one");
    }
}

/// Asserts that it ended with `status`, and wrote this one line to standard error.
#[track_caller]
fn assert_complains(ended: &Ended, status: i32, line: &str) {
    let expected =
        Ended { status: Some(status), out: String::new(), err: format!("autoipctl: {line}\n") };
    assert_eq!(*ended, expected);
}
