//! The sandbox: what the daemon gives up for good once everything is open, so that whoever should
//! get hold of it through a frame or a client has little. Scripts run outside of it, in a process
//! that was made before.
//!
//! A part that the kernel lacks is said, and the daemon runs without it.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use autoip_linux::Result;
use autoip_linux::confine::{
    Account, Extent, Keep, Places, keep_network_capabilities, restrict_calls, restrict_files,
};
use tracing::{debug, info, warn};

use crate::control::REGISTRY;

/// Where sockets are, for clients.
const RUN_DIR: &str = "/run/autoip";
/// What the kernel says of the interface that comes under management, and of whoever manages it
/// already. Landlock itself hides the memory and the environment of processes.
const OF_THE_KERNEL: &str = "/proc";

/// Which parts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// Files but for a few places, and TCP.
    pub(crate) files: bool,
    /// Capabilities but those for networks.
    pub(crate) capabilities: bool,
    /// System calls but those on a list.
    pub(crate) calls: bool,
    /// The user to be instead of root.
    pub(crate) account: Option<Account>,
}

/// What can no longer be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Files elsewhere than in the places.
    pub(crate) files: bool,
    /// The names of drivers.
    pub(crate) drivers: bool,
}

impl Sandbox {
    /// All of it but another user, or nothing.
    pub(crate) fn new(on: bool) -> Self {
        Self { files: on, capabilities: on, calls: on, account: None }
    }

    /// Gives everything up that is not wanted any longer.
    pub(crate) fn close(&self, places: &Places, keep: Keep) -> GivenUp {
        let files = self.files && has_given_up("access to files", restrict_files(places));
        if let Some(account) = self.account {
            let assumed = account.assume().map(|()| Extent::Whole);
            has_given_up("the superuser's name", assumed);
        }
        if self.capabilities {
            let kept = keep_network_capabilities().map(|()| Extent::Whole);
            has_given_up("capabilities", kept);
        }
        let calls = self.calls && has_given_up("system calls", restrict_calls(keep));
        GivenUp { files, drivers: calls && !keep.drivers }
    }
}

/// Says what became of it. Whether any of it was given up.
fn has_given_up(what: &str, outcome: Result<Extent>) -> bool {
    match &outcome {
        Ok(Extent::Whole) => debug!("sandbox: gave up {what}"),
        Ok(Extent::Part) => debug!("sandbox: gave up {what} as far as this kernel knows how"),
        Ok(Extent::Nothing) => info!("sandbox: this kernel has no means to give up {what}"),
        Err(error) => warn!("sandbox: {error}; going on without that"),
    }
    matches!(outcome, Ok(Extent::Whole | Extent::Part))
}

/// Where the daemon still reads and writes.
pub(crate) fn places(state_dir: &Path, config: &Path, control: Option<&Path>) -> Places {
    // It is made at the first address otherwise, which will be too late.
    if let Err(error) = fs::create_dir_all(state_dir) {
        debug!("{} cannot be made: {error}", state_dir.display());
    }
    let read = [PathBuf::from(OF_THE_KERNEL)].into_iter().chain(readable(config)).collect();
    let mut write = vec![state_dir.to_owned(), PathBuf::from(RUN_DIR)];
    // The socket is taken away at the end, and the link to it.
    let dir = control.and_then(Path::parent).map(Path::to_owned);
    write.extend(dir.into_iter().chain(control.map(|_| PathBuf::from(REGISTRY))));
    Places { read, write }
}

/// What has to be readable so that a file can be read again when it has been replaced: the
/// directory that it is in, and the one that it is in for real where it is a link. A device is not
/// replaced.
fn readable(config: &Path) -> Vec<PathBuf> {
    let is_device = fs::metadata(config).is_ok_and(|file| file.file_type().is_char_device());
    let directory = |path: &Path| match path.parent() {
        Some(dir) if !is_device && dir.as_os_str().is_empty() => PathBuf::from("."),
        Some(dir) if !is_device => dir.to_owned(),
        Some(_) | None => path.to_owned(),
    };
    let target = fs::canonicalize(config).ok();
    [config].into_iter().chain(target.as_deref()).map(directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_replaced_by_another_one() {
        let file = |path| readable(Path::new(path));
        assert_eq!(file("/nowhere/autoip/autoipd.toml"), [PathBuf::from("/nowhere/autoip")]);
        assert_eq!(file("no such autoipd.toml"), [PathBuf::from(".")]);
        assert_eq!(file("/dev/null"), [PathBuf::from("/dev/null"), PathBuf::from("/dev/null")]);
    }
}
