//! avahi-autoipd: one interface, an action script that configures it, a PID file.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use autoip_core::{LinkLocalAddr, MacAddr};
use autoip_linux::confine::Account;
use autoip_linux::rtnl::Rtnl;
use autoip_linux::{Launch, Side, Title, set_name};
use clap::Parser;
use tracing::{debug, error, info, warn};

use super::pid_file::PidFile;
use crate::Failure;
use crate::daemon::Daemon;
use crate::hooks::{Convention, Hooks};
use crate::log;
use crate::role::{Ends, Role};
use crate::sandbox::Sandbox;
use crate::settings::{Mode, Verbosity};

const NAME: &str = "avahi-autoipd";
const STATE_DIR: &str = "/var/lib/avahi-autoipd";
/// How long the first process waits for word of the daemon.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stands in for avahi-autoipd: gives one interface an IPv4 link-local address, configured by the
/// action script.
#[derive(Debug, Parser)]
#[command(name = NAME, disable_version_flag = true, infer_long_args = true)]
struct Cli {
    /// Go into the background once the interface is managed
    #[arg(short = 'D', long)]
    daemonize: bool,

    /// Log to syslog(3)
    #[arg(short = 's', long)]
    syslog: bool,

    /// End the daemon that runs on the interface
    #[arg(short = 'k', long)]
    kill: bool,

    /// Have the daemon that runs on the interface announce its address again
    #[arg(short = 'r', long)]
    refresh: bool,

    /// Exit with 0 if a daemon runs on the interface, else with 1
    #[arg(short = 'c', long)]
    check: bool,

    /// Show the version
    #[arg(short = 'V', long)]
    version: bool,

    /// Address to try first
    #[arg(short = 'S', long = "start", value_name = "ADDRESS")]
    start: Option<std::net::Ipv4Addr>,

    /// Action script
    #[arg(
        short = 't',
        long = "script",
        value_name = "FILE",
        default_value = "/etc/avahi/avahi-autoipd.action"
    )]
    script: PathBuf,

    /// With -D, wait until there is an address, or a routable one
    #[arg(short = 'w', long)]
    wait: bool,

    /// Claim an address even beside a routable one
    #[arg(long)]
    force_bind: bool,

    /// Stay root, with all capabilities
    #[arg(long)]
    no_drop_root: bool,

    /// Keep access to all files
    #[arg(long)]
    no_chroot: bool,

    /// Leave the process title alone
    #[arg(long)]
    no_proc_title: bool,

    /// Log every step
    #[arg(long)]
    debug: bool,

    /// The interface
    interface: Option<String>,
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
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// Says why nothing came of it; by then there may be no log.
fn say(why: &str) {
    if !why.is_empty() {
        let _ = writeln!(io::stderr(), "{NAME}: {why}");
    }
}

impl Cli {
    fn run(mut self) -> Result<(), String> {
        if self.version {
            let version = env!("CARGO_PKG_VERSION");
            return writeln!(io::stdout(), "{NAME} (autoip {version})").map_err(|e| e.to_string());
        }
        let interface = self.interface.take().ok_or("name the interface")?;
        let pid_file = PidFile::of(&interface);
        if self.kill {
            pid_file.end().map_err(|why| format!("no daemon to end: {why}"))
        } else if self.refresh {
            pid_file.refresh().map_err(|why| format!("no daemon was asked: {why}"))
        } else if self.check {
            // Scripts ask this all the time; the status says it all.
            pid_file.running().map(drop).map_err(|_| String::new())
        } else {
            self.start(&interface, &pid_file)
        }
    }

    /// Becomes a daemon, if that is wanted, and runs until its end.
    fn start(self, interface: &str, pid_file: &PidFile) -> Result<(), String> {
        let mac = super::find(interface)?.mac.unwrap_or(MacAddr::ZERO);
        if let Ok(pid) = pid_file.running() {
            return Err(format!("a daemon runs on {interface} already: process {pid}"));
        }
        let title = if self.no_proc_title { None } else { Title::claim() };
        let mut launch = None;
        if self.daemonize {
            match Launch::start(PATIENCE).map_err(|error| error.to_string())? {
                Side::Daemon(side) => launch = Some(side),
                Side::Parent(0) => return Ok(()),
                Side::Parent(_) => return Err("the daemon failed; its log says why".to_owned()),
                Side::Forsaken => {
                    let limit = PATIENCE.as_secs();
                    return Err(format!("the daemon has not said within {limit} s that it is up"));
                }
            }
        }
        if self.syslog || self.daemonize {
            log::syslog::start(format!("{NAME}({interface})"));
        }
        let verbosity = if self.debug { Verbosity::Debug } else { Verbosity::Normal };
        log::start(verbosity);
        set_name(NAME);
        match self.serve(interface, mac, pid_file, title, launch) {
            Ok(()) => Ok(()),
            Err(failure) => {
                error!("{failure}");
                Err(String::new())
            }
        }
    }

