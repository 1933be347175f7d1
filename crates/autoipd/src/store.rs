//! Addresses that outlive the daemon: one small file for each MAC address.
//!
//! A file is named after the MAC address and holds the address and a newline. It is replaced in
//! one step, so a power cut leaves the old one or the new one. Whatever else stands in it costs
//! one warning and nothing more; the daemon works without its memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use autoip_core::{LinkLocalAddr, MacAddr};
use tracing::{debug, warn};

/// More than any of our files holds.
const FILE_MAX: u64 = 64;

/// The directory of remembered addresses.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    /// What has not been written yet.
    pending: BTreeMap<MacAddr, LinkLocalAddr>,
    /// Files that a warning was given for.
    warned: BTreeSet<PathBuf>,
}

impl Store {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, pending: BTreeMap::new(), warned: BTreeSet::new() }
    }

    /// The address remembered for `mac`, if there is one that can be read.
    //= LL-2.1-06 the address of each interface is remembered
    pub(crate) fn load(&mut self, mac: MacAddr) -> Option<LinkLocalAddr> {
        let path = self.path(mac);
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.warn(&path, &format!("cannot be read ({error})"));
                return None;
            }
        };
        let addr = address(&text);
        if addr.is_none() {
            let line = text.strip_suffix('\n').unwrap_or(&text);
            self.warn(&path, &format!("holds {line:?}, not a link-local address"));
        }
        addr
    }

    /// Remembers `addr` for `mac`. It is written by the next [`Store::flush`].
    pub(crate) fn save(&mut self, mac: MacAddr, addr: LinkLocalAddr) {
        self.pending.insert(mac, addr);
    }

    /// Writes what changed. A slow card can take its time over it, so this is for when there is
    /// nothing more urgent to do.
    pub(crate) fn flush(&mut self) {
        while let Some((mac, addr)) = self.pending.pop_first() {
            self.write(mac, addr);
        }
    }

    fn write(&mut self, mac: MacAddr, addr: LinkLocalAddr) {
        let path = self.path(mac);
        let text = format!("{addr}\n");
        if read(&path).is_ok_and(|known| known == text) {
            return;
        }
        match self.replace(&path, &text) {
            Ok(()) => debug!(file = %path.display(), "remembered {addr}"),
            Err(error) => self.warn(
                &path,
                &format!("cannot be written ({error}), so {addr} will be forgotten at the end"),
            ),
        }
    }

    fn path(&self, mac: MacAddr) -> PathBuf {
        self.dir.join(mac.to_string())
    }

    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        // Without this a power cut may leave the new name with nothing behind it.
        file.sync_data()?;
        fs::rename(&new, path)
    }

    fn warn(&mut self, path: &Path, what: &str) {
        if self.warned.insert(path.to_owned()) {
            warn!("{} {what}; going on without it", path.display());
        }
    }
}

/// The address that a file holds.
pub(crate) fn address(text: &str) -> Option<LinkLocalAddr> {
    text.strip_suffix('\n').unwrap_or(text).parse().ok()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    /// A directory of this test alone, removed at the end.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("autoipd-{}-{name}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        fn store(&self) -> Store {
            Store::new(self.0.join("state"))
        }

        fn save(&self, mac: MacAddr, addr: LinkLocalAddr) {
            let mut store = self.store();
            store.save(mac, addr);
            store.flush();
        }

        fn file(&self) -> PathBuf {
            self.0.join("state").join(MAC.to_string())
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn addr(text: &str) -> LinkLocalAddr {
        text.parse().unwrap()
    }

    //= test LL-2.1-06
    #[test]
    fn remembers_the_last_address_of_each_mac_address() {
        let dir = Dir::new("remembers");
        assert_eq!(dir.store().load(MAC), None);
        dir.save(MAC, addr("169.254.7.9"));
        dir.save(MacAddr([2, 0, 0, 0, 0, 2]), addr("169.254.1.1"));
        assert_eq!(fs::read_to_string(dir.file()).unwrap(), "169.254.7.9\n");
        dir.save(MAC, addr("169.254.8.8"));
        assert_eq!(dir.store().load(MAC), Some(addr("169.254.8.8")));
        let names: Vec<_> = fs::read_dir(dir.0.join("state")).unwrap().collect();
        assert_eq!(names.len(), 2, "no temporary file is left: {names:?}");
    }

    #[test]
    fn writes_nothing_before_there_is_time() {
        let dir = Dir::new("flush");
        let mut store = dir.store();
        store.save(MAC, addr("169.254.7.9"));
        assert_eq!(dir.store().load(MAC), None);
        store.flush();
        assert_eq!(dir.store().load(MAC), Some(addr("169.254.7.9")));
    }

    //= test LL-2.1-02
    #[test]
    fn ignores_damaged_and_foreign_files_with_one_warning() {
        let dir = Dir::new("damaged");
        dir.save(MAC, addr("169.254.7.9"));
        for text in ["", "\n", "169.254.0.9\n", "169.254.255.1\n", "10.0.0.1\n", "\0\0", "x y"] {
            fs::write(dir.file(), text).unwrap();
            let mut store = dir.store();
            assert_eq!(store.load(MAC), None, "{text:?}");
            assert_eq!(store.load(MAC), None, "{text:?}");
            assert_eq!(store.warned.len(), 1, "{text:?}");
        }
        fs::write(dir.file(), vec![0xff; 1 << 20]).unwrap();
        assert_eq!(dir.store().load(MAC), None);
        fs::remove_file(dir.file()).unwrap();
        fs::create_dir(dir.file()).unwrap();
        assert_eq!(dir.store().load(MAC), None);
    }

    #[test]
    fn a_directory_that_cannot_be_written_costs_one_warning() {
        let dir = Dir::new("unwritable");
        fs::write(dir.0.join("state"), "a file where the directory should be").unwrap();
        let mut store = dir.store();
        for _ in 0..2 {
            store.save(MAC, addr("169.254.7.9"));
            store.flush();
        }
        assert_eq!(store.warned.len(), 1);
    }
}
