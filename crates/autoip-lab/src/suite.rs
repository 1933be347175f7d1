//! The main function of kernel tests.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial, run};

/// Tests that run at a time unless `--test-threads` says otherwise. They wait for protocol timers
/// nearly all the time, so many of them fit on one processor.
const PARALLEL_TESTS: usize = 16;

/// The tests of a file with their names: `tests![claims_an_address, defends_it]`. Each is a
/// function without arguments that panics to fail.
#[macro_export]
macro_rules! tests {
    ($($test:path),* $(,)?) => {
        [$((stringify!($test), $test as fn())),*]
    };
}

/// Enters a private network namespace and runs the tests in it, in parallel.
///
/// Takes the command line of `cargo test`. Where no namespace can be had, every test is reported
/// as ignored, and the reason is printed once. To be called first thing in the main function of a
/// test target with `harness = false`:
///
/// ```no_run
/// # fn claims_an_address() {}
/// fn main() -> std::process::ExitCode {
///     autoip_lab::test_main(&autoip_lab::tests![claims_an_address])
/// }
/// ```
pub fn test_main(tests: &[(&'static str, fn())]) -> ExitCode {
    run_all(tests.iter().map(|&(name, test)| (name.to_owned(), test)))
}

/// The same for tests that are found only when they are run.
pub fn run_all<F>(tests: impl IntoIterator<Item = (String, F)>) -> ExitCode
where
    F: FnOnce() + Send + 'static,
{
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(PARALLEL_TESTS);
    // Listing the tests must work, and work quietly, anywhere.
    let refusal = if arguments.list { None } else { crate::enter().err() };
    if let Some(why) = &refusal {
        crate::say(&format!("skipped: {why}\n"));
    }
    let trials = tests.into_iter().map(|(name, test)| {
        let refusal = refusal.as_ref().map(ToString::to_string);
        Trial::ignorable_test(name, move || match refusal {
            None => complete(test),
            Some(why) => Ok(Completion::ignored_with(why)),
        })
    });
    run(&arguments, trials.collect()).exit_code()
}

/// Why a test was left.
struct Skipped(String);

/// Leaves the running test, which is then reported as ignored for the reason given. For what a
/// machine may lack without anything being wrong.
pub fn skip(why: &str) -> ! {
    resume_unwind(Box::new(Skipped(why.to_owned())))
}

fn complete(test: impl FnOnce()) -> Result<Completion, Failed> {
    // Nothing that the test has touched is looked at after its panic.
    match catch_unwind(AssertUnwindSafe(test)) {
        Ok(()) => Ok(Completion::Completed),
        Err(payload) => match payload.downcast::<Skipped>() {
            Ok(skipped) => {
                crate::say(&format!("skipped: {}\n", skipped.0));
                Ok(Completion::ignored_with(skipped.0))
            }
            Err(payload) => resume_unwind(payload),
        },
    }
}
