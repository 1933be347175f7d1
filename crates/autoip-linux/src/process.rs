//! Child processes that do not outlive their parent.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};

/// Has the process that `command` starts ended with SIGKILL when its parent is gone.
///
/// The "parent" is the thread that spawns it, not the whole process: spawn it from a thread that
/// lives as long as the child may. The setting is lost when the program gains privileges by
/// being executed (set-user-ID, file capabilities).
pub fn die_with_parent(command: &mut Command) {
    let parent = getpid();
    let ask = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have ended before the kernel was asked.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    #[expect(unsafe_code, reason = "code between fork and exec is unsafe by nature")]
    // SAFETY: the closure calls prctl and getppid, which are async-signal-safe, and allocates
    // nothing: both conversions wrap an error number.
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_child_ends_with_the_thread_that_spawned_it() {
        let spawn = || {
            let mut command = Command::new("sleep");
            command.arg("60");
            die_with_parent(&mut command);
            command.spawn().unwrap()
        };
        let mut child = std::thread::spawn(spawn).join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}
