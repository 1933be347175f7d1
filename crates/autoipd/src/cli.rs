//! The command line: the letters of QNX's `autoipd`, long options beside them, and what they mean.
//!
//! `Cli` is what was typed, [`Source`] what it means; every check that needs no file stands between
//! the two.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::net::Ipv4Addr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use autoip_core::{AddrRange, Defend, LinkLocalAddr};
use clap::{ArgAction, CommandFactory, Parser, ValueEnum};

use crate::Failure;
use crate::choice::{Alias, Choices, Numbers, Profile};
use crate::config::ProcessChoices;
use crate::nfm::OptionList;
use crate::selection::Pattern;
use crate::settings::{GuardMode, Mode, Place, Verbosity};
use crate::source::{Selector, Source};
use crate::text;

/// The longest head start for DHCP, and the longest grace: a day.
const WAIT_MAX_S: u32 = 86_400;

const EXAMPLES: &str = "\
Examples:
  autoipd                             an address on every interface that has no routable one
  autoipd -i eth0                     on this one
  autoipd -i 'eth*' -i br0            on these
  autoipd -f -i eth1 -i eth2          one on each, beside routable ones
  autoipd -i eth0 -s 169.254.20.20    try this address first
  autoipd -o if=eth0,delay=200        the options of QNX's nfm-autoip.so

Without -i and -o, /etc/autoip/autoipd.toml says which interfaces to manage, else every Ethernet,
bridge, bond and VLAN interface is that is no port of another one. What the command line says wins.

Exit status: 0 ended by SIGTERM or SIGINT, 1 an interface cannot be managed, 2 wrong options or a
mistake in the file, 77 a capability is missing. SIGHUP reads the file again and announces all
addresses again.";

