//! Closing on threads of their own what the kernel takes its time over: a packet socket ten
//! milliseconds, until nobody can be using it any longer. Several then wait together, and the
//! daemon not at all.

use std::thread::{Builder, JoinHandle};

/// Room for a thread that does nothing but close.
const STACK: usize = 64 * 1024;

/// Drops a value on a thread of its own, which can be joined. Where no thread can be had, it is
/// dropped here and now.
pub(crate) fn drop_aside<T: Send + 'static>(value: T) -> Option<JoinHandle<()>> {
    // Without a thread the closure is dropped, and with it the value.
    Builder::new().stack_size(STACK).spawn(move || drop(value)).ok()
}

/// Waits until everything is dropped.
pub(crate) fn join(threads: impl IntoIterator<Item = Option<JoinHandle<()>>>) {
    for thread in threads.into_iter().flatten() {
        // It has nothing to return.
        let _ = thread.join();
    }
}
