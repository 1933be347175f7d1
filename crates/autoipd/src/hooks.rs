//! The hooks: programs that are told what happens to addresses.
//!
//! An event goes to a hook as arguments and environment at once, in the words of three programs
//! that people have hooks for: avahi-autoipd (arguments), zcip and dhcpcd (environment). Hooks are
//! run by a [`Runner`] in the order of events; nothing here waits for them.

mod script;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoip_core::{ConflictKind, Contest, Loss, Outcome};
use autoip_linux::{IfIndex, Title};
use tracing::{debug, error, warn};

use crate::Failure;
use crate::marks;
use crate::notice::{Notice, What};
use crate::routes;
use crate::runner::{Errand, Gone, Job, Plan, Programs, Runner};
use crate::settings::HOOKS_DIR;

/// How long a hook may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells hooks, or the script of another program, of events.
#[derive(Debug)]
pub(crate) struct Hooks {
    /// None when there is nothing to run, or nobody to run it any longer.
    runner: Option<Runner>,
    convention: Convention,
    /// The last conflict of each interface: a loss may follow from it.
    contests: BTreeMap<IfIndex, Contest>,
}

/// In whose words something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Convention {
    /// Ours, for hooks.
    Hooks,
    /// Those of avahi-autoipd's action script.
    Avahi,
    /// Those of zcip's script.
    Zcip,
}

impl Hooks {
    /// Hooks from `dir`; none where there is no such directory. Must be called before the daemon
    /// confines itself or starts a thread.
    pub(crate) fn start(dir: Option<&Path>) -> Result<Self, Failure> {
        let found = dir.filter(|dir| {
            if !dir.is_dir() {
                let why = "there is no such directory; no hooks run before a restart";
                // Somebody who names a directory means it.
                match *dir == Path::new(HOOKS_DIR) {
                    true => debug!("{}: {why}", dir.display()),
                    false => warn!("{}: {why}", dir.display()),
                }
            }
            dir.is_dir()
        });
        let Some(dir) = found else {
            return Ok(Self::new(None, Convention::Hooks));
        };
        let plan = Plan {
            programs: Programs::Directory(dir.to_owned()),
            inherit: false,
            limit: LIMIT,
            title: None,
            goes_with_us: None,
        };
        Ok(Self::new(Some(Runner::start(plan)?), Convention::Hooks))
    }

    /// A script that configures interfaces for the daemon, as for the program that it stands in
    /// for. The same holds as for hooks.
    pub(crate) fn with_script(
        path: PathBuf,
        convention: Convention,
        title: Option<(Title, String)>,
        goes_with_us: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let programs = Programs::Script(path);
        let plan = Plan { programs, inherit: true, limit: LIMIT, title, goes_with_us };
        Ok(Self::new(Some(Runner::start(plan)?), convention))
    }

    fn new(runner: Option<Runner>, convention: Convention) -> Self {
        Self { runner, convention, contests: BTreeMap::new() }
    }

    /// Whether a script puts addresses on interfaces and takes them off.
    pub(crate) fn configure(&self) -> bool {
        self.runner.is_some() && self.convention != Convention::Hooks
    }

    /// The process number of the runner.
    pub(crate) fn runner_pid(&self) -> Option<i32> {
        self.runner.as_ref().map(Runner::pid)
    }

    /// The line to the runner, for the loop to watch.
    pub(crate) fn line(&self) -> Option<BorrowedFd<'_>> {
        self.runner.as_ref().map(AsFd::as_fd)
    }

    /// Runs the script with this argument alone and waits for it, at the very beginning: its exit
    /// status.
    pub(crate) fn run_first(&mut self, interface: &str, arg: &str) -> Result<i32, Failure> {
        let mut job = Job::new(interface, vec![arg.to_owned()]);
        job.set("interface", interface);
        let Some(runner) = &mut self.runner else { return Ok(0) };
        runner.run_first(job).map_err(|gone| Failure::Refused(gone.to_string()))
    }

    /// Has hooks run about `notice`, if it is one that concerns them.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        let Some(runner) = &mut self.runner else { return };
        if let What::Conflict(contest) = notice.what {
            self.contests.insert(notice.index, contest);
        }
        if notice.what == What::Stopped {
            self.contests.remove(&notice.index);
        }
        let contest = self.contests.get(&notice.index).copied();
        let job = match self.convention {
            Convention::Hooks => job(notice, contest),
            Convention::Avahi => script::avahi(notice),
            Convention::Zcip => script::zcip(notice),
        };
        if let Some(job) = job
            && let Err(gone) = runner.push(job)
        {
            self.lose_runner(&gone);
        }
    }

    /// Hears what the runner has to say: which errand is done.
    pub(crate) fn on_ready(&mut self) -> Option<Errand> {
        match self.runner.as_mut()?.on_ready() {
            Ok(done) => done?.errand,
            Err(gone) => {
                self.lose_runner(&gone);
                None
            }
        }
    }

    /// Goes on without the runner.
    fn lose_runner(&mut self, gone: &Gone) {
        error!("{gone}");
        if let Some(runner) = self.runner.take() {
            runner.bury();
        }
    }

    /// Lets the hooks of the last events run, for a limited time.
    pub(crate) fn finish(&mut self) {
        if let Some(runner) = self.runner.take() {
            runner.finish();
        }
    }
}