/// Gives interfaces IPv4 link-local addresses (169.254.0.0/16) as RFC 3927 says: probes for an
/// address, announces and defends it, and gives it up when another host insists. Runs in the
/// foreground and logs to standard error.
#[derive(Debug, Parser)]
#[command(name = "autoipd", version, after_help = EXAMPLES)]
struct Cli {
    /// Number of announcements after a claim, 1 to 16 [default: 2]
    #[arg(short = 'a', long = "announcements", value_name = "NUM",
          value_parser = text::within(1..=16_u8))]
    announcements: Option<u8>,

    /// File with more settings [default: /etc/autoip/autoipd.toml, where there is one]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Do not defend addresses: give one up at the first conflict
    #[arg(short = 'd', long = "no-defend")]
    no_defend: bool,

    /// Claim an address even where the interface has a routable one
    #[arg(short = 'f', long = "force")]
    force: bool,

    /// Interface to manage, or a pattern with * and ? for many; may be given more than once
    #[arg(short = 'i', long = "interface", value_name = "NAME", value_parser = Pattern::parse)]
    interfaces: Vec<Pattern>,

    /// Interface to manage with the options of nfm-autoip.so: if=NAME (default en0), ip=ADDR,
    /// delay=MS between probes (1 to 8000, default 2000), debug, abandon. Claims an address
    /// beside a routable one. May be given more than once
    #[arg(short = 'o', long = "options", value_name = "LIST", value_parser = OptionList::parse,
          conflicts_with = "mode")]
    lists: Vec<OptionList>,

    /// Number of probes, 1 to 16 [default: 3]
    #[arg(short = 'p', long = "probes", value_name = "NUM",
          value_parser = text::within(1..=16_u8))]
    probes: Option<u8>,

    /// Address to try first, 169.254.1.0 to 169.254.254.255 [default: the remembered one, else
    /// one that follows from the MAC address]
    #[arg(short = 's', long = "start", value_name = "ADDR")]
    start: Option<LinkLocalAddr>,

    /// Seconds to leave to DHCP after a link comes up, 0 to 86400 [default: 0]
    #[arg(short = 't', long = "wait", value_name = "SECONDS",
          value_parser = text::within(0..=WAIT_MAX_S))]
    wait: Option<u32>,

    /// Log every step; twice, every frame
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    verbose: u8,

    /// Seconds to listen after the last probe, and between announcements, 1 to 60 [default: 2]
    #[arg(short = 'w', long = "announce-wait", value_name = "SECONDS",
          value_parser = text::within(1..=60_u16))]
    announce_wait: Option<u16>,

    /// Timing of claims; -a, -p and -w change single numbers of it [default: rfc3927]
    #[arg(long = "timing", value_name = "PROFILE", value_enum)]
    timing: Option<Profile>,

    /// Addresses to choose from, such as 169.254.10.0-169.254.10.255 [default: all of
    /// 169.254.1.0-169.254.254.255]
    #[arg(long = "range", value_name = "FROM-TO", value_parser = text::range)]
    range: Option<AddrRange>,

    /// Number of the alias that labels the address, such as eth0:9; "none" for no label
    /// [default: 9]
    #[arg(long = "alias", value_name = "NUM", value_parser = text::alias)]
    alias: Option<Alias>,

    /// Seconds for which open connections may keep the address after a routable one has come, 0
    /// to 86400 [default: 600]
    #[arg(long = "grace", value_name = "SECONDS",
          value_parser = text::within(0..=WAIT_MAX_S))]
    grace: Option<u32>,

    /// What to do about conflicts over an address in use; -d is short for "never" [default: once]
    #[arg(long = "defend", value_name = "TIMES", value_enum, conflicts_with = "no_defend")]
    defend: Option<Times>,

    /// When to have an address; -f is short for "always" [default: fallback]
    #[arg(long = "mode", value_name = "MODE", value_enum, conflicts_with = "force")]
    mode: Option<When>,

    /// Metric of the route to 169.254.0.0/16 [default: 1000 and the number of the interface]
    #[arg(long = "metric", value_name = "NUM", value_parser = text::within(0..=u32::MAX))]
    metric: Option<u32>,

    /// Have everything sought on the link that no other route leads to, while there is no
    /// routable address
    #[arg(long = "default-route", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    default_route: Option<bool>,

    /// What keeps the kernel from breaking the rules of RFC 3927 [default: auto]
    #[arg(long = "guard", value_name = "MEANS", value_enum)]
    guard: Option<Means>,

    /// Link-local address to and from which packets may be forwarded, such as 169.254.169.254 for
    /// containers in a cloud; may be given more than once
    #[arg(long = "forward", value_name = "ADDR", value_parser = text::forwarded)]
    exempt: Vec<Ipv4Addr>,

    /// Socket for autoipctl and other clients; "none" for no socket [default:
    /// /run/autoip/net.autoip.Manager]
    #[arg(long = "control", value_name = "PATH", value_parser = text::place)]
    control: Option<Place>,

    /// Directory in which addresses are remembered, a file for each MAC address [default:
    /// /var/lib/autoip]
    #[arg(long = "state-dir", value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Directory of programs to run when addresses come and go; "none" for none [default:
    /// /etc/autoip/hooks.d]
    #[arg(long = "hooks", value_name = "DIR")]
    hooks: Option<PathBuf>,

    /// Whether the daemon gives up files, capabilities and system calls that it does not need
    /// [default: on]
    #[arg(long = "sandbox", value_name = "SWITCH", value_enum)]
    sandbox: Option<Switch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Times {
    /// Defend it at the first conflict, and leave at a second within ten seconds
    Once,
    /// Leave at the first conflict
    Never,
}