    fn serve(
        &self,
        interface: &str,
        mac: MacAddr,
        pid_file: &PidFile,
        title: Option<Title>,
        launch: Option<Launch>,
    ) -> Result<(), Failure> {
        let path = pid_file.path();
        pid_file.write().map_err(|error| {
            Failure::Refused(format!("{} cannot be written: {error}", path.display()))
        })?;
        let prefix = format!("{NAME}: [{interface}]");
        let named = |what: &str| title.map(|title| (title, format!("{prefix} {what}")));
        let hooks = Hooks::with_script(
            self.script.clone(),
            Convention::Avahi,
            named("callout dispatcher"),
            Some(path.to_owned()),
        )?;
        if let Some((title, text)) = named("starting up") {
            title.set(&text);
        }
        let mode = if self.force_bind { Mode::Always } else { Mode::Fallback };
        let start = self.start.and_then(valid).or_else(|| first_of(mac));
        let source = super::source(interface, mode, start, STATE_DIR, self.verbosity())
            .map_err(Failure::Usage)?;
        let settings = source.load()?;
        let role = Role {
            ends: Ends::WithInterface,
            title: title.map(|title| (title, prefix.clone())),
            launch,
            ..Role::default()
        };
        take_left_over(interface)?;
        let account = self.account();
        let mut daemon = Daemon::start(source, settings, hooks, role)?;
        daemon.confine(&Sandbox {
            files: !self.no_chroot,
            capabilities: !self.no_drop_root,
            account,
            ..Sandbox::new(true)
        });
        if !self.wait {
            daemon.report();
        }
        daemon.run()
    }

    /// The user to be instead of root, where there is one, and who the remembered addresses
    /// belong to.
    fn account(&self) -> Option<Account> {
        let account = Account::named(NAME).filter(|_| !self.no_drop_root)?;
        let owned = fs::create_dir_all(STATE_DIR).map(|()| account.own(Path::new(STATE_DIR)));
        if let Ok(Err(error)) = owned {
            debug!("{error}; addresses may not be remembered");
        }
        Some(account)
    }

    fn verbosity(&self) -> Verbosity {
        if self.debug { Verbosity::Debug } else { Verbosity::Normal }
    }
}

/// Takes off what the script of a daemon that was killed has left on the interface: it is not ours
/// before it has been probed for again. What bears our own mark is seen to later.
fn take_left_over(interface: &str) -> autoip_linux::Result<()> {
    let label = format!("{interface}:avahi");
    let mut rtnl = Rtnl::open()?;
    for address in rtnl.addresses()? {
        if address.label.as_ref() == Some(&label) {
            info!(interface, "{} was left over from before; probing for it again", address.ip);
            rtnl.remove_address(&address)?;
        }
    }
    Ok(())
}

/// The address, if it may be claimed.
fn valid(ip: std::net::Ipv4Addr) -> Option<LinkLocalAddr> {
    LinkLocalAddr::new(ip)
        .inspect_err(|_| warn!("{ip} cannot be claimed (169.254.1.0 to 169.254.254.255 can)"))
        .ok()
}

/// The address that avahi-autoipd tries first where none is remembered: a host keeps it when it
/// changes over. `None` where one is remembered.
fn first_of(mac: MacAddr) -> Option<LinkLocalAddr> {
    if Path::new(STATE_DIR).join(mac.to_string()).exists() {
        return None;
    }
    let sum = (1u16..).zip(mac.0).map(|(place, byte)| place * u16::from(byte)).sum::<u16>();
    let [third, fourth] = ((sum + 1) % 0xFE00 + 0x0100).to_be_bytes();
    LinkLocalAddr::new([169, 254, third, fourth].into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_is_the_one_that_avahi_autoipd_tries() {
        // 1*2 + 2*0 + 3*0 + 4*0 + 5*0 + 6*1 + 1 + 0x100
        let first = first_of(MacAddr([2, 0, 0, 0, 0, 1])).unwrap();
        assert_eq!(first.to_string(), "169.254.1.9");
        let largest = first_of(MacAddr([0xff; 6])).unwrap();
        assert_eq!(largest.to_string(), "169.254.21.236");
    }
}
