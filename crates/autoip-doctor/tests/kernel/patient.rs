//! The host that is examined, and how faults and remedies get there.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use autoip_doctor::{Finding, Id, Report, Request, Severity, examine};
use autoip_lab::{Cable, Host, Process, Switch, skip};
use autoip_linux::{IfIndex, InterfaceLock};

/// Tells this program, started again, what to be.
const ROLE: &str = "AUTOIP_DOCTOR_ROLE";
/// For what the kernel or a program does at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// What the environment asks this program to be, if it is not the tests.
pub(crate) fn play_role() -> Option<ExitCode> {
    match env::var(ROLE).ok()?.as_str() {
        "autoipd" => Some(autoipd::main_with(env::args_os())),
        lock => {
            let index = lock.parse().ok().and_then(IfIndex::new);
            let _held = index.map(|index| InterfaceLock::acquire(index).unwrap());
            loop {
                thread::park();
            }
        }
    }
}

/// A host with the interface eth0, on a switch of its own.
pub(crate) struct Patient {
    pub(crate) cable: Cable,
    pub(crate) switch: Switch,
    pub(crate) host: Host,
    root: PathBuf,
}

impl Patient {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("autoip-doctor-{}-{number}", std::process::id());
        let root = env::temp_dir().join(name);
        fs::create_dir_all(root.join("bin")).unwrap();
        let (switch, host) = (Switch::new(), Host::new("patient"));
        let cable = host.connect(&switch, "eth0");
        Self { cable, switch, host, root }
    }

    /// The same with 169.254.7.7/16, as an administrator gives it: with the on-link route.
    pub(crate) fn with_address() -> Self {
        let patient = Self::new();
        patient.host.add_address("eth0", [169, 254, 7, 7].into(), 16);
        patient
    }

    /// Connects it to a second link.
    pub(crate) fn second_link(&self) -> (Switch, Cable) {
        let switch = Switch::new();
        let cable = self.host.connect(&switch, "eth1");
        (switch, cable)
    }

    pub(crate) fn request(&self) -> Request {
        Request { root: self.root.clone(), ..Request::default() }
    }

    pub(crate) fn examine(&self) -> Report {
        self.examine_as(&self.request())
    }

    #[track_caller]
    pub(crate) fn examine_as(&self, request: &Request) -> Report {
        self.host.run(|| examine(request)).unwrap()
    }

    /// Runs a command in the host, as root does in a shell.
    #[track_caller]
    pub(crate) fn shell(&self, command: &str) {
        self.shell_on(&self.host, command);
    }

    /// The same in another host.
    #[track_caller]
    pub(crate) fn shell_on(&self, host: &Host, command: &str) {
        // Files of programs are below the patient's own root.
        let command = command.replace("/etc/", &format!("{}/etc/", self.root.display()));
        let path = format!("{}:{}", self.root.join("bin").display(), env::var("PATH").unwrap());
        let output = host.run(|| {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(&command).env("PATH", format!("{path}:/usr/sbin:/sbin"));
            shell.output().unwrap()
        });
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(127) {
            skip(&format!("a program is missing here: {}", said.trim()));
        }
        assert!(output.status.success(), "{command}: {said}");
    }

    /// A file of a program, below the patient's own root.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Has a command exist that does nothing.
    pub(crate) fn pretend(&self, command: &str) {
        let path = self.path("bin").join(command);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// A program in the host that is called `name`, has these arguments, and does nothing.
    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Process {
        start_in(&self.host, &self.path("bin"), name, arguments)
    }

    /// The same with the arguments of avahi-autoipd and zcip, and with the lock of an interface.
    pub(crate) fn start_locked(&self, name: &str, index: IfIndex) -> Process {
        let role = index.to_string();
        let arguments = &[name, "eth0", "/etc/script"];
        start_as(&role, &self.host, &self.path("bin"), name, arguments)
    }

    /// The daemon itself.
    pub(crate) fn start_autoipd(&self, options: &str) -> Process {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(ROLE, "autoipd").env_remove("JOURNAL_STREAM");
        command.args(options.split_whitespace());
        command.arg("--state-dir").arg(self.path("state")).args(["--control", "none"]);
        self.host.spawn(command)
    }

    /// Makes a fault, finds it, carries its remedy out, and finds it no more.
    #[track_caller]
    pub(crate) fn suffer(&self, id: Id, severity: Severity, fault: &str) {
        assert_absent(&self.examine(), id);
        self.shell(fault);
        let finding = the_one(&self.examine(), id);
        assert_eq!(finding.severity, severity, "{finding:?}");
        self.heal(&finding);
    }

    /// Carries a remedy out, after which the finding is gone.
    #[track_caller]
    pub(crate) fn heal(&self, finding: &Finding) {
        self.shell(finding.command.as_ref().unwrap());
        assert_absent(&self.examine(), finding.id);
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A program in some host that is called `name`, has these arguments, and does nothing.
pub(crate) fn start_in(host: &Host, bin: &Path, name: &str, arguments: &[&str]) -> Process {
    start_as("wait", host, bin, name, arguments)
}

fn start_as(role: &str, host: &Host, bin: &Path, name: &str, arguments: &[&str]) -> Process {
    // The kernel names a program after the file that was executed.
    let file = bin.join(format!("{name}-here")).join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    symlink(env::current_exe().unwrap(), &file).unwrap();
    let mut command = Command::new(file);
    let (first, rest) = arguments.split_first().unwrap();
    command.env(ROLE, role).arg0(first).args(rest);
    host.spawn(command)
}

#[track_caller]
pub(crate) fn assert_absent(report: &Report, id: Id) {
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.id == id).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The only finding of a kind.
#[track_caller]
pub(crate) fn the_one(report: &Report, id: Id) -> Finding {
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.id == id).collect();
    assert_eq!(found.len(), 1, "{id}: {:#?}", report.findings);
    found[0].clone()
}

/// Waits until something is the case.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !reached() {
        assert!(Instant::now() < deadline, "{what} did not come within {SOON:?}");
        thread::sleep(Duration::from_millis(10));
    }
}
