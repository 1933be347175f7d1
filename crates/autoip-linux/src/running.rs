//! The programs that run on this system, as `/proc` shows them to this user.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A running program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its process number.
    pub pid: u32,
    /// That of the process that started it, or that has taken it over; 0 where there is none.
    pub parent: u32,
    /// The name that the kernel has for it: of the file that was executed, at most 15 bytes.
    pub name: String,
    /// Its arguments from the program's own name on. The program can have changed them, to show
    /// what it does; whoever started it chose them.
    pub arguments: Vec<String>,
    /// Whether it is in the network namespace of this thread; `None` where that is not shown to
    /// us, as with other users' programs without CAP_SYS_PTRACE.
    pub here: Option<bool>,
}

/// All programs that run, but for threads of the kernel.
pub fn running() -> Result<Vec<Running>> {
    let own = fs::read_link("/proc/thread-self/ns/net").ok();
    let entries =
        fs::read_dir("/proc").map_err(|error| Error::new("list the processes in /proc", error))?;
    let directories = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut programs: Vec<_> =
        directories.filter_map(|directory| read(&directory, own.as_ref())).collect();
    programs.sort_by_key(|program| program.pid);
    Ok(programs)
}

/// `None` where it is no process, a thread of the kernel, or gone by now.
fn read(directory: &Path, own: Option<&PathBuf>) -> Option<Running> {
    let pid = directory.file_name()?.to_str()?.parse().ok()?;
    let bytes = |file| fs::read(directory.join(file)).ok();
    let name = String::from_utf8_lossy(&bytes("comm")?).trim_end().to_owned();
    let arguments = arguments(&String::from_utf8_lossy(&bytes("cmdline")?));
    if arguments.is_empty() {
        return None;
    }
    let parent = parent(&String::from_utf8_lossy(&bytes("status")?)).unwrap_or(0);
    let theirs = fs::read_link(directory.join("ns/net")).ok();
    let here = own.zip(theirs.as_ref()).map(|(own, theirs)| own == theirs);
    Some(Running { pid, parent, name, arguments, here })
}

/// The parent in the text of a `status` file.
fn parent(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Titles that programs give themselves are shorter than what was there, and padded.
fn arguments(text: &str) -> Vec<String> {
    text.trim_end_matches('\0').split_terminator('\0').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process;

    #[test]
    fn this_program_is_among_them() {
        let programs = running().unwrap();
        let own = programs.iter().find(|program| program.pid == process::id()).unwrap();
        assert_eq!(own.here, Some(true));
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert_eq!(own.arguments, std::env::args().collect::<Vec<_>>());
    }

    #[test]
    fn padding_is_no_argument() {
        assert_eq!(arguments("zcip\0eth0\0"), ["zcip", "eth0"]);
        assert_eq!(arguments("avahi-autoipd: [e0] bound\0\0\0"), ["avahi-autoipd: [e0] bound"]);
        assert_eq!(arguments(""), [""; 0]);
    }
}
