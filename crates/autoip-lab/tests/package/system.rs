//! A clean Debian system in namespaces of its own, with systemd as its first process.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use autoip_lab::{Host, Process};

const SUITE: &str = "bookworm";
/// Counts up whenever what is made below changes, so that no older system is taken.
const EDITION: u32 = 2;
/// What the system has besides what every system has.
const INCLUDED: &str = "--include=systemd,systemd-sysv,iproute2,rpm";
/// How long systemd has to start.
const BOOT: Duration = Duration::from_secs(60);

/// The folder with a system that nothing was done to, or why there is none.
static BASE: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// A system that runs. It ends, and its changes are gone, when this is dropped.
pub(crate) struct System {
    /// The number of systemd's process, as seen from here.
    init: String,
    _process: Process,
}

/// Makes a clean system where there is none yet. Needs the machine's network.
pub(crate) fn prepare() {
    BASE.get_or_init(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("debian-{SUITE}-{EDITION}"));
        if !nix::unistd::geteuid().is_root() {
            return Err("only root can make a system".to_owned());
        }
        if !base.exists() {
            debootstrap(&base)?;
        }
        Ok(base)
    });
}

fn debootstrap(base: &Path) -> Result<(), String> {
    let unfinished = base.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let mut command = Command::new("debootstrap");
    command.args(["--variant=minbase", INCLUDED, SUITE]).arg(&unfinished);
    let output = command.output();
    let output = output.map_err(|error| format!("debootstrap cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("debootstrap cannot make a system: {}", last_line(&output)));
    }
    fs::rename(&unfinished, base).map_err(|error| format!("{}: {error}", base.display()))
}

fn last_line(output: &Output) -> String {
    let text = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&text).lines().last().unwrap_or("it says nothing").to_owned()
}

impl System {
    /// Starts a copy of the clean system, with the network of `host`.
    pub(crate) fn boot(host: &Host) -> Self {
        let base = match BASE.get() {
            Some(Ok(base)) => base,
            Some(Err(why)) => autoip_lab::skip(why),
            None => autoip_lab::skip("no system was made"),
        };
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("system").join(host.name());
        fs::create_dir_all(&work).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]);
        command.args(["sh", "-c", include_str!("boot.sh"), "sh"]).arg(base).arg(&work);
        let process = host.spawn(command);
        let deadline = Instant::now() + BOOT;
        // There is nothing to wait on before systemd can be asked.
        while process.status().is_none() && Instant::now() < deadline {
            if let Some(init) = child(&process) {
                let output = inside(&init, "systemctl is-system-running --wait").output().unwrap();
                let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                // Not everything of an ordinary system works in a container.
                if ["running", "degraded"].contains(&&*state) {
                    return Self { init, _process: process };
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
        let said: Vec<_> = process.log().into_iter().map(|line| line.text).collect();
        autoip_lab::skip(&format!(
            "systemd does not start in a container here: {}",
            said.join("; ")
        ))
    }

    /// Runs a command in the system, which must succeed.
    #[track_caller]
    pub(crate) fn run(&self, command: &str) {
        self.answer(command);
    }

    /// What a command writes, which must succeed.
    #[track_caller]
    pub(crate) fn answer(&self, command: &str) -> String {
        let output = inside(&self.init, command).output().unwrap();
        let (text, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "`{command}` failed:\n{text}{errors}");
        text.trim().to_owned()
    }

    /// Makes a file.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let mut command = inside(&self.init, &format!("cat >{path}"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = inside(&self.init, "journalctl --unit autoipd --no-pager --output short");
            let _ = { log }.stdout(Stdio::inherit()).status();
        }
    }
}

/// A command for the system whose systemd is the process `init`.
fn inside(init: &str, command: &str) -> Command {
    let mut inside = Command::new("nsenter");
    inside.args(["--all", "--root", "--target", init, "env", "--chdir=/", "sh", "-c", command]);
    inside.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
    inside.env("LC_ALL", "C").stdin(Stdio::null());
    inside
}

/// systemd, as the kernel counts processes outside: the one child of the program that made its
/// namespaces.
fn child(process: &Process) -> Option<String> {
    let pid = process.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    let init = children.split_whitespace().next()?.to_owned();
    let name = fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
    (name.trim() == "systemd").then_some(init)
}
