//! Other processes: children that do not outlive their parent, those that are scripts, and
//! daemons that a file names.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, killpg};
use nix::unistd::{Pid, getpid, getppid};

use crate::{Error, Result};

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

/// Has the program that `command` starts begin as scripts expect it: with no signal blocked or
/// ignored, no file open but the standard ones, and in a process group of its own, so that
/// [`kill_group`] ends what it started as well.
pub fn as_script(command: &mut Command) {
    command.process_group(0);
    let begin = || {
        SigSet::empty().thread_set_mask()?;
        heed_all_signals();
        close_others_on_exec();
        Ok(())
    };
    #[expect(unsafe_code, reason = "code between fork and exec is unsafe by nature")]
    // SAFETY: the closure calls sigprocmask, signal and close_range, which are async-signal-safe,
    // and allocates nothing.
    unsafe {
        command.pre_exec(begin);
    }
}

/// Whoever started the daemon may have told it to ignore some, as nohup(1) does.
fn heed_all_signals() {
    for signal in Signal::iterator() {
        #[expect(unsafe_code, reason = "handlers are code that runs at any moment")]
        // SAFETY: the default takes the place of a handler, and no handler of ours is set. That
        // two signals cannot be changed does no harm.
        let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
    }
}

/// Whoever started the daemon may have left files open. Kernels before 5.11 leave them so.
fn close_others_on_exec() {
    #[expect(unsafe_code, reason = "no library has it for all C libraries")]
    // SAFETY: the call takes three numbers; it closes nothing now.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
}

/// Ends a child that was started by [`as_script`] and has not been waited for, and everything
/// that it started.
pub fn kill_group(child: &Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// The command name of a running process, empty where it cannot be known; `None` where there is
/// no such process.
#[must_use]
pub fn command_of(pid: i32) -> Option<String> {
    match kill(Pid::from_raw(pid), None) {
        Ok(()) | Err(Errno::EPERM) if pid > 0 => {
            // Without /proc nobody can tell.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
            match name {
                // It has ended, and nobody has asked how.
                Some((_, rest)) if rest.trim_start().starts_with(['Z', 'X']) => None,
                Some((name, _)) => Some(name.to_owned()),
                None => Some(String::new()),
            }
        }
        Ok(()) | Err(_) => None,
    }
}

/// Asks a daemon to end (SIGTERM).
pub fn ask_to_end(pid: i32) -> Result<()> {
    ask(pid, Signal::SIGTERM)
}

/// Asks a daemon to announce its address again (SIGHUP).
pub fn ask_to_announce(pid: i32) -> Result<()> {
    ask(pid, Signal::SIGHUP)
}

fn ask(pid: i32, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(pid), signal)
        .map_err(|errno| Error::new(format!("send {signal} to process {pid}"), errno))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn processes_are_known_by_name() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(command_of(own).is_some_and(|name| !name.is_empty()));
        assert_eq!((command_of(0), command_of(-1), command_of(i32::MAX)), (None, None, None));
        let mut child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        while command_of(pid).is_some() {
            std::thread::yield_now();
        }
        assert!(child.wait().unwrap().success(), "it had ended, and was still there");
    }

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
