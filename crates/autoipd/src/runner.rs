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

use autoip_linux::{Channel, Message, Title, Worker, boottime, wait_ready};
use tracing::{debug, warn};

pub(crate) use job::{Errand, Job};

/// How many jobs wait, at most.
const WAITING_MAX: usize = 1024;
/// How long the jobs of the last moment may take all together.
const FINISH_MAX: Duration = Duration::from_secs(10);
/// How long the runner may take to end after that.
const END_MAX: Duration = Duration::from_secs(1);

/// What the runner runs, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) programs: Programs,
    /// Whether programs find the daemon's environment, beside what the job has for them; else
    /// they get a path and facts about the interface.
    pub(crate) inherit: bool,
    /// How long each program may take.
    pub(crate) limit: Duration,
    /// What `ps` shows in place of the daemon's command line.
    pub(crate) title: Option<(Title, String)>,
    /// A file that goes with the daemon, however that ends.
    pub(crate) goes_with_us: Option<PathBuf>,
}

/// The programs of a plan.
#[derive(Clone, Debug)]
pub(crate) enum Programs {
    /// All that this directory holds at that time, by name.
    Directory(PathBuf),
    /// This one.
    Script(PathBuf),
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) errand: Option<Errand>,
    /// The exit status of the last program that did not succeed, else 0.
    pub(crate) status: i32,
}

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
    /// What that is for.
    errand: Option<Errand>,
    /// Whether jobs were dropped since there was nothing to do last, and a warning was given.
    overrun: bool,
}

impl Runner {
    /// Starts the runner. Must be called before the daemon confines itself or starts a thread.
    pub(crate) fn start(plan: Plan) -> autoip_linux::Result<Self> {
        let (worker, channel) = Worker::start(move |channel| serve::life(&plan, &channel))?;
        debug!("scripts run in process {}", worker.pid());
        Ok(Self {
            worker,
            channel,
            waiting: VecDeque::new(),
            busy: false,
            errand: None,
            overrun: false,
        })
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> i32 {
        self.worker.pid()
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
                let errand = self.errand.take();
                self.busy = false;
                self.feed()?;
                Ok(Some(Done { errand, status: i32::from_ne_bytes(buffer) }))
            }
            Ok(Message::Nothing) => Ok(None),
            Ok(Message::End) | Err(_) => Err(Gone),
        }
    }

    /// Sees to it that nothing is left of a runner that cannot be reached.
    pub(crate) fn bury(self) {
        self.worker.kill();
        let _ = self.worker.wait();
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
        self.errand = job.errand;
        Ok(())
    }

    /// Has a job run and waits for it, before there is anything that could be held up: its exit
    /// status.
    pub(crate) fn run_first(&mut self, job: Job) -> Result<i32, Gone> {
        self.push(job)?;
        loop {
            wait_ready([self.channel.as_fd()], None).map_err(|_| Gone)?;
            if let Some(done) = self.on_ready()? {
                return Ok(done.status);
            }
        }
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
