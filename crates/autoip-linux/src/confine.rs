//! What a process gives up for good once it has opened all that it needs: files, capabilities,
//! the superuser's name, and system calls.
//!
//! Each part stands alone, so that a kernel that lacks one still gets the others. The order matters
//! to the caller: files while they can all be found, system calls last.

mod call;
mod credential;
mod file;

pub use call::restrict_calls;
pub use credential::{Account, keep_network_capabilities};
pub use file::{Places, restrict_files};

/// How much of a restriction is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What this kernel knows of it.
    Part,
    /// None: the kernel, or the library, does not know this machine's kind.
    Nothing,
}
