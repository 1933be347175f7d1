//! Going into the background: the program ends, and a copy of it goes on as a daemon.
//!
//! The first process stays until the daemon says that it is up, so that whoever started it knows.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::unistd::{
    ForkResult, chdir, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2, read, setsid, write,
};

use crate::worker::refuse_threads;
use crate::{Error, Result, boottime, wait_ready};

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Side {
    /// The first one: the daemon is up, or has failed, with this exit status.
    Parent(u8),
    /// The first one: the daemon has said nothing within the time.
    Forsaken,
    /// The daemon.
    Daemon(Launch),
}

/// The daemon's duty to say what became of it.
#[derive(Debug)]
pub struct Launch {
    parent: OwnedFd,
}

impl Launch {
    /// Goes into the background: in a session of its own, with the root as directory, and without
    /// the files of whoever started it. The first process waits up to `patience` for word of it.
    ///
    /// # Errors
    ///
    /// Threads are running, or the system refuses.
    pub fn start(patience: Duration) -> Result<Side> {
        let op = "go into the background";
        refuse_threads(op)?;
        let (reader, writer) =
            pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|errno| Error::new(op, errno))?;
        #[expect(unsafe_code, reason = "nix leaves it to its callers to know about threads")]
        // SAFETY: no other thread runs that could hold a lock, as was checked, so both processes
        // may go on as before.
        match unsafe { fork() }.map_err(|errno| Error::new(op, errno))? {
            ForkResult::Parent { .. } => {
                drop(writer);
                wait(&reader, patience)
            }
            ForkResult::Child => {
                drop(reader);
                settle().map_err(|error| Error::new(op, error))?;
                Ok(Side::Daemon(Self { parent: writer }))
            }
        }
    }

    /// Lets the first process end with this exit status.
    pub fn report(self, status: u8) {
        // Nobody listens any longer where this fails.
        let _ = write(&self.parent, &[status]);
    }
}

/// Lets go of the terminal, the directory and the pipes of the first process.
fn settle() -> io::Result<()> {
    setsid()?;
    chdir("/")?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Waits for the daemon's word.
fn wait(reader: &OwnedFd, patience: Duration) -> Result<Side> {
    let until = boottime() + patience;
    loop {
        let [ready] = wait_ready([reader.as_fd()], Some(until))?;
        if ready {
            let mut status = [0];
            return match read(reader, &mut status) {
                Ok(1) => Ok(Side::Parent(status[0])),
                // It ended without a word.
                Ok(_) => Ok(Side::Parent(1)),
                Err(errno) => Err(Error::new("hear from the daemon", io::Error::from(errno))),
            };
        }
        if boottime() >= until {
            return Ok(Side::Forsaken);
        }
    }
}
