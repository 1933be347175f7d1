//! The way into a private network namespace, as root or without.

use std::{fmt, fs, io};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::namespace;

/// How the private network namespace was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The caller may make network namespaces: root, as a rule.
    Privileged,
    /// Inside a user namespace, in which the caller is root; no privilege was needed.
    UserNamespace,
}

/// Why no network namespace can be had, and what would help, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNamespaces(String);

impl fmt::Display for NoNamespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoNamespaces {}

/// Moves this process into a private network namespace, so that nothing it does touches the
/// machine's network: directly where that is permitted, else inside a private user namespace.
///
/// To be called first thing in `main`: the kernel refuses a user namespace to a process that has
/// more than one thread.
///
/// # Errors
///
/// [`NoNamespaces`] where the system forbids both, or has no virtual Ethernet devices.
pub fn enter() -> Result<Entry, NoNamespaces> {
    let entry = match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => Entry::Privileged,
        Err(Errno::EPERM) => {
            enter_user_namespace()?;
            Entry::UserNamespace
        }
        Err(errno) => return Err(refused("network namespace", errno)),
    };
    namespace::try_devices().map_err(|error| {
        NoNamespaces(format!(
            "no virtual switch can be made here ({error}); as root, `modprobe -a veth bridge` \
             helps where the kernel has them as modules"
        ))
    })?;
    Ok(entry)
}

/// Makes a user namespace and a network namespace that belongs to it. The caller is root in both.
fn enter_user_namespace() -> Result<(), NoNamespaces> {
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|errno| refused("user namespace", errno))?;
    // The kernel wants setgroups(2) given up before an unprivileged process may map its group.
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("0 {uid} 1"))?;
    write("/proc/self/gid_map", &format!("0 {gid} 1"))
}

fn write(path: &str, text: &str) -> Result<(), NoNamespaces> {
    fs::write(path, text).map_err(|error| {
        NoNamespaces(format!(
            "a user namespace was made, but {path} cannot be written ({error}); {}",
            remedy()
        ))
    })
}

fn refused(what: &str, errno: Errno) -> NoNamespaces {
    let why = if errno == Errno::ENOSPC {
        // Its text, "No space left on device", would mislead.
        "their number is limited".to_owned()
    } else {
        io::Error::from(errno).to_string()
    };
    NoNamespaces(format!("the system refuses a private {what} ({why}); {}", remedy()))
}

/// What the user can do about it: the switch that is known to be off, or the general advice.
fn remedy() -> String {
    let switches = [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user.max_user_namespaces", "0", "10000"),
        ("user.max_net_namespaces", "0", "10000"),
    ];
    for (name, off, on) in switches {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        if fs::read_to_string(path).is_ok_and(|value| value.trim() == off) {
            return format!("run it as root, or allow it with `sysctl -w {name}={on}`");
        }
    }
    "run it as root, and in a container with CAP_SYS_ADMIN and a seccomp profile that lets \
     unshare(2) through"
        .to_owned()
}
