//! The `autoip-sim` program: runs, swarms, canaries, experiments and the bench of the simulator.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use autoip_sim::{
    Bug, CANARIES, EXPERIMENTS, Options, RULES, Run, WHOLE_RULES, bench, experiment, swarm, sweep,
};
use clap::{Parser, Subcommand};

const EXIT_STATUS: &str = "\
Exit status: 0 no rule was broken, 1 one was, or a canary lives, 2 something cannot be done.";

/// Simulates links full of hosts with the autoip engine: the same line gives the same run on every
/// machine.
#[derive(Parser)]
#[command(name = "autoip-sim", version, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One run; its options are drawn from the seed unless they are given
    Run {
        /// Everything random in the run
        #[arg(long)]
        seed: u64,
        /// The options, as other commands print them: "hosts=5 loss=20"
        #[arg(long, value_name = "OPTIONS", value_parser = Options::parse)]
        with: Option<Options>,
        /// A bug to plant in our hosts
        #[arg(long, value_parser = bug)]
        bug: Option<Bug>,
        /// Print every frame and every change of an address
        #[arg(long)]
        trace: bool,
    },
    /// Many runs with options drawn at random
    Swarm {
        /// The first seed
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// How many seeds
        #[arg(long, default_value_t = 1000)]
        count: u64,
        /// On how many threads; as many as there are processors by default
        #[arg(long)]
        threads: Option<NonZeroUsize>,
    },
    /// Lets every planted bug loose and says which checker caught it
    Canary,
    /// Lists the checkers and the requirements that they check
    Rules,
    /// Makes the figures of docs/experiments
    Experiment {
        /// Which one, or "all"
        #[arg(value_parser = experiment_names())]
        name: String,
        /// Everything random in it
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Far fewer trials, to see that it works
        #[arg(long)]
        quick: bool,
        /// Where the CSV and SVG files go
        #[arg(long, default_value = "docs/experiments")]
        out: PathBuf,
    },
    /// Measures the simulator itself
    Bench,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Cli::parse().command {
        Command::Run { seed, with, bug, trace } => {
            let options = with.unwrap_or_else(|| swarm(seed));
            run(&mut out, &Run { seed, options, bug }, trace)
        }
        Command::Swarm { first, count, threads } => many(&mut out, first, count, threads),
        Command::Canary => canary(&mut out),
        Command::Rules => rules(&mut out),
        Command::Experiment { name, seed, quick, out: folder } => {
            experiment::run(&name, seed, quick, &folder, &mut out).map(|()| true)
        }
        Command::Bench => speed(&mut out),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "autoip-sim: {error}");
            ExitCode::from(2)
        }
    }
}

fn bug(name: &str) -> Result<Bug, String> {
    let known = CANARIES.iter().map(|canary| canary.bug);
    known.clone().find(|bug| format!("{bug:?}") == name).ok_or_else(|| {
        let names: Vec<String> = known.map(|bug| format!("{bug:?}")).collect();
        format!("there is no such bug; there are: {}", names.join(", "))
    })
}

fn experiment_names() -> clap::builder::PossibleValuesParser {
    EXPERIMENTS.iter().map(|experiment| experiment.name).chain(["all"]).collect::<Vec<_>>().into()
}

fn run(out: &mut dyn Write, run: &Run, trace: bool) -> io::Result<bool> {
    writeln!(out, "{run}")?;
    let outcome = run.outcome(trace);
    for line in &outcome.lines {
        writeln!(out, "{line}")?;
    }
    let (frames, seconds) = (outcome.frames, outcome.duration.as_secs());
    writeln!(out, "{frames} frames in {seconds} simulated seconds, trace {:016x}", outcome.trace)?;
    if let Some(settled) = outcome.settled_after {
        writeln!(out, "all had an address of their own {} s after the faults", settled.as_secs())?;
    }
    for violation in &outcome.violations {
        writeln!(out, "{violation}")?;
    }
    Ok(outcome.violations.is_empty())
}

fn many(
    out: &mut dyn Write,
    first: u64,
    count: u64,
    threads: Option<NonZeroUsize>,
) -> io::Result<bool> {
    let threads = threads.or_else(|| thread::available_parallelism().ok());
    let total = sweep(first, count, threads.map_or(1, NonZeroUsize::get));
    for (_, run, outcome) in &total.failures {
        writeln!(out, "{run}")?;
        for violation in &outcome.violations {
            writeln!(out, "    {violation}")?;
        }
    }
    writeln!(
        out,
        "{count} runs, {} simulated seconds, {} frames: {} broke a rule; the slowest had settled \
         {} s after the faults",
        total.seconds,
        total.frames,
        total.failures.len(),
        total.slowest_s,
    )?;
    Ok(total.failures.is_empty())
}

fn canary(out: &mut dyn Write) -> io::Result<bool> {
    let mut all_caught = true;
    for canary in CANARIES {
        let finding = canary.release();
        match &finding.caught {
            Some((run, violation)) => {
                writeln!(out, "caught   {:?}, which {}", canary.bug, canary.does)?;
                writeln!(out, "         {violation}\n         {run}")?;
            }
            None => writeln!(out, "ALIVE    {:?}, which {}", canary.bug, canary.does)?,
        }
        for (run, violation) in &finding.false_alarms {
            writeln!(out, "WRONG    {violation}\n         {run}")?;
        }
        all_caught &= finding.caught.is_some() && finding.false_alarms.is_empty();
    }
    writeln!(out, "{} canaries, {}", CANARIES.len(), verdict(all_caught))?;
    Ok(all_caught)
}

fn verdict(all_caught: bool) -> &'static str {
    if all_caught {
        "all caught; the engine as it is passes the same runs"
    } else {
        "not all as they should be"
    }
}

fn rules(out: &mut dyn Write) -> io::Result<bool> {
    let single = RULES.iter().map(|rule| (rule.name, rule.rows));
    for (name, rows) in single.chain(WHOLE_RULES.iter().copied()) {
        writeln!(out, "{name:26} {rows}")?;
    }
    Ok(true)
}

fn speed(out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "{}", bench::power_on(10_000, true))?;
    writeln!(out, "{}", bench::power_on(1000, false))?;
    writeln!(out, "{}", bench::power_on(30_000, false))?;
    for threads in [1, 2] {
        let (took, total) = bench::swarm_speed(1000, threads);
        writeln!(
            out,
            "1000 seeds of the swarm on {threads} threads: {:.2} s for {} simulated seconds and {} \
             frames, {} broke a rule",
            took.as_secs_f64(),
            total.seconds,
            total.frames,
            total.failures.len(),
        )?;
    }
    Ok(true)
}
