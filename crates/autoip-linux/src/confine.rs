//! What a process gives up for good once it has opened all that it needs: files, capabilities,
//! the superuser's name, and system calls.
//!
//! Each part stands alone, so that a kernel that lacks one still gets the others. The order matters
//! to the caller: files while they can all be found, system calls last.

// Where there is no compiler for the filter, some of the calls have other names, too.
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")),
    path = "confine/no_call.rs"
)]
mod call;
mod credential;
mod file;

pub use call::restrict_calls;
pub use credential::{Account, keep_network_capabilities};
pub use file::{Places, restrict_files};

/// Which system calls are wanted besides those that every daemon needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The process that may be ended.
    pub worker: Option<i32>,
    /// Whether [`driver`](crate::driver) may be asked for. It brings the rest of ethtool's ioctl
    /// along, which changes devices: for whoever has no use for it, it had better stay closed.
    pub drivers: bool,
}

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
