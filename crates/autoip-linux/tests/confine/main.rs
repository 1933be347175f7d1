//! What a process that has confined itself can do and cannot do. A process confines itself for good
//! and must have one thread, so each test runs this program anew.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod child;

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};

/// How the program is called to be the confined process.
const CHILD: &str = "--confined";
/// The exit status of a child that cannot show anything here.
const SKIPPED: u8 = 42;

/// A test within the confined process; an error says why nothing can be shown here.
type Test = fn() -> Result<(), String>;

const TESTS: &[(&str, Test)] = &[
    ("files_out_of_place_are_out_of_reach", child::files),
    ("tcp_is_out_of_reach", child::tcp),
    ("capabilities_are_those_for_networks", child::capabilities),
    ("another_user_keeps_the_capabilities", child::account),
    ("calls_that_are_not_on_the_list_are_refused", child::refused_calls),
    ("drivers_can_be_asked_for_where_that_is_kept", child::drivers),
    ("the_daemons_own_calls_go_through", child::allowed_calls),
    ("one_worker_may_be_ended", child::worker),
    ("what_the_kernel_lacks_is_told", child::lacking),
    ("all_of_it_at_once_is_in_force", child::everything),
];

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some(CHILD) {
        return be_child(&args.next().unwrap());
    }
    let trials = TESTS.iter().map(|&(name, _)| Trial::ignorable_test(name, move || run(name)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn be_child(name: &str) -> ExitCode {
    let (_, test) = TESTS.iter().find(|(known, _)| *known == name).unwrap();
    match test() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = write!(std::io::stderr(), "{why}");
            ExitCode::from(SKIPPED)
        }
    }
}

fn run(name: &str) -> Result<libtest_mimic::Completion, Failed> {
    let mut command = Command::new(env::current_exe()?);
    let child = command.args([CHILD, name]).stderr(Stdio::piped()).spawn()?;
    let pid = child.id();
    let output = child.wait_with_output()?;
    // The child could not remove it.
    let _ = fs::remove_dir_all(child::dir_of(pid));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(libtest_mimic::Completion::Completed),
        Some(status) if status == i32::from(SKIPPED) => {
            Ok(libtest_mimic::Completion::ignored_with(said.trim_end()))
        }
        Some(_) | None => Err(format!("{}: {said}", output.status).into()),
    }
}
