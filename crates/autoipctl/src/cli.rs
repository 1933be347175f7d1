//! The command line: what was typed, checked as far as that is possible without a daemon.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use autoip_control::{DEFAULT_PATH, Defend, Mode, Profile};
use autoip_core::{AddrRange, DEFAULT_KEY};
use autoip_wire::{LinkLocalAddr, MacAddr};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::daemon::Daemon;

/// The longest name that the kernel gives an interface, in bytes.
const INTERFACE_NAME_MAX: usize = 15;
/// The longest that anything is waited for: a day.
const WAIT_MAX_S: f64 = 86_400.0;

/// All addresses that can be claimed.
const ADDR_COUNT: u32 = 65_024;

const EXIT_STATUS: &str = "\
Exit status:
  0   done, or the answer is yes (the address is free)
  1   the answer is no (the address is taken, the file has mistakes, the doctor found a
      problem; warnings, notes and what it could not look at are none), or it is refused
  2   wrong command line
  69  no answer can be had: no daemon, one that is busy, no such interface, no link to probe on
  74  the output cannot be written
  77  not permitted: changes are for root and members of the group netdev";

/// Asks autoipd, the IPv4 link-local address daemon, and tells it what to do.
#[derive(Debug, Parser)]
#[command(name = "autoipctl", version, after_help = EXIT_STATUS, max_term_width = 100)]
pub(crate) struct Cli {
    /// The daemon's control socket
    #[arg(long, global = true, value_name = "PATH", default_value = DEFAULT_PATH)]
    socket: PathBuf,

    /// Seconds that the daemon has for an answer; a probe has 30 at least
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5",
          value_parser = seconds)]
    timeout: Duration,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon { socket: self.socket.clone(), limit: self.timeout }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show where the interfaces stand: all in a table, or one in full
    Status(StatusArgs),
    /// Print what happens as it happens
    Monitor(MonitorArgs),
    /// Have an interface managed
    Add(AddArgs),
    /// Give the address of an interface up and have it managed no more
    Remove(InterfaceArg),
    /// Claim an address on a managed interface
    Claim(ClaimArgs),
    /// Give the address of an interface up until the next claim
    Release(InterfaceArg),
    /// Announce addresses in use once more
    Reannounce(OptionalInterface),
    /// Find out whether an IPv4 address is free on a link (RFC 5227), with or without the daemon
    Probe(ProbeArgs),
    /// Have an IPv4 address that is on an interface watched and defended until interrupted
    Watch(WatchArgs),
    /// Print the addresses that a device with this MAC address tries, in order, each once
    Predict(PredictArgs),
    /// Find what breaks link-local networking on this host, and how to mend it
    Doctor(DoctorArgs),
    /// Check a configuration file of autoipd
    Validate(ValidateArgs),
    /// Print the counters in Prometheus's text format
    Metrics(MetricsArgs),
    /// Have the daemon read its configuration again
    Reload,
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Show this interface alone, and in full
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: Option<String>,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Keep it up to date until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    /// Only what happens on this interface
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: Option<String>,

    /// As JSON, an object in each line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InterfaceArg {
    /// The interface
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: String,
}

#[derive(Debug, Args)]
pub(crate) struct OptionalInterface {
    /// That of this interface alone
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The interface
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: String,

    /// When it is to have an address [default: as configured]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<When>,

    /// The address to try first
    #[arg(long, value_name = "ADDR")]
    pub(crate) start: Option<LinkLocalAddr>,

    /// The addresses to choose from, such as 169.254.1.0-169.254.1.255 [default: as configured]
    #[arg(long, value_name = "FIRST-LAST", value_parser = range)]
    pub(crate) range: Option<AddrRange>,

    /// How long a claim takes: 4 to 7 s, 8 to 10 s, 0.2 s [default: as configured]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub(crate) timing: Option<Speed>,

    /// What to do about another host that claims the address [default: as configured]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub(crate) defend: Option<Defence>,

    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Debug, Args)]
pub(crate) struct ClaimArgs {
    /// The interface
    #[arg(value_name = "INTERFACE", value_parser = interface_name)]
    pub(crate) interface: String,

    /// The address to try first [default: the one held or tried last]
    #[arg(value_name = "ADDR")]
    pub(crate) addr: Option<LinkLocalAddr>,

