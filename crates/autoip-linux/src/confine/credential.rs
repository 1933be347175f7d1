//! Capabilities, and the superuser's name.

use std::os::unix::fs::chown;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, User, setgroups, setresgid, setresuid};

use crate::{Error, Result};

/// CAP_NET_ADMIN and CAP_NET_RAW.
const KEPT: u32 = 1 << 12 | 1 << 13;
/// More than the kernel has capabilities.
const CAPABILITIES_MAX: libc::c_int = 64;
/// The version of the structures below (linux/capability.h).
const VERSION: u32 = 0x2008_0522;

/// A user to be instead of the superuser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// The user called `name`, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok()??;
        Some(Self { uid: user.uid, gid: user.gid })
    }

    /// Gives a file or directory to the user.
    pub fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
            .map_err(|error| Error::new(format!("give {} away", path.display()), error))
    }

    /// Becomes this user for good, with all capabilities that are permitted; those in effect
    /// are to be chosen next.
    pub fn assume(&self) -> Result<()> {
        let assume = || {
            prctl(libc::PR_SET_KEEPCAPS, 1)?;
            setgroups(&[])?;
            setresgid(self.gid, self.gid, self.gid)?;
            setresuid(self.uid, self.uid, self.uid)
        };
        assume().map_err(|errno| Error::new(format!("become user {}", self.uid), errno))
    }
}

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

/// The lower and the upper half of each set.
#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up all capabilities of this thread but CAP_NET_ADMIN and CAP_NET_RAW, and the way to get
/// others by executing a program. Must be called while the process has one thread.
pub fn keep_network_capabilities() -> Result<()> {
    for capability in 0..CAPABILITIES_MAX {
        if KEPT >> capability.min(31) & 1 == 0 || capability > 31 {
            // Refused without CAP_SETPCAP; then the set below says what counts.
            let _ = prctl(libc::PR_CAPBSET_DROP, capability);
        }
    }
    // Older kernels have no ambient set.
    let _ = prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL);
    let header = Header { version: VERSION, pid: 0 };
    let none = Sets { effective: 0, permitted: 0, inheritable: 0 };
    let sets = [Sets { effective: KEPT, permitted: KEPT, ..none }, none];
    #[expect(unsafe_code, reason = "libc has no capset")]
    // SAFETY: the kernel reads one header and, in this version, two sets; both outlive the call.
    let result = unsafe {
        libc::syscall(libc::SYS_capset, &raw const header, (&raw const sets).cast::<Sets>())
    };
    Errno::result(result)
        .and_then(|_| prctl(libc::PR_SET_NO_NEW_PRIVS, 1))
        .map_err(|errno| Error::new("give up capabilities", errno))
}

fn prctl(option: libc::c_int, value: libc::c_int) -> nix::Result<()> {
    let (value, zero) = (libc::c_ulong::try_from(value).unwrap_or(0), libc::c_ulong::from(0u8));
    #[expect(unsafe_code, reason = "nix lacks these options")]
    // SAFETY: all options that are used here take numbers alone.
    let result = unsafe { libc::prctl(option, value, zero, zero, zero) };
    Errno::result(result).map(drop)
}