/// The event as avahi-autoipd has it, and why.
fn event(what: What) -> Option<(&'static str, &'static str)> {
    Some(match what {
        What::Acquired => ("BIND", "acquired"),
        What::Restored => ("BIND", "restored"),
        What::Conflict(Contest { outcome: Outcome::Defending | Outcome::Endured, .. }) => {
            ("DEFEND", "conflict")
        }
        What::Lost(Loss::Conflict) => ("CONFLICT", "conflict"),
        What::Lost(Loss::Carrier) => ("UNBIND", "carrier"),
        What::Lost(Loss::MacChanged) => ("UNBIND", "mac-changed"),
        What::Lost(Loss::Retired) => ("UNBIND", "retired"),
        What::Lost(Loss::Deleted) => ("UNBIND", "deleted"),
        What::Lost(Loss::OutOfRange) => ("UNBIND", "out-of-range"),
        What::Lost(Loss::Released) => ("UNBIND", "released"),
        What::Lost(Loss::Stopped) => ("STOP", "stopped"),
        What::Conflict(Contest { outcome: Outcome::Dropped | Outcome::Ceded, .. })
        | What::Wanted
        | What::Unwanted(_)
        | What::State(_)
        | What::Stopped => return None,
    })
}

/// What hooks are told of `notice`.
fn job(notice: &Notice, contest: Option<Contest>) -> Option<Job> {
    let (event, reason) = event(notice.what)?;
    let (interface, addr) = (&notice.interface, notice.addr?.to_string());
    let args = vec![event.to_owned(), interface.clone(), addr.clone()];
    let mut job = Job::new(interface, args);
    let up = matches!(event, "BIND" | "DEFEND");
    add_zcip(&mut job, &addr);
    add_dhcpcd(&mut job, notice, &addr, up);
    job.set("AUTOIP_EVENT", event);
    job.set("AUTOIP_REASON", reason);
    job.set("AUTOIP_INTERFACE", interface);
    job.set("AUTOIP_IFINDEX", notice.index);
    job.set("AUTOIP_MAC", notice.mac);
    job.set("AUTOIP_ADDRESS", &addr);
    job.set("AUTOIP_LABEL", notice.label.as_deref().unwrap_or_default());
    if let (true, Some(contest)) = (reason == "conflict", contest) {
        job.set("AUTOIP_CONFLICT_MAC", contest.mac);
        job.set("AUTOIP_CONFLICT_KIND", kind(contest.kind));
    }
    Some(job)
}

fn kind(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::InUse => "in-use",
        ConflictKind::CompetingProbe => "competing-probe",
        ConflictKind::Late => "late",
    }
}

/// The variables of zcip, and those that udhcpc has beside them.
fn add_zcip(job: &mut Job, addr: &str) {
    let interface = job.interface.clone();
    job.set("interface", interface);
    job.set("ip", addr);
    job.set("subnet", marks::NETMASK);
    job.set("mask", marks::PREFIX_LEN);
    job.set("broadcast", marks::BROADCAST);
}

/// The variables of dhcpcd about an address of this kind. What the kernel knows of the interface
/// is added by the runner.
fn add_dhcpcd(job: &mut Job, notice: &Notice, addr: &str, up: bool) {
    job.set("reason", "IPV4LL");
    job.set("protocol", "ipv4ll");
    job.set("pid", std::process::id());
    job.set("ifmetric", routes::metric(notice.index));
    job.set("interface_order", &notice.interface);
    job.set("if_up", up);
    job.set("if_down", !up);
    job.set("if_configured", true);
    let age = if up { "new" } else { "old" };
    job.set(&format!("{age}_ip_address"), addr);
    job.set(&format!("{age}_subnet_mask"), marks::NETMASK);
    job.set(&format!("{age}_subnet_cidr"), marks::PREFIX_LEN);
    job.set(&format!("{age}_network_number"), marks::NETWORK);
    job.set(&format!("{age}_broadcast_address"), marks::BROADCAST);
}

#[cfg(test)]
mod tests;
