//! What the daemon is to do, as data: the command line and the configuration file after all checks.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use autoip_core::{AddrRange, Defend, LinkLocalAddr, Timing};

use crate::selection::Rule;

/// Where addresses are remembered, unless told otherwise.
pub(crate) const STATE_DIR: &str = "/var/lib/autoip";
/// Where hooks are, unless told otherwise.
pub(crate) const HOOKS_DIR: &str = "/etc/autoip/hooks.d";

/// Everything that the daemon was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Which interfaces to manage, and how.
    pub(crate) rules: Vec<Rule>,
    /// How to manage an interface that is named at run time. Every interface has a rule here.
    pub(crate) named: Vec<Rule>,
    pub(crate) process: ProcessSettings,
}

/// What holds for the whole process, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSettings {
    /// Where addresses are remembered.
    pub(crate) state_dir: PathBuf,
    /// How much is logged.
    pub(crate) verbosity: Verbosity,
    /// Where clients connect, if they may.
    pub(crate) control: Option<PathBuf>,
    /// How the kernel is kept from breaking rules.
    pub(crate) guard: GuardMode,
    /// Link-local addresses to and from which packets may be forwarded.
    pub(crate) exempt: Vec<Ipv4Addr>,
    /// The directory of hooks, if any are to run.
    pub(crate) hooks: Option<PathBuf>,
    /// Whether the daemon gives up what it does not need.
    pub(crate) sandbox: bool,
}

impl ProcessSettings {
    /// The keys of the configuration in which `other` says something else.
    pub(crate) fn keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        let Self { state_dir, verbosity, control, guard, exempt, hooks, sandbox } = self;
        let differs = [
            ("state-dir", *state_dir != other.state_dir),
            ("control", *control != other.control),
            ("verbosity", *verbosity != other.verbosity),
            ("guard", *guard != other.guard),
            ("forward", *exempt != other.exempt),
            ("hooks", *hooks != other.hooks),
            ("sandbox", *sandbox != other.sandbox),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

/// Where clients connect; `None` for nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Option<PathBuf>);

/// What the guard is to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuardMode {
    /// The best that can be had.
    Auto,
    /// A packet filter in nf_tables, and what the next one uses.
    Nft,
    /// Settings of interfaces, and rules for routing.
    Sysctl,
    /// Nothing.
    Off,
}

/// What was told about one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceSettings {
    pub(crate) mode: Mode,
    /// Tried before the remembered address.
    pub(crate) start: Option<LinkLocalAddr>,
    /// The addresses to choose from.
    pub(crate) range: AddrRange,
    pub(crate) defend: Defend,
    pub(crate) timing: Timing,
    /// Head start for DHCP after each time that the link comes up.
    pub(crate) wait: Duration,
    /// How long open connections may keep an address when a routable one has come.
    pub(crate) grace: Duration,
    pub(crate) routes: RouteSettings,
    /// The address is labelled `name:alias`.
    pub(crate) alias: Option<u16>,
}

/// Whether an address is wanted beside a routable one (RFC 3927 §1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// None while an operable routable address is there.
    Fallback,
    /// Always.
    Always,
    //= LL-2.6-01 the rules hold for hosts without a link-local address as well
    /// Never: only the routes.
    Route,
}

/// What is to be special about the routes of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteSettings {
    /// The metric of the on-link route, where somebody chose one.
    pub(crate) metric: Option<u32>,
    /// Whether everything is sought on the link that no other route leads to.
    pub(crate) default_route: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Claims, losses, conflicts, changes of links.
    Normal,
    /// Every step of the protocol as well.
    Debug,
    /// Every frame as well.
    Trace,
}
