//! The doctor by itself: `doctor [--probe] [--ask-resolver] [--json] [INTERFACE]...`.
#![forbid(unsafe_code)]

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use autoip_doctor::{Request, examine, json, text};

fn main() -> ExitCode {
    let mut request = Request::default();
    let mut as_json = false;
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--probe" => request.probe = true,
            "--ask-resolver" => request.ask_resolver = true,
            "--json" => as_json = true,
            _ => request.interfaces.push(argument),
        }
    }
    let mut stdout = io::stdout();
    match examine(&request) {
        Ok(report) => {
            let out =
                if as_json { json(&report) } else { text(&report, stdout.is_terminal(), None) };
            // A reader that has seen enough is no error.
            let _ = stdout.write_all(out.as_bytes());
            ExitCode::from(report.exit_status())
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "doctor: {error}");
            ExitCode::from(2)
        }
    }
}
