//! What was seen over time: frames on a cable, changes of a host's network.

use std::fmt::{self, Display};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::reader::Reader;

/// A recording that goes on until it is dropped.
///
/// A thread reads along, because the time of a thing can only be told while it is fresh. When a
/// test panics, everything recorded is printed.
pub struct Recording<T: Display> {
    name: String,
    tape: Arc<Tape<T>>,
    /// How many entries the waits so far have gone past.
    passed: usize,
    _reader: Reader,
}

struct Tape<T> {
    state: Mutex<State<T>>,
    longer: Condvar,
}

struct State<T> {
    entries: Vec<T>,
    read: Read<T>,
}

/// Appends whatever the kernel has by now.
type Read<T> = Box<dyn FnMut(&mut Vec<T>) + Send>;

impl<T> Tape<T> {
    /// Reading is done under the lock, so that whoever asks has everything the kernel has.
    fn read(&self) -> MutexGuard<'_, State<T>> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { entries, read } = &mut *guard;
        read(entries);
        guard
    }
}

impl<T: Display + Clone + Send + 'static> Recording<T> {
    /// Records what `read` gives, which is called when `source` has become readable.
    pub(crate) fn start(
        name: String,
        source: OwnedFd,
        read: impl FnMut(&mut Vec<T>) + Send + 'static,
    ) -> Self {
        let state = State { entries: Vec::new(), read: Box::new(read) };
        let tape = Arc::new(Tape { state: Mutex::new(state), longer: Condvar::new() });
        let reader = Reader::start(source, {
            let tape = Arc::clone(&tape);
            move || {
                drop(tape.read());
                tape.longer.notify_all();
            }
        });
        Self { name, tape, passed: 0, _reader: reader }
    }

    /// Everything so far.
    #[must_use]
    pub fn all(&self) -> Vec<T> {
        self.tape.read().entries.clone()
    }

    /// Everything so far that `wanted` accepts.
    #[must_use]
    pub fn filtered(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.tape.read().entries.iter().filter(|entry| wanted(entry)).cloned().collect()
    }

    /// Waits for the next entry that `wanted` accepts; `None` when none comes within `timeout`.
    ///
    /// The search begins after the entry that the last wait returned, so that waits in sequence
    /// return entries in sequence, none twice.
    pub fn wait(&mut self, timeout: Duration, wanted: impl Fn(&T) -> bool) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut state = self.tape.read();
        loop {
            while let Some(entry) = state.entries.get(self.passed) {
                self.passed += 1;
                if wanted(entry) {
                    return Some(entry.clone());
                }
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.tape.longer.wait_timeout(state, left);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            state = self.tape.read();
        }
    }

    /// Like [`wait`](Self::wait), for an entry that must come; `what` names it in the failure.
    ///
    /// # Panics
    ///
    /// When no such entry comes within `timeout`.
    #[track_caller]
    pub fn expect(&mut self, what: &str, timeout: Duration, wanted: impl Fn(&T) -> bool) -> T {
        let entry = self.wait(timeout, wanted);
        entry.unwrap_or_else(|| panic!("no {what} on {} within {timeout:?}", self.name))
    }

    /// Lets the next wait begin with what comes from here on.
    pub fn skip_to_end(&mut self) {
        self.passed = self.tape.read().entries.len();
    }
}

impl<T: Display> Drop for Recording<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut text = format!("--- seen on {}:\n", self.name);
            for entry in &self.tape.read().entries {
                text.push_str(&format!("{entry}\n"));
            }
            crate::say(&text);
        }
    }
}

impl<T: Display> fmt::Debug for Recording<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("name", &self.name).finish_non_exhaustive()
    }
}
