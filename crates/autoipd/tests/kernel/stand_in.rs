//! What the tests of programs that the daemon stands in for have in common: a place with files of
//! its own, in which the program is found under its other name.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use autoip_lab::{Host, Process};

use crate::station::{Memory, eventually, s};

/// Directories in place of /run and /var/lib, seen by the programs that run in it alone.
pub(crate) struct Place {
    dir: Memory,
}

impl Place {
    /// Leaves the test where the tools for it are missing.
    pub(crate) fn new() -> Self {
        for tool in ["unshare", "mount", "ip"] {
            if Command::new(tool).arg("--version").output().is_err() {
                autoip_lab::skip(&format!("{tool} is not installed"));
            }
        }
        let place = Self { dir: Memory::new() };
        for dir in ["run", "lib", "lib/avahi-autoipd"] {
            fs::create_dir(place.path(dir)).unwrap();
        }
        for name in ["avahi-autoipd", "zcip"] {
            symlink(env!("CARGO_BIN_EXE_autoipd"), place.path(name)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.dir().join(name)
    }

    /// A command in this place; one that does not begin with a slash is one of ours.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_after("", line)
    }

    /// The same after more has been mounted.
    pub(crate) fn command_after(&self, mounts: &str, line: &str) -> Command {
        let place = self.path("");
        let place = place.to_str().unwrap().trim_end_matches('/');
        let mounts = mounts.replace('@', place);
        let script = format!(
            "mount --bind {place}/run /run && mount --bind {place}/lib /var/lib && {{ {mounts}\n\
             true; }} && exec \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script, "sh"]);
        let mut words = line.replace('@', place).split(' ').map(str::to_owned).collect::<Vec<_>>();
        if !words[0].starts_with('/') {
            words[0] = self.path(&words[0]).to_str().unwrap().to_owned();
        }
        command.args(words).env_remove("JOURNAL_STREAM").env_remove("LOGGING");
        command
    }

    pub(crate) fn spawn(&self, host: &Host, line: &str) -> Process {
        host.spawn(self.command(line))
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, host: &Host, line: &str) -> Output {
        let mut command = self.command(line);
        host.run(|| command.output().unwrap())
    }

    /// Runs a command to its end: its exit status.
    pub(crate) fn status(&self, host: &Host, line: &str) -> Option<i32> {
        self.run(host, line).status.code()
    }

    /// Adds a shell script, in which `trace` leaves a line and `@` is this place.
    pub(crate) fn add_script(&self, name: &str, body: &str) -> String {
        let path = self.path(name);
        let place = self.path("");
        let place = place.to_str().unwrap().trim_end_matches('/');
        let text = format!("#!/bin/sh\ntrace() {{ echo \"$*\" >>@/trace; }}\n{body}\n")
            .replace('@', place);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The lines that scripts have left.
    pub(crate) fn trace(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("trace")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn await_trace(&self, count: usize) -> Vec<String> {
        eventually("traces of the script", s(9), || self.trace().len() >= count);
        self.trace()
    }
}

/// The command line of a process, as `ps` shows it.
pub(crate) fn title(pid: impl std::fmt::Display) -> String {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).trim_end_matches('\0').replace('\0', " ")
}

/// Waits until a process shows this title.
#[track_caller]
pub(crate) fn await_title(pid: impl std::fmt::Display, wanted: &str, limit: Duration) {
    eventually(&format!("title {wanted:?}"), limit, || title(&pid) == wanted);
}

/// Leaves the test where this file is not there.
pub(crate) fn need(path: &str) -> &Path {
    let path = Path::new(path);
    if !path.exists() {
        autoip_lab::skip(&format!("{} is not installed", path.display()));
    }
    path
}
