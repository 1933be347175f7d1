//! The kernel's settings of managed interfaces: changed while we manage, put back afterwards.
//!
//! What they were is also written down, so that after a crash the next start knows it.

use std::fs;
use std::path::{Path, PathBuf};

use autoip_core::MacAddr;
use autoip_linux::rtnl::{Conf, NeighbourSetting, Rtnl};
use autoip_linux::{IfIndex, Result};

use super::Tier;

/// A setting that we change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Conf(Conf),
    Neighbour(NeighbourSetting),
}

/// What a setting has to be.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// An administrator's stricter value stays.
    AtLeast(i32),
    Exactly(i32),
}

impl Need {
    /// What becomes of a value.
    fn applied_to(self, value: i32) -> i32 {
        match self {
            Self::AtLeast(least) => value.max(least),
            Self::Exactly(wanted) => wanted,
        }
    }
}

/// What is needed, and from which to which tier on.
//= LL-3.4-02 an interface neither answers nor asks with the address of another one
const NEEDS: [(Setting, Need, &[Tier]); 5] = [
    // By default the kernel deletes other people's addresses of a network together with the
    // first one in it, which may be ours.
    (
        Setting::Conf(Conf::PromoteSecondaries),
        Need::AtLeast(1),
        &[Tier::Off, Tier::Sysctl, Tier::Filter],
    ),
    // By default it answers on every interface for the addresses of all, and asks with the
    // address of another one. To the link that is a conflict of this host with itself.
    (Setting::Conf(Conf::ArpIgnore), Need::AtLeast(1), &[Tier::Sysctl, Tier::Filter]),
    (Setting::Conf(Conf::ArpAnnounce), Need::AtLeast(2), &[Tier::Sysctl, Tier::Filter]),
    // By default it looks by unicast whether a neighbour is still there. A filter makes that a
    // broadcast; without one the kernel has to begin with broadcasts, and for routable addresses
    // as well. It needs some of them, or it gives up without having asked at all.
    //= LL-2.5-10 without a filter, requests are broadcast by the kernel's own settings
    (Setting::Neighbour(NeighbourSetting::BroadcastReprobes), Need::AtLeast(3), &[Tier::Sysctl]),
    (Setting::Neighbour(NeighbourSetting::UnicastProbes), Need::Exactly(0), &[Tier::Sysctl]),
];

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::Conf(conf) => conf.name(),
            Self::Neighbour(setting) => setting.name(),
        }
    }

    fn need(self) -> Need {
        let of_it = NEEDS.iter().find(|(setting, ..)| *setting == self);
        of_it.map_or(Need::AtLeast(0), |(_, need, _)| *need)
    }
}