impl Times {
    fn policy(self) -> Defend {
        match self {
            Self::Once => Defend::Once,
            Self::Never => Defend::Never,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// While the interface has no routable address (the default)
    Fallback,
    /// Always, beside routable addresses
    Always,
    /// Never: routes alone, so that link-local hosts can be reached from a routable address
    Route,
}

impl When {
    fn mode(self) -> Mode {
        match self {
            Self::Fallback => Mode::Fallback,
            Self::Always => Mode::Always,
            Self::Route => Mode::Route,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Means {
    /// The best that this kernel has
    Auto,
    /// A packet filter (nf_tables), or no start; and the means of "sysctl"
    Nft,
    /// Settings of interfaces, and routing rules; ARP replies stay unicast, not all is kept from
    /// being forwarded
    Sysctl,
    /// None
    Off,
}

impl Means {
    fn mode(self) -> GuardMode {
        match self {
            Self::Auto => GuardMode::Auto,
            Self::Nft => GuardMode::Nft,
            Self::Sysctl => GuardMode::Sysctl,
            Self::Off => GuardMode::Off,
        }
    }
}

/// Why the command line says nothing: an error, or a wish for help.
pub(crate) struct Unparsed(clap::Error);

impl Unparsed {
    /// Prints it where it belongs, and the exit status: 0 for help, 2 for errors.
    pub(crate) fn report(&self) -> ExitCode {
        // Nothing is left to be done where even this cannot be printed.
        let _ = self.0.print();
        ExitCode::from(u8::try_from(self.0.exit_code()).unwrap_or(2))
    }
}

impl fmt::Display for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads and checks a command line, the program's name first.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Source, Unparsed> {
    let cli = Cli::try_parse_from(args).map_err(Unparsed)?;
    cli.source().map_err(|failure| {
        Unparsed(Cli::command().error(clap::error::ErrorKind::ValueValidation, failure))
    })
}

/// What can be typed.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

impl Cli {
    fn source(self) -> Result<Source, Failure> {
        let choices = self.choices();
        // What contradicts itself is refused before any file is read.
        choices.settings().map_err(Failure::Usage)?;
        let named = self
            .interfaces
            .iter()
            .map(|pattern| Ok(Selector { pattern: pattern.clone(), choices: Choices::default() }));
        let selectors =
            named.chain(self.lists.iter().map(listed)).collect::<Result<Vec<_>, Failure>>()?;
        let mut patterns = BTreeSet::new();
        if let Some(twice) = selectors.iter().find(|each| !patterns.insert(&each.pattern)) {
            return Err(Failure::Usage(format!(
                "interface {} is given twice: name each interface once",
                twice.pattern
            )));
        }
        let debug = self.lists.iter().any(|list| list.debug);
        let verbosity = match self.verbose.max(u8::from(debug)) {
            0 => None,
            1 => Some(Verbosity::Debug),
            2.. => Some(Verbosity::Trace),
        };
        let process = ProcessChoices {
            state_dir: self.state_dir,
            control: self.control,
            verbosity,
            guard: self.guard.map(Means::mode),
            hooks: self.hooks,
            sandbox: self.sandbox.map(|switch| switch == Switch::On),
            exempt: (!self.exempt.is_empty()).then_some(self.exempt),
        };
        Ok(Source { selectors, choices, process, config: self.config })
    }

    /// What is said of all interfaces.
    fn choices(&self) -> Choices {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Choices {
            mode: self.mode.map(When::mode).or(self.force.then_some(Mode::Always)),
            start: self.start,
            range: self.range,
            defend: self.defend.map(Times::policy).or(self.no_defend.then_some(Defend::Never)),
            profile: self.timing,
            numbers: Numbers {
                probes: self.probes.and_then(NonZeroU8::new),
                announcements: self.announcements.and_then(NonZeroU8::new),
                announce_wait_ms: self.announce_wait.map(|seconds| seconds.saturating_mul(1000)),
                announce_interval_ms: self
                    .announce_wait
                    .map(|seconds| seconds.saturating_mul(1000)),
                ..Numbers::default()
            },
            wait: self.wait.map(seconds),
            grace: self.grace.map(seconds),
            metric: self.metric,
            default_route: self.default_route,
            alias: self.alias,
        }
    }
}

/// An interface as nfm-autoip.so manages it: beside other addresses, with its own delay.
fn listed(list: &OptionList) -> Result<Selector, Failure> {
    let pattern = Pattern::parse(&list.interface).map_err(Failure::Usage)?;
    let delay = Some(list.delay_ms);
    let numbers = Numbers { probe_min_ms: delay, probe_max_ms: delay, ..Numbers::default() };
    let choices = Choices {
        mode: Some(Mode::Always),
        start: list.start,
        defend: list.abandon.then_some(Defend::Never),
        numbers,
        ..Choices::default()
    };
    Ok(Selector { pattern, choices })
}

#[cfg(test)]
mod tests;
