//! One run of one program: started without a shell, watched, and ended when its time is up.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use autoip_core::Instant;
use autoip_linux::{
    Channel, ChildEnds, as_script, boottime, die_with_parent, kill_group, wait_ready,
};
use tracing::{debug, info, warn};

use super::output::Output;
use super::{Job, Plan};

/// The exit status of a program that cannot be started, as a shell has it.
const NOT_STARTED: i32 = 126;
/// A signal's number is added to this for an exit status, as a shell does.
const SIGNALLED: i32 = 128;
/// How much is read at once.
const CHUNK: usize = 4096;
/// How often something is read after the end: more than a pipe holds.
const REST_MAX: usize = 32;

/// A program and what it is run for.
pub(super) struct Program<'a> {
    pub(super) path: &'a Path,
    pub(super) job: &'a Job,
    pub(super) plan: &'a Plan,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this exit status.
    Itself(i32),
    /// The daemon ended, so there is nobody left to run it for.
    WithDaemon,
}

impl Program<'_> {
    /// Runs it to its end, to the end of its time, or to that of the daemon.
    pub(super) fn run(&self, daemon: &Channel, ends: &ChildEnds) -> Ended {
        debug!(interface = self.job.interface, "running {} {:?}", self.name(), self.job.args);
        let (mut child, pipe) = match self.spawn() {
            Ok(started) => started,
            Err(error) => {
                warn!(interface = self.job.interface, "{} cannot be run: {error}", self.name());
                return Ended::Itself(NOT_STARTED);
            }
        };
        let ended = self.watch(&mut child, pipe, daemon, ends);
        if ended.is_none() {
            kill_group(&child);
            // It was killed, so it ends.
            let _ = child.wait();
        }
        ended.unwrap_or(Ended::WithDaemon)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn spawn(&self) -> io::Result<(Child, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(self.path);
        if !self.plan.inherit {
            command.env_clear();
        }
        command.args(&self.job.args).envs(self.job.env.iter().map(|(name, value)| (name, value)));
        command.current_dir("/").stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        as_script(&mut command);
        die_with_parent(&mut command);
        // The command owns the writing ends: they go with it.
        Ok((command.spawn()?, reader))
    }

    /// Waits for the end; `None` when the daemon has gone first.
    fn watch(
        &self,
        child: &mut Child,
        pipe: PipeReader,
        daemon: &Channel,
        ends: &ChildEnds,
    ) -> Option<Ended> {
        let until = boottime() + self.plan.limit;
        let (mut output, mut pipe) = (Output::default(), Some(pipe));
        loop {
            let [gone, ended, written] = self.wait(daemon, ends, pipe.as_ref(), until);
            if written && !self.read(&mut output, &mut pipe) {
                pipe = None;
            }
            if ended {
                ends.clear();
            }
            if let Ok(Some(status)) = child.try_wait() {
                self.read_rest(&mut output, pipe);
                return Some(Ended::Itself(self.report(status)));
            }
            if gone {
                return None;
            }
            if boottime() >= until {
                kill_group(child);
                let limit = self.plan.limit.as_secs();
                warn!(
                    interface = self.job.interface,
                    "{} ran for more than {limit} s and was killed",
                    self.name()
                );
                let status = child.wait().map_or(NOT_STARTED, code);
                self.read_rest(&mut output, pipe);
                return Some(Ended::Itself(status));
            }
        }
    }

    /// Waits until the daemon has gone, a child has ended, something was written, or `until`.
    fn wait(
        &self,
        daemon: &Channel,
        ends: &ChildEnds,
        pipe: Option<&PipeReader>,
        until: Instant,
    ) -> [bool; 3] {
        let ready = match pipe {
            Some(pipe) => wait_ready([daemon.as_fd(), ends.as_fd(), pipe.as_fd()], Some(until)),
            None => wait_ready([daemon.as_fd(), ends.as_fd()], Some(until))
                .map(|[gone, ended]| [gone, ended, false]),
        };
        // Without a way to wait, the script cannot be watched.
        ready.unwrap_or([true, false, false])
    }

    /// Reads what is there; `false` at the end of it.
    fn read(&self, output: &mut Output, pipe: &mut Option<PipeReader>) -> bool {
        let mut chunk = [0; CHUNK];
        let Some(Ok(len)) = pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) else { return false };
        output.take(&chunk[..len], |line| self.show(line));
        len > 0
    }

    /// Reads what was written before the end. Programs that it left behind may go on writing, and
    /// are not waited for.
    fn read_rest(&self, output: &mut Output, mut pipe: Option<PipeReader>) {
        let is_ready = |pipe: &PipeReader| {
            wait_ready([pipe.as_fd()], Some(boottime())).is_ok_and(|[ready]| ready)
        };
        for _ in 0..REST_MAX {
            if !(pipe.as_ref().is_some_and(is_ready) && self.read(output, &mut pipe)) {
                break;
            }
        }
        output.end(|line| self.show(line));
    }

    fn show(&self, line: &str) {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        info!(interface = self.job.interface, "{name}: {line}");
    }

    /// Says how it ended, and gives its exit status.
    fn report(&self, status: ExitStatus) -> i32 {
        if status.success() {
            debug!(interface = self.job.interface, "{} succeeded", self.name());
        } else {
            warn!(interface = self.job.interface, "{} failed: {status}", self.name());
        }
        code(status)
    }
}

fn code(status: ExitStatus) -> i32 {
    let signalled = status.signal().map(|signal| SIGNALLED + signal);
    status.code().or(signalled).unwrap_or(NOT_STARTED)
}
