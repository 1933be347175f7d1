//! The command line: the letters of QNX's `autoipd`, long options beside them, and what they mean.
//!
//! `Cli` is what was typed, [`Settings`] what it means; every check stands between the two.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use autoip_core::{Defend, LinkLocalAddr, Timing};
use autoip_wire::is_link_local;
use clap::{ArgAction, CommandFactory, Parser, ValueEnum};

use crate::Failure;
use crate::nfm::OptionList;
use crate::settings::{GuardMode, InterfaceSettings, Mode, RouteSettings, Settings, Verbosity};

/// The longest name that the kernel gives an interface, in bytes.
const INTERFACE_NAME_MAX: usize = 15;
/// The longest head start for DHCP, and the longest grace: a day.
const WAIT_MAX_S: i64 = 86_400;

const EXAMPLES: &str = "\
Examples:
  autoipd -i eth0                     an address on eth0 while it has no routable one
  autoipd -f -i eth1 -i eth2          one on each, beside routable ones
  autoipd -i eth0 -s 169.254.20.20    try this address first
  autoipd -o if=eth0,delay=200        the options of QNX's nfm-autoip.so

Exit status: 0 ended by SIGTERM or SIGINT, 1 an interface cannot be managed, 2 wrong options,
77 a capability is missing. SIGHUP announces all addresses again.";

/// Gives interfaces IPv4 link-local addresses (169.254.0.0/16) as RFC 3927 says: probes for an
/// address, announces and defends it, and gives it up when another host insists. Runs in the
/// foreground and logs to standard error.
#[derive(Debug, Parser)]
#[command(name = "autoipd", version, after_help = EXAMPLES)]
struct Cli {
    /// Number of announcements after a claim, 1 to 16 [default: 2]
    #[arg(short = 'a', long = "announcements", value_name = "NUM",
          value_parser = clap::value_parser!(u8).range(1..=16))]
    announcements: Option<u8>,

    /// Do not defend addresses: give one up at the first conflict
    #[arg(short = 'd', long = "no-defend")]
    no_defend: bool,

    /// Claim an address even where the interface has a routable one
    #[arg(short = 'f', long = "force")]
    force: bool,

    /// Interface to manage; may be given more than once
    #[arg(short = 'i', long = "interface", value_name = "NAME", value_parser = interface_name)]
    interfaces: Vec<String>,

    /// Interface to manage with the options of nfm-autoip.so: if=NAME (default en0), ip=ADDR,
    /// delay=MS between probes (1 to 8000, default 2000), debug, abandon. Claims an address
    /// beside a routable one. May be given more than once
    #[arg(short = 'o', long = "options", value_name = "LIST", value_parser = OptionList::parse,
          conflicts_with = "mode")]
    lists: Vec<OptionList>,

    /// Number of probes, 1 to 16 [default: 3]
    #[arg(short = 'p', long = "probes", value_name = "NUM",
          value_parser = clap::value_parser!(u8).range(1..=16))]
    probes: Option<u8>,

    /// Address to try first, 169.254.1.0 to 169.254.254.255 [default: the remembered one, else
    /// one that follows from the MAC address]
    #[arg(short = 's', long = "start", value_name = "ADDR")]
    start: Option<LinkLocalAddr>,

    /// Seconds to leave to DHCP after a link comes up, 0 to 86400
    #[arg(short = 't', long = "wait", value_name = "SECONDS", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=WAIT_MAX_S))]
    wait: u32,

    /// Log every step; twice, every frame
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    verbose: u8,

    /// Seconds to listen after the last probe, and between announcements, 1 to 60 [default: 2]
    #[arg(short = 'w', long = "announce-wait", value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=60))]
    announce_wait: Option<u16>,

    /// Timing of claims; -a, -p and -w change single numbers of it
    #[arg(long = "timing", value_name = "PROFILE", value_enum, default_value_t = Profile::Rfc3927)]
    timing: Profile,

    /// Number of the alias that labels the address, such as eth0:9; "none" for no label
    #[arg(long = "alias", value_name = "NUM", default_value = "9", value_parser = alias)]
    alias: Alias,

    /// Seconds for which open connections may keep the address after a routable one has come, 0
    /// to 86400
    #[arg(long = "grace", value_name = "SECONDS", default_value_t = 600,
          value_parser = clap::value_parser!(u32).range(0..=WAIT_MAX_S))]
    grace: u32,

    /// When to have an address; -f is short for "always"
    #[arg(long = "mode", value_name = "MODE", value_enum, conflicts_with = "force")]
    mode: Option<When>,

    /// Metric of the route to 169.254.0.0/16 [default: 1000 and the number of the interface]
    #[arg(long = "metric", value_name = "NUM")]
    metric: Option<u32>,

    /// Have everything sought on the link that no other route leads to, while there is no
    /// routable address
    #[arg(long = "default-route")]
    default_route: bool,

    /// What keeps the kernel from breaking the rules of RFC 3927
    #[arg(long = "guard", value_name = "MEANS", value_enum, default_value_t = Means::Auto)]
    guard: Means,

    /// Link-local address to and from which packets may be forwarded, such as 169.254.169.254 for
    /// containers in a cloud; may be given more than once
    #[arg(long = "forward", value_name = "ADDR", value_parser = forwarded)]
    exempt: Vec<Ipv4Addr>,

    /// Directory in which addresses are remembered, a file for each MAC address
    #[arg(long = "state-dir", value_name = "DIR", default_value = "/var/lib/autoip")]
    state_dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// RFC 3927: usable after 4 to 7 s
    #[value(name = "rfc3927")]
    Rfc3927,
    /// Draft 07 of it, with four probes: 8 to 10 s
    #[value(name = "draft-07")]
    Draft07,
    /// 0.2 s, then a full round of probes in use; for known point-to-point links, not RFC 3927
    #[value(name = "fast")]
    Fast,
}

