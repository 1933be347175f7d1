//! The kernel's settings of managed interfaces: changed while we manage, put back afterwards.
//!
//! What they were is also written down, so that after a crash the next start knows it.

use std::fs;
use std::path::{Path, PathBuf};

use autoip_core::MacAddr;
use autoip_linux::rtnl::{Conf, Rtnl};
use autoip_linux::{IfIndex, Result};

/// What each setting has to be at least. An administrator's stricter value stays.
//= LL-3.4-02 an interface neither answers nor asks with the address of another one
const WANTED: [(Conf, i32); 3] = [
    // By default the kernel deletes other people's addresses of a network together with the
    // first one in it, which may be ours.
    (Conf::PromoteSecondaries, 1),
    // By default it answers on every interface for the addresses of all, and asks with the
    // address of another one. To the link that is a conflict of this host with itself.
    (Conf::ArpIgnore, 1),
    (Conf::ArpAnnounce, 2),
];

/// How many of them are needed so that nobody is harmed, guard or not.
const HARMLESS: usize = 1;

/// The settings of one interface before we changed them.
#[derive(Debug)]
pub(super) struct Kept {
    index: IfIndex,
    changed: Vec<(Conf, i32)>,
    record: PathBuf,
}

impl Kept {
    /// Changes the settings of an interface: all, or without a guard those that others need.
    /// `dir` is where they are written down.
    pub(super) fn change(
        rtnl: &mut Rtnl,
        index: IfIndex,
        mac: MacAddr,
        dir: &Path,
        guarded: bool,
    ) -> Result<Self> {
        let record = dir.join(format!("{mac}-{index}.settings"));
        let before = Record::read(&record).filter(|record| record.is_of(index));
        let mut changed = Vec::new();
        let wanted = if guarded { &WANTED[..] } else { &WANTED[..HARMLESS] };
        for &(conf, wanted) in wanted {
            let now = rtnl.conf(index, conf)?;
            let original = before.as_ref().and_then(|record| record.value(conf)).unwrap_or(now);
            if original < wanted {
                changed.push((conf, original));
            }
        }
        let kept = Self { index, changed, record };
        // Before the first change, or a crash right after it would lose what was there.
        kept.write_down(dir);
        for &(conf, _) in &kept.changed {
            let wanted = WANTED.iter().find(|(known, _)| *known == conf);
            rtnl.set_conf(index, conf, wanted.map_or(0, |(_, value)| *value))?;
        }
        Ok(kept)
    }

    /// Puts everything back that nobody else has changed meanwhile.
    pub(super) fn put_back(&self, rtnl: &mut Rtnl) -> Result<()> {
        // Whatever comes of it: what is not there need not be removed.
        let _ = fs::remove_file(&self.record);
        for &(conf, original) in &self.changed {
            if WANTED.contains(&(conf, rtnl.conf(self.index, conf)?)) {
                rtnl.set_conf(self.index, conf, original)?;
            }
        }
        Ok(())
    }

    fn write_down(&self, dir: &Path) {
        if self.changed.is_empty() {
            return;
        }
        let mut text = format!("boot {}\nindex {}\n", boot(), self.index);
        for (conf, value) in &self.changed {
            text.push_str(&format!("{} {value}\n", conf.name()));
        }
        // Without a place for it, a crash costs the settings; there is no remedy here.
        let _ = fs::create_dir_all(dir).and_then(|()| fs::write(&self.record, text));
    }
}

/// What a daemon wrote down that ended without putting settings back.
struct Record(String);

impl Record {
    fn read(path: &Path) -> Option<Self> {
        fs::read_to_string(path).ok().map(Self)
    }

    /// Whether it is about this interface: numbers are used again, but not before a reboot.
    fn is_of(&self, index: IfIndex) -> bool {
        self.word("boot") == Some(boot().as_str())
            && self.word("index") == Some(index.to_string().as_str())
    }

    fn value(&self, conf: Conf) -> Option<i32> {
        self.word(conf.name())?.parse().ok()
    }

    /// What follows `key` on its line.
    fn word(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
    }
}

/// A text that is another one after each boot.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_boot_or_interface_says_nothing() {
        let index = IfIndex::new(3).unwrap();
        let record = |text: String| Record(text);
        let good = record(format!("boot {}\nindex 3\narp_ignore 0\n", boot()));
        assert!(good.is_of(index));
        assert_eq!(good.value(Conf::ArpIgnore), Some(0));
        assert_eq!(good.value(Conf::ArpAnnounce), None);
        assert!(!good.is_of(IfIndex::new(4).unwrap()));
        assert!(!record("boot other\nindex 3\n".to_owned()).is_of(index));
        assert!(!record(String::new()).is_of(index));
    }
}
