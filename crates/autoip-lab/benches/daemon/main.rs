//! What the real daemon costs and how fast it reacts: `cargo bench -p autoip-lab`.
//!
//! The bench starts itself again as the daemon inside virtual hosts, or the programs that it is
//! given, and measures from outside: frames on the cables, changes of the interfaces, and what
//! the kernel says of the process. It measures and never judges by the clock: a figure above its
//! budget is marked, and the exit status stays 0.
#![forbid(unsafe_code)]

mod claim;
mod control;
mod figure;
mod flood;
mod idle;
mod many;
mod options;
mod program;
mod reaction;
mod report;
mod start;
mod state_dir;
mod station;
mod usage;

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;
use std::thread;

use clap::Parser;

use options::{Options, Section};
use program::Program;
use report::Report;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(program::REEXECUTED)) {
        return autoipd::main_with(std::env::args_os().skip(1));
    }
    let options = Options::parse();
    if let Err(why) = autoip_lab::enter() {
        // Not a failure of the daemon: there is nothing to measure it on.
        let _ = Report::say(&format!("skipped: {why}"));
        return ExitCode::SUCCESS;
    }
    match measure(&options) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

/// Measures the daemon, then its peers, and prints each section when it is complete.
fn measure(options: &Options) -> io::Result<()> {
    let report = Report::start(options.quick)?;
    measure_program(options, &report, &options.program())?;
    options.peers.iter().try_for_each(|peer| measure_program(options, &report, peer))
}

/// Measures one program. A peer has only the timing of the RFC and a log of its own, so that of it
/// less is measured.
fn measure_program(options: &Options, report: &Report, program: &Program) -> io::Result<()> {
    report.program(program)?;
    let wants = |section| options.wants(section);
    let ours = |section| program.is_ours() && wants(section);
    // Nothing wakes a daemon but what happens on its own link, so the others may work meanwhile.
    thread::scope(|scope| {
        let idle = wants(Section::Idle)
            .then(|| scope.spawn(|| idle::measure(program, options.idle_time())));
        if ours(Section::Start) {
            report.section("Start", program, start::measure(program, options.runs(60)))?;
        }
        if ours(Section::Claim) {
            report.section("Claim", program, claim::measure(program, options.runs(50)))?;
        }
        if wants(Section::Reaction) {
            let runs = options.runs(if program.is_ours() { 40 } else { 10 });
            report.section("Reaction", program, reaction::measure(program, runs))?;
        }
        if wants(Section::Flood) {
            report.section("Flood", program, flood::measure(program))?;
        }
        if let Some(Ok(figures)) = idle.map(thread::ScopedJoinHandle::join) {
            let title = format!("Idle for {} s", options.idle_time().as_secs());
            report.section(&title, program, figures)?;
        }
        Ok::<(), io::Error>(())
    })?;
    if ours(Section::Many) {
        for crowd in many::crowds(options.quick) {
            report.section(&crowd.title(), program, many::measure(program, &crowd))?;
        }
    }
    Ok(())
}
