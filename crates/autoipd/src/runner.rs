//! Scripts run in a second process, so that nothing they do holds the protocol up: the daemon's
//! side of the line to it.
//!
//! The runner gets one job at a time and says when it is done; what else is to be run waits here.
//! Nothing in here waits for the runner, but for [`Runner::finish`] at the very end.

mod directory;
mod job;
mod output;
mod program;
mod serve;

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use autoip_linux::{Channel, Message, Worker, boottime, wait_ready};
use tracing::{debug, warn};

pub(crate) use job::Job;

/// How many jobs wait, at most.
const WAITING_MAX: usize = 1024;
/// How long the jobs of the last moment may take all together.
const FINISH_MAX: Duration = Duration::from_secs(10);
/// How long the runner may take to end after that.
const END_MAX: Duration = Duration::from_secs(1);

/// What the runner runs, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// All that this directory holds at that time is run, by name.
    pub(crate) directory: PathBuf,
    /// Whether programs find the daemon's environment, beside what the job has for them; else
    /// they get a path and facts about the interface.
    pub(crate) inherit: bool,
    /// How long each program may take.
    pub(crate) limit: Duration,
}

/// The exit status of a job's last program that did not succeed, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done(pub(crate) i32);

/// The runner is not there any longer.
#[derive(Debug)]
pub(crate) struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process that runs scripts has ended; none will run until a restart")
    }
}

/// The daemon's hold on the runner.
#[derive(Debug)]
pub(crate) struct Runner {
    worker: Worker,
    channel: Channel,
    waiting: VecDeque<Job>,
    /// Whether the runner has a job.
    busy: bool,
    /// Whether jobs were dropped since there was nothing to do last, and a warning was given.
    overrun: bool,
}

impl Runner {
    /// Starts the runner. Must be called before the daemon confines itself or starts a thread.
    pub(crate) fn start(plan: Plan) -> autoip_linux::Result<Self> {
        let (worker, channel) = Worker::start(move |channel| serve::serve(&plan, &channel))?;
        debug!("scripts run in process {}", worker.pid());
        Ok(Self { worker, channel, waiting: VecDeque::new(), busy: false, overrun: false })
    }

    /// Has a job run after all others.
    pub(crate) fn push(&mut self, job: Job) -> Result<(), Gone> {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
            if !std::mem::replace(&mut self.overrun, true) {
                warn!("scripts are too slow for what happens; they are not told of everything");
            }
        }
        self.waiting.push_back(job);
        self.feed()
    }

    /// Hears what the runner has to say: what became of a job.
    pub(crate) fn on_ready(&mut self) -> Result<Option<Done>, Gone> {
        let mut buffer = [0; size_of::<i32>()];
        match self.channel.try_receive(&mut buffer) {
            Ok(Message::Bytes(_)) => {
                self.busy = false;
                self.feed()?;
                Ok(Some(Done(i32::from_ne_bytes(buffer))))
            }
            Ok(Message::Nothing) => Ok(None),
            Ok(Message::End) | Err(_) => Err(Gone),
        }
    }

    /// Whether there is nothing left to be run.
    pub(crate) fn is_idle(&self) -> bool {
        !self.busy && self.waiting.is_empty()
    }

    /// Gives a runner that has nothing to do the next job.
    fn feed(&mut self) -> Result<(), Gone> {
        if self.busy {
            return Ok(());
        }
        let Some(job) = self.waiting.pop_front() else {
            self.overrun = false;
            return Ok(());
        };
        // The line is empty, so the message finds room.
        self.busy = self.channel.send(&job.encode()).map_err(|_| Gone)?;
        Ok(())
    }

    /// Has everything run that waits, for a limited time, and ends the runner together with what
    /// still runs then.
    pub(crate) fn finish(mut self) {
        let until = boottime() + FINISH_MAX;
        while !self.is_idle() && boottime() < until {
            let heard = wait_ready([self.channel.as_fd()], Some(until));
            if heard.is_err() || self.on_ready().is_err() {
                break;
            }
        }
        if !self.is_idle() {
            let left = self.waiting.len();
            warn!("ending although a script still runs; not run for want of time: {left} more");
        }
        self.channel.finish();
        let until = boottime() + END_MAX;
        let mut buffer = [0; size_of::<i32>()];
        while !matches!(self.channel.try_receive(&mut buffer), Ok(Message::End) | Err(_)) {
            if boottime() >= until || wait_ready([self.channel.as_fd()], Some(until)).is_err() {
                self.worker.kill();
                break;
            }
        }
        let _ = self.worker.wait();
    }
}

impl AsFd for Runner {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