impl Profile {
    fn timing(self) -> Timing {
        match self {
            Self::Rfc3927 => Timing::RFC3927,
            Self::Draft07 => Timing::DRAFT_07,
            Self::Fast => Timing::FAST,
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
    /// A packet filter (nf_tables), and the means of "sysctl"
    Nft,
    /// Settings of interfaces, and routing rules; ARP replies stay unicast
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alias(Option<u16>);

/// Why the command line yields no settings: an error, or a wish for help.
pub(crate) struct Unparsed(clap::Error);

impl Unparsed {
    /// Prints it where it belongs, and the exit status: 0 for help, 2 for errors.
    pub(crate) fn report(&self) -> ExitCode {
        // Nothing is left to be done where even this cannot be printed.
        let _ = self.0.print();
        ExitCode::from(u8::try_from(self.0.exit_code()).unwrap_or(2))
    }
}

/// Reads and checks a command line, the program's name first.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Settings, Unparsed> {
    let cli = Cli::try_parse_from(args).map_err(Unparsed)?;
    cli.settings().map_err(|failure| {
        Unparsed(Cli::command().error(clap::error::ErrorKind::ValueValidation, failure))
    })
}

impl Cli {
    fn settings(self) -> Result<Settings, Failure> {
        let mut interfaces = BTreeMap::new();
        let named = self.interfaces.iter().map(|name| Ok((name.clone(), self.interface())));
        for each in named.chain(self.lists.iter().map(|list| self.listed_interface(list))) {
            let (name, settings) = each?;
            if interfaces.insert(name.clone(), settings).is_some() {
                return Err(Failure::Usage(format!(
                    "interface {name} is given twice: name each interface once"
                )));
            }
        }
        if interfaces.is_empty() {
            return Err(Failure::Usage(
                "no interface given: name at least one with -i NAME or -o if=NAME".to_owned(),
            ));
        }
        let debug = self.lists.iter().any(|list| list.debug);
        let verbosity = match self.verbose.max(u8::from(debug)) {
            0 => Verbosity::Normal,
            1 => Verbosity::Debug,
            2.. => Verbosity::Trace,
        };
        Ok(Settings {
            interfaces,
            state_dir: self.state_dir,
            verbosity,
            guard: self.guard.mode(),
            exempt: self.exempt,
        })
    }

    fn interface(&self) -> InterfaceSettings {
        InterfaceSettings {
            mode: if self.force {
                Mode::Always
            } else {
                self.mode.map_or(Mode::Fallback, When::mode)
            },
            start: self.start,
            defend: if self.no_defend { Defend::Never } else { Defend::Once },
            timing: self.timing(),
            wait: Duration::from_secs(self.wait.into()),
            grace: Duration::from_secs(self.grace.into()),
            routes: RouteSettings { metric: self.metric, default_route: self.default_route },
            alias: self.alias.0,
        }
    }

    /// An interface as nfm-autoip.so manages it: beside other addresses, with its own delay.
    fn listed_interface(&self, list: &OptionList) -> Result<(String, InterfaceSettings), Failure> {
        let name = interface_name(&list.interface).map_err(Failure::Usage)?;
        let mut interface = self.interface();
        interface.mode = Mode::Always;
        interface.start = list.start.or(self.start);
        if list.abandon {
            interface.defend = Defend::Never;
        }
        interface.timing.probe_min_ms = list.delay_ms;
        interface.timing.probe_max_ms = list.delay_ms;
        interface.timing.probe_wait_ms = interface.timing.probe_wait_ms.min(list.delay_ms);
        Ok((name, interface))
    }

    fn timing(&self) -> Timing {
        let mut timing = self.timing.timing();
        if let Some(count) = self.probes.and_then(NonZeroU8::new) {
            timing.probe_count = count;
        }
        if let Some(count) = self.announcements.and_then(NonZeroU8::new) {
            timing.announce_count = count;
        }
        if let Some(seconds) = self.announce_wait {
            timing.announce_wait_ms = seconds.saturating_mul(1000);
            timing.announce_interval_ms = seconds.saturating_mul(1000);
        }
        timing
    }
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

fn forwarded(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().ok().filter(|&addr| is_link_local(addr)).ok_or_else(|| {
        format!("{text:?} is not a link-local address: give one of 169.254.0.0 to 169.254.255.255")
    })
}

fn alias(text: &str) -> Result<Alias, String> {
    if text == "none" {
        return Ok(Alias(None));
    }
    text.parse().map(|number| Alias(Some(number))).map_err(|_| {
        format!("{text:?} is not an alias: give a number from 0 to 65535, or \"none\"")
    })
}

#[cfg(test)]
mod tests;
