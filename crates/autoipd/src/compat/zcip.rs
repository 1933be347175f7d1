//! zcip of busybox: one interface, and a script that is told `init`, `config` and `deconfig`.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use autoip_core::LinkLocalAddr;
use autoip_linux::{Launch, Side, set_name};
use clap::{ArgAction, Parser};
use tracing::error;

use crate::Failure;
use crate::daemon::Daemon;
use crate::hooks::{Convention, Hooks};
use crate::log;
use crate::role::{Ends, Role};
use crate::sandbox::Sandbox;
use crate::settings::{Mode, Verbosity};

const NAME: &str = "zcip";
/// The only range that there is.
const RANGE: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 0);
/// zcip remembers nothing; to remember does no harm.
const STATE_DIR: &str = "/var/lib/autoip";
/// How long the first process waits for the script and the interface.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands in for busybox's zcip: gives an interface an IPv4 link-local address, configured by the
/// script.
#[derive(Debug, Parser)]
#[command(name = NAME)]
struct Cli {
    /// Stay in the foreground
    #[arg(short = 'f')]
    foreground: bool,

    /// Exit when an address has been claimed, and leave it behind undefended
    #[arg(short = 'q')]
    quit: bool,

    /// Address to try first
    #[arg(short = 'r', value_name = "ADDR")]
    request: Option<LinkLocalAddr>,

    /// Range of addresses; RFC 3927 knows no other one
    #[arg(short = 'l', value_name = "x.x.0.0", default_value_t = RANGE, value_parser = range)]
    range: Ipv4Addr,

    /// Stay in the foreground and log every step; twice, every frame
    #[arg(short = 'v', action = ArgAction::Count)]
    verbose: u8,

    /// The interface
    #[arg(value_name = "IFACE")]
    interface: String,

    /// The script that configures it
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,
}

fn range(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().ok().filter(|&range| range == RANGE).ok_or_else(|| {
        format!("{text:?} is not the range of link-local addresses, which is {RANGE} alone")
    })
}

/// Reads a command line and does nothing.
pub(super) fn check(args: &[OsString]) -> Result<(), String> {
    Cli::try_parse_from(args).map(drop).map_err(|error| error.to_string())
}

/// Runs it: the exit status is 0 or 1, as there.
pub(super) fn main(args: &[OsString]) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done where even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            if !why.is_empty() {
                let _ = writeln!(io::stderr(), "{NAME}: {why}");
            }
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    fn run(self) -> Result<(), String> {
        super::find(&self.interface)?;
        let background = !self.foreground && self.verbose == 0;
        let mut launch = None;
        // The directory changes on the way into the background.
        let script = std::path::absolute(&self.script).unwrap_or_else(|_| self.script.clone());
        if background {
            match Launch::start(PATIENCE).map_err(|error| error.to_string())? {
                Side::Daemon(side) => launch = Some(side),
                Side::Parent(0) => return Ok(()),
                Side::Parent(_) => return Err("it failed; its log says why".to_owned()),
                Side::Forsaken => return Err("it takes too long to begin".to_owned()),
            }
        }
        self.start_log(background);
        set_name(NAME);
        self.serve(script, launch).map_err(|failure| {
            error!("{failure}");
            String::new()
        })
    }

    /// Where to log: LOGGING says it, else it depends on whether anybody watches.
    fn start_log(&self, background: bool) {
        let logging = env::var("LOGGING").unwrap_or_default();
        if logging.contains("none") {
            return;
        }
        if background || logging.contains("syslog") {
            log::syslog::start(NAME.to_owned());
        }
        log::start(self.verbosity());
    }

    fn serve(self, script: PathBuf, launch: Option<Launch>) -> Result<(), Failure> {
        let interface = self.interface.as_str();
        let shown = script.display().to_string();
        let mut hooks = Hooks::with_script(script, Convention::Zcip, None, None)?;
        let status = hooks.run_first(interface, "init")?;
        if status != 0 {
            return Err(Failure::Refused(format!(
                "{shown} init ended with status {status}, so {interface} cannot be used"
            )));
        }
        let ends = if self.quit { Ends::WhenBound } else { Ends::WhenDown };
        let source =
            super::source(interface, Mode::Always, self.request, STATE_DIR, self.verbosity())
                .map_err(Failure::Usage)?;
        let settings = source.load()?;
        let role = Role { ends, launch, ..Role::default() };
        let mut daemon = Daemon::start(source, settings, hooks, role)?;
        daemon.confine(&Sandbox::new(true));
        daemon.report();
        daemon.run()
    }

    fn verbosity(&self) -> Verbosity {
        match self.verbose {
            0 => Verbosity::Normal,
            1 => Verbosity::Debug,
            2.. => Verbosity::Trace,
        }
    }
}
