//! Where the daemons of the demo remember their addresses.

use std::path::PathBuf;
use std::{fs, io};

use super::complain;

/// The directory in which the daemons remember their addresses; removed on drop.
pub(super) struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// A new directory with one for each of `hosts` in it.
    pub(super) fn new(hosts: &[&str]) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("autoip-lab-{}", std::process::id()));
        fs::create_dir(&path)?;
        let state_dir = Self { path };
        for host in hosts {
            fs::create_dir(state_dir.of(host))?;
        }
        Ok(state_dir)
    }

    /// The directory of one host.
    pub(super) fn of(&self, host: &str) -> PathBuf {
        self.path.join(host)
    }

    /// Turns a panic, which a kernel that refuses something causes in the lab, into a sentence
    /// and a clean end.
    pub(super) fn remove_on_panic(&self) {
        let path = self.path.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let why = panic.payload().downcast_ref::<String>();
            complain(why.map_or("the lab failed for no known reason", String::as_str));
            let _ = fs::remove_dir_all(&path);
            std::process::exit(1);
        }));
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