    #[command(flatten)]
    pub(crate) wait: Wait,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Wait up to so many seconds (0.001 to 86400) for the address and print it; exit with 1 where
    /// there is none, or not the one asked for
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) wait: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The address
    #[arg(value_name = "ADDR", value_parser = host_addr)]
    pub(crate) addr: Ipv4Addr,

    /// The interface on the link
    #[arg(short = 'i', long = "interface", value_name = "INTERFACE",
          value_parser = interface_name)]
    pub(crate) interface: String,

    /// How long to take over it: 4 to 7 s, 8 to 10 s, 0.2 s
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = Speed::Rfc3927)]
    pub(crate) timing: Speed,

    /// Without asking the daemon
    #[arg(long)]
    pub(crate) direct: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The address
    #[arg(value_name = "ADDR", value_parser = host_addr)]
    pub(crate) addr: Ipv4Addr,

    /// The interface that has it
    #[arg(short = 'i', long = "interface", value_name = "INTERFACE",
          value_parser = interface_name)]
    pub(crate) interface: String,

    /// What to do about another host that claims it
    #[arg(long, value_enum, value_name = "POLICY", default_value_t = Policy::Once)]
    pub(crate) defend: Policy,

    /// As JSON, an object in each line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The MAC address
    #[arg(value_name = "MAC", value_parser = device_mac)]
    pub(crate) mac: MacAddr,

    /// How many addresses
    #[arg(short = 'n', long = "count", value_name = "NUM", default_value_t = 1,
          value_parser = count)]
    pub(crate) count: u32,

    /// The key of the sequence, 32 hexadecimal digits [default: the one everybody uses]
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: Option<[u8; 16]>,

    /// The addresses to choose from, such as 169.254.1.0-169.254.1.255 [default: all]
    #[arg(long, value_name = "FIRST-LAST", value_parser = range)]
    range: Option<AddrRange>,
}

impl PredictArgs {
    pub(crate) fn key(&self) -> [u8; 16] {
        self.key.unwrap_or(DEFAULT_KEY)
    }

    pub(crate) fn range(&self) -> AddrRange {
        self.range.unwrap_or(AddrRange::ALL)
    }
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Interface to look at, also where it is down; may be given more than once [default: all
    /// that are up]
    #[arg(short = 'i', long = "interface", value_name = "INTERFACE",
          value_parser = interface_name)]
    pub(crate) interfaces: Vec<String>,

    /// Send ARP probes as well, for three random addresses and the interface's own
    #[arg(long)]
    pub(crate) probe: bool,

    /// Ask the name servers as well, whether they pass on questions about link-local addresses
    #[arg(long)]
    pub(crate) ask_resolver: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The file
    #[arg(value_name = "FILE", default_value = autoipd::config::DEFAULT_PATH)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Write them to this file in one step, for node_exporter
    #[arg(long, value_name = "FILE")]
    pub(crate) textfile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// When an interface has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// While it has no routable one
    Fallback,
    /// Always, beside routable ones
    Always,
    /// Never: routes alone
    Route,
}

impl From<When> for Mode {
    fn from(when: When) -> Self {
        match when {
            When::Fallback => Self::Fallback,
            When::Always => Self::Always,
            When::Route => Self::Route,
        }
    }
}

/// A timing profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Speed {
    /// RFC 3927 and RFC 5227
    Rfc3927,
    /// Draft 07 of RFC 3927
    #[value(name = "draft-07")]
    Draft07,
    /// For known point-to-point links
    Fast,
}

impl From<Speed> for Profile {
    fn from(speed: Speed) -> Self {
        match speed {
            Speed::Rfc3927 => Self::Rfc3927,
            Speed::Draft07 => Self::Draft07,
            Speed::Fast => Self::Fast,
        }
    }
}

/// What to do about a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// Report it, and watch no longer
    Never,
    /// Defend it once in ten seconds; watch no longer after a second conflict within that time
    Once,
    /// Defend it for good, at most once in ten seconds
    Always,
}

/// What to do about a conflict over a link-local address, which nobody may keep for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Defence {
    /// Give it up at the second conflict within ten seconds
    Once,
    /// Give it up at the first
    Never,
}

impl From<Defence> for Defend {
    fn from(defence: Defence) -> Self {
        match defence {
            Defence::Once => Self::Once,
            Defence::Never => Self::Never,
        }
    }
}

