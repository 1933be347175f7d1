//! The PID files of avahi-autoipd, by which daemons are found, asked and ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use autoip_linux::{ask_to_announce, ask_to_end, boottime, command_of};

/// Commands whose process numbers are believed: the original, and ourselves. A number that
/// outlived its daemon may be anybody's by now.
const COMMANDS: [&str; 2] = ["avahi-autoipd", "autoipd"];
/// How long a daemon may take to end.
const END_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const CHECK: Duration = Duration::from_millis(10);

/// The PID file of one interface.
#[derive(Clone, Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    pub(super) fn of(interface: &str) -> Self {
        Self { path: PathBuf::from(format!("/run/avahi-autoipd.{interface}.pid")) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names this process.
    pub(super) fn write(&self) -> io::Result<()> {
        fs::write(&self.path, format!("{}\n", std::process::id()))
    }

    /// The daemon that runs.
    pub(super) fn running(&self) -> Result<i32, String> {
        let path = self.path.display();
        let text = fs::read_to_string(&self.path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                format!("none runs, for there is no {path}")
            } else {
                format!("{path} cannot be read: {error}")
            }
        })?;
        let pid = text.trim().parse().map_err(|_| format!("{path} holds no process number"))?;
        match command_of(pid) {
            Some(name) if name.is_empty() || COMMANDS.contains(&name.as_str()) => Ok(pid),
            Some(name) => Err(format!("{path} names process {pid}, which is {name}")),
            None => Err(format!("{path} names process {pid}, which has ended")),
        }
    }

    /// Ends the daemon and waits until it has gone.
    pub(super) fn end(&self) -> Result<(), String> {
        let pid = self.running()?;
        ask_to_end(pid).map_err(|error| error.to_string())?;
        let until = boottime() + END_MAX;
        while command_of(pid).is_some() {
            if boottime() >= until {
                return Err(format!("process {pid} has not ended within {} s", END_MAX.as_secs()));
            }
            thread::sleep(CHECK);
        }
        Ok(())
    }

    /// Has the daemon announce its address again.
    pub(super) fn refresh(&self) -> Result<(), String> {
        ask_to_announce(self.running()?).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cannot be read says nothing about who runs.
    #[test]
    fn no_file_is_told_from_one_that_cannot_be_read() {
        let missing = PidFile { path: PathBuf::from("/nowhere/autoipd.pid") };
        assert_eq!(
            missing.running().unwrap_err(),
            "none runs, for there is no /nowhere/autoipd.pid"
        );
        let directory = PidFile { path: PathBuf::from("/") };
        let error = directory.running().unwrap_err();
        assert!(error.starts_with("/ cannot be read: "), "{error}");
    }
}