/// The values of several settings, as far as they can be read, and what was the matter first.
fn read(
    rtnl: &mut Rtnl,
    index: IfIndex,
    settings: impl IntoIterator<Item = Setting>,
) -> (Vec<(Setting, i32)>, Result<()>) {
    let (mut values, mut confs, mut outcome) = (Vec::new(), Vec::new(), Ok(()));
    for setting in settings {
        match setting {
            Setting::Conf(conf) => confs.push(conf),
            Setting::Neighbour(neighbour) => match rtnl.neighbour_setting(index, neighbour) {
                Ok(value) => values.push((setting, value.cast_signed())),
                Err(error) => outcome = outcome.and(Err(error)),
            },
        }
    }
    if !confs.is_empty() {
        match rtnl.confs(index, &confs) {
            Ok(read) => {
                values.extend(confs.into_iter().map(Setting::Conf).zip(read));
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    (values, outcome)
}

/// Sets several settings, as far as that can be done, and says what was the matter first.
fn write(rtnl: &mut Rtnl, index: IfIndex, values: &[(Setting, i32)]) -> Result<()> {
    let (mut confs, mut outcome) = (Vec::new(), Ok(()));
    // In their order: for a moment the kernel would not look for neighbours at all.
    for &(setting, value) in values {
        match setting {
            Setting::Conf(conf) => confs.push((conf, value)),
            Setting::Neighbour(neighbour) => {
                let value = value.cast_unsigned();
                outcome = outcome.and(rtnl.set_neighbour_setting(index, neighbour, value));
            }
        }
    }
    if confs.is_empty() { outcome } else { outcome.and(rtnl.set_confs(index, &confs)) }
}

/// The settings of one interface before we changed them.
#[derive(Debug)]
pub(super) struct Kept {
    index: IfIndex,
    /// What was changed, and what it was.
    changed: Vec<(Setting, i32)>,
    record: PathBuf,
}

impl Kept {
    /// Nothing is changed yet, unless a daemon that was killed did. `dir` is where it wrote that
    /// down.
    pub(super) fn new(index: IfIndex, mac: MacAddr, dir: &Path) -> Self {
        let record = dir.join(format!("{mac}-{index}.settings"));
        let changed = Record::read(&record)
            .filter(|before| before.is_of(index))
            .map(|before| {
                let kept = |(setting, ..): &(Setting, _, _)| {
                    Some((*setting, before.value(setting.name())?))
                };
                NEEDS.iter().filter_map(kept).collect()
            })
            .unwrap_or_default();
        Self { index, changed, record }
    }

    /// Makes the settings those of a tier. The first failure is returned, after everything else
    /// was tried.
    pub(super) fn adjust(&mut self, rtnl: &mut Rtnl, tier: Tier) -> Result<()> {
        let is_wanted = |setting: Setting| {
            NEEDS.iter().any(|(other, _, tiers)| *other == setting && tiers.contains(&tier))
        };
        let (mut stay, go): (Vec<_>, Vec<_>) =
            self.changed.iter().copied().partition(|(setting, _)| is_wanted(*setting));
        let back = put_back(rtnl, self.index, &go);
        let wanted = NEEDS.iter().map(|(setting, ..)| *setting).filter(|one| is_wanted(*one));
        let (values, seen) = read(rtnl, self.index, wanted);
        let mut changes = Vec::new();
        for (setting, now) in values {
            let wanted = setting.need().applied_to(now);
            if wanted != now {
                changes.push((setting, wanted));
                if stay.iter().all(|(other, _)| *other != setting) {
                    stay.push((setting, now));
                }
            }
        }
        // Before the first change, or a crash right after it would lose what was there.
        if self.changed != stay {
            self.changed = stay;
            self.write_down();
        }
        back.and(seen).and(write(rtnl, self.index, &changes))
    }

    /// Puts everything back that nobody else has changed meanwhile.
    pub(super) fn put_back(&self, rtnl: &mut Rtnl) -> Result<()> {
        // Whatever comes of it: what is not there need not be removed.
        if !self.changed.is_empty() {
            let _ = fs::remove_file(&self.record);
        }
        put_back(rtnl, self.index, &self.changed)
    }

    fn write_down(&self) {
        if self.changed.is_empty() {
            let _ = fs::remove_file(&self.record);
            return;
        }
        let mut text = format!("boot {}\nindex {}\n", boot(), self.index);
        for (setting, value) in &self.changed {
            text.push_str(&format!("{} {value}\n", setting.name()));
        }
        // Without a place for it, a crash costs the settings; there is no remedy here.
        let dir = self.record.parent().unwrap_or(Path::new("."));
        let _ = fs::create_dir_all(dir).and_then(|()| fs::write(&self.record, text));
    }
}

/// Puts back what still is as we set it.
fn put_back(rtnl: &mut Rtnl, index: IfIndex, changed: &[(Setting, i32)]) -> Result<()> {
    let (values, seen) = read(rtnl, index, changed.iter().map(|(setting, _)| *setting));
    let is_ours = |&&(setting, original): &&(Setting, i32)| {
        values.contains(&(setting, setting.need().applied_to(original)))
    };
    let originals: Vec<_> = changed.iter().filter(is_ours).copied().collect();
    seen.and(write(rtnl, index, &originals))
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

    fn value(&self, name: &str) -> Option<i32> {
        self.word(name)?.parse().ok()
    }

    /// What follows `key` on its line.
    fn word(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
    }
}

/// The number that the text of a record gives to a name.
pub(crate) fn recorded(text: &str, name: &str) -> Option<i32> {
    Record(text.to_owned()).word(name)?.parse().ok()
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
    fn a_stricter_value_stays_and_an_exact_one_does_not() {
        assert_eq!([0, 1, 8].map(|value| Need::AtLeast(1).applied_to(value)), [1, 1, 8]);
        assert_eq!([0, 3].map(|value| Need::Exactly(0).applied_to(value)), [0, 0]);
    }

    #[test]
    fn a_record_of_another_boot_or_interface_says_nothing() {
        let index = IfIndex::new(3).unwrap();
        let record = |text: String| Record(text);
        let good = record(format!("boot {}\nindex 3\narp_ignore 0\n", boot()));
        assert!(good.is_of(index));
        assert_eq!(good.value("arp_ignore"), Some(0));
        assert_eq!(good.value("arp_announce"), None);
        assert!(!good.is_of(IfIndex::new(4).unwrap()));
        assert!(!record("boot other\nindex 3\n".to_owned()).is_of(index));
        assert!(!record(String::new()).is_of(index));
    }
}