impl From<Policy> for Defend {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Never => Self::Never,
            Policy::Once => Self::Once,
            Policy::Always => Self::Always,
        }
    }
}

/// Reads a command line, the program's name first; or the exit status after help or an error.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(args).map_err(|error| {
        // Nothing is left to be done where even this cannot be printed.
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

pub(crate) fn command() -> clap::Command {
    Cli::command()
}

fn interface_name(name: &str) -> Result<String, String> {
    let fits = (1..=INTERFACE_NAME_MAX).contains(&name.len());
    let plain = !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
    if fits && plain && name != "." && name != ".." {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "{name:?} cannot be an interface: names have 1 to {INTERFACE_NAME_MAX} bytes, without \
             slash, colon or space"
        ))
    }
}

fn host_addr(text: &str) -> Result<Ipv4Addr, String> {
    let addr: Ipv4Addr = text
        .parse()
        .map_err(|_| format!("{text:?} is not an IPv4 address: give one such as 192.168.1.5"))?;
    if !autoip_control::is_host_addr(addr) {
        return Err(format!("{addr} is no host's address: give one such as 192.168.1.5"));
    }
    Ok(addr)
}

fn device_mac(text: &str) -> Result<MacAddr, String> {
    let mac: MacAddr =
        text.parse().map_err(|error: autoip_wire::ParseMacError| error.to_string())?;
    let what = match mac {
        MacAddr::ZERO => "nobody's address",
        _ if mac.is_multicast() => "a group's address",
        _ => return Ok(mac),
    };
    Err(format!("{mac} is {what}, and no device has it: give one such as 02:00:00:12:34:56"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s| (0.001..=WAIT_MAX_S).contains(s));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("{text:?} is not a number of seconds from 0.001 to {WAIT_MAX_S}"))
}

fn count(text: &str) -> Result<u32, String> {
    let fits = |count: &u32| (1..=ADDR_COUNT).contains(count);
    let count = text.parse().ok().filter(fits);
    count
        .ok_or_else(|| format!("give a number from 1 to {ADDR_COUNT}: there are no more addresses"))
}

fn key(text: &str) -> Result<[u8; 16], String> {
    let value = u128::from_str_radix(text, 16).ok();
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    value
        .filter(|_| plain)
        .map(u128::to_be_bytes)
        .ok_or_else(|| format!("{text:?} is not a key: give 32 hexadecimal digits"))
}

fn range(text: &str) -> Result<AddrRange, String> {
    let (first, last) = text.split_once('-').ok_or_else(|| {
        format!("{text:?} is not a range: give the first and the last address with a - between")
    })?;
    let read = |text: &str| text.parse::<LinkLocalAddr>().map_err(|error| error.to_string());
    AddrRange::new(read(first)?, read(last)?)
        .ok_or_else(|| format!("{text:?} is not a range: its last address is below its first"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let text = "6175746f6970205246432033393237 21".replace(' ', "");
        assert_eq!(key(&text), Ok(DEFAULT_KEY));
        for wrong in ["", "00", "+0000000000000000000000000000000", &"g".repeat(32)] {
            assert!(key(wrong).unwrap_err().contains("32 hexadecimal digits"), "{wrong}");
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused_with_what_is_allowed() {
        for wrong in ["0", "-1", "nan", "inf", "1e9", "", "5s"] {
            assert!(seconds(wrong).unwrap_err().contains("0.001 to 86400"), "{wrong}");
        }
        for wrong in
            ["0.0.0.0", "0.1.2.3", "169.254.255.255", "127.0.0.1", "224.0.0.1", "255.255.255.255"]
        {
            assert!(host_addr(wrong).unwrap_err().contains("no host's address"), "{wrong}");
        }
        for wrong in ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "00:00:00:00:00:00"] {
            assert!(device_mac(wrong).unwrap_err().contains("no device has it"), "{wrong}");
        }
        for wrong in ["169.254.1.0", "169.254.2.0-169.254.1.0", "169.254.0.0-169.254.1.0"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
        for wrong in ["0", "65025", "-1", "many"] {
            assert!(count(wrong).unwrap_err().contains("from 1 to 65024"), "{wrong}");
        }
        assert!(interface_name("a b").is_err() && interface_name(&"a".repeat(16)).is_err());
    }
}
