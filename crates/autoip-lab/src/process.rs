//! A program that runs inside a virtual host.

use std::io::{self, BufRead, BufReader, PipeReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as Clock};

use autoip_core::Instant;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::namespace::Namespace;

/// How long after the end of a program its last words are waited for. They are in the pipe by
/// then, unless a process that left the program's group keeps it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running program. Dropping it kills it, and the end of the whole process ends it too. What it
/// started itself is killed when it ends, unless that has moved to a process group of its own.
///
/// What it writes to standard output and standard error is kept, line by line, with the time.
/// When a test panics, those lines are printed.
#[derive(Debug)]
pub struct Process {
    program: String,
    pid: Pid,
    record: Arc<Record>,
    parent: Option<JoinHandle<()>>,
}

/// One line that a program wrote.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was read.
    pub at: Instant,
    /// The line, without its end.
    pub text: String,
}

/// What is known of the program, shared between its parent thread and the handle.
#[derive(Debug, Default)]
struct Record {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    /// Set when the program has been reaped: from then on its pid may be somebody else's.
    status: Option<ExitStatus>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test may panic in its own closure while it looks at the lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `found` gives something, at most `timeout`.
    fn wait<T>(&self, timeout: Duration, mut found: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let deadline = Clock::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(value) = found(&state) {
                return Some(value);
            }
            let left = deadline.checked_duration_since(Clock::now())?;
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Process {
    /// Starts `command` inside `namespace`.
    #[track_caller]
    pub(crate) fn start(namespace: &Namespace, command: Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let record = Arc::new(Record::default());
        let (report, started) = mpsc::channel();
        let parent = thread::Builder::new()
            .name(format!("{}'s child", namespace.name()))
            .spawn({
                let (namespace, record) = (namespace.clone(), Arc::clone(&record));
                move || be_parent(&namespace, command, &report, &record)
            })
            .expect("a thread can be started");
        let pid = match started.recv().expect("the parent thread always reports") {
            Ok(pid) => pid,
            Err(error) => panic!("{program} cannot be started: {error}"),
        };
        Self { program, pid, record, parent: Some(parent) }
    }

    /// Its process id, as seen from here.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal; does nothing once the program has ended.
    pub fn signal(&self, signal: Signal) {
        let state = self.record.lock();
        if state.status.is_none() {
            // A program that ended this moment is not reaped yet, so the pid is still its own.
            let _ = kill(self.pid, signal);
        }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn status(&self) -> Option<ExitStatus> {
        self.record.lock().status
    }

    /// Waits for its end; `None` when it is still running after `timeout`.
    #[must_use]
    pub fn ended_within(&self, timeout: Duration) -> Option<ExitStatus> {
        self.record.wait(timeout, |state| state.status)
    }

    /// Waits for its end, which must come.
    ///
    /// # Panics
    ///
    /// When it is still running after `timeout`.
    #[track_caller]
    pub fn wait(&self, timeout: Duration) -> ExitStatus {
        self.ended_within(timeout).unwrap_or_else(|| {
            panic!("{} is still running after {timeout:?}", self.program);
        })
    }

    /// All lines that it has written so far.
    #[must_use]
    pub fn log(&self) -> Vec<Line> {
        self.record.lock().lines.clone()
    }

    /// Whether a line contains `text`.
    #[must_use]
    pub fn log_contains(&self, text: &str) -> bool {
        self.record.lock().lines.iter().any(|line| line.text.contains(text))
    }

    /// Waits until `found` makes something of the lines written so far and of whether the program
    /// has ended; `None` when it has not after `timeout`.
    #[must_use]
    pub fn wait_for<T>(
        &self,
        timeout: Duration,
        mut found: impl FnMut(&[Line], bool) -> Option<T>,
    ) -> Option<T> {
        self.record.wait(timeout, |state| found(&state.lines, state.status.is_some()))
    }

    /// Waits for the first line, from the very first on, that `wanted` accepts.
    ///
    /// # Panics
    ///
    /// When there is none after `timeout`.
    #[track_caller]
    pub fn wait_log(&self, timeout: Duration, wanted: impl Fn(&str) -> bool) -> Line {
        let found = |state: &State| state.lines.iter().find(|line| wanted(&line.text)).cloned();
        self.record.wait(timeout, found).unwrap_or_else(|| {
            panic!("{} has not written the line in question within {timeout:?}", self.program);
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(parent) = self.parent.take() {
            let _ = parent.join();
        }
        let lines = &self.record.lock().lines;
        if thread::panicking() && !lines.is_empty() {
            let mut text = format!("--- {} (pid {}) wrote:\n", self.program, self.pid);
            for line in lines {
                text.push_str(&format!("{:?} {}\n", line.at, line.text));
            }
            crate::say(&text);
        }
    }
}

/// The life of the thread that starts the program. It lasts as long as the program does, because
/// the kernel takes the end of the starting thread for the end of the parent.
fn be_parent(
    namespace: &Namespace,
    command: Command,
    report: &Sender<io::Result<Pid>>,
    record: &Arc<Record>,
) {
    namespace.enter();
    let (mut child, output) = match spawn(command) {
        Ok(started) => started,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    let pid = Pid::from_raw(child.id().cast_signed());
    let _ = report.send(Ok(pid));
    let last_words = collect(output, Arc::clone(record));
    // Waits without reaping, so that nobody signals a pid that has become somebody else's.
    while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
    let _ = killpg(pid, Signal::SIGKILL);
    let _ = last_words.recv_timeout(LAST_WORDS);
    let mut state = record.lock();
    state.status = child.wait().ok();
    record.changed.notify_all();
}

fn spawn(mut command: Command) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    autoip_linux::die_with_parent(&mut command);
    // The command owns the writing ends: the pipe ends with the program once it is dropped.
    Ok((command.spawn()?, reader))
}

/// Reads lines until the pipe ends, on a thread of its own. The receiver disconnects then.
fn collect(output: PipeReader, record: Arc<Record>) -> Receiver<()> {
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let _end: Sender<()> = end;
        for bytes in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            record.lock().lines.push(Line { at: autoip_linux::boottime(), text });
            record.changed.notify_all();
        }
    });
    ended
}
