//! The `autoipctl` program: its arguments go to the library, its exit status comes from there.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    autoipctl::main_with(std::env::args_os())
}
