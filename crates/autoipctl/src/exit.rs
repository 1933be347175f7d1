//! How the program ends: its exit statuses, and the failures behind them.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use autoip_control::{Error as ControlError, Refusal};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done, or the answer is yes.
    Done,
    /// The answer is no, or the daemon refuses.
    No,
    /// The command line asks for what cannot be.
    Usage,
    /// No answer can be had.
    Unavailable,
    /// The output cannot be written.
    Output,
    /// Not allowed.
    Permission,
}

impl Exit {
    /// The exit status, beyond 2 as in sysexits(3).
    fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unavailable => 69,
            Self::Output => 74,
            Self::Permission => 77,
        }
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

/// Why a command did not come to its end. Each prints as a sentence.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The daemon cannot be asked, or refuses.
    Control(ControlError),
    /// Our own output cannot be written.
    Output(io::Error),
    /// Something else, with the exit status that it has.
    Other(Exit, String),
}

impl Failure {
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Control(ControlError::Refused(Refusal::PermissionDenied)) => Exit::Permission,
            Self::Control(ControlError::Unreachable { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Exit::Permission
            }
            Self::Control(ControlError::Refused(
                Refusal::NoSuchInterface { .. } | Refusal::TooMany { .. },
            )) => Exit::Unavailable,
            Self::Control(ControlError::Refused(_)) => Exit::No,
            Self::Control(_) => Exit::Unavailable,
            Self::Output(_) => Exit::Output,
            Self::Other(exit, _) => *exit,
        }
    }

    /// Says on standard error what happened.
    pub(crate) fn report(&self) {
        // What the daemon or a file says may hold controls, which must not reach a terminal.
        let sentence = self.to_string().replace(char::is_control, "?");
        // Nothing is left to be done where even this cannot be printed.
        let _ = writeln!(io::stderr(), "autoipctl: {sentence}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(error) => error.fmt(f),
            Self::Output(error) => write!(f, "standard output cannot be written: {error}"),
            Self::Other(_, sentence) => f.write_str(sentence),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<autoip_linux::Error> for Failure {
    fn from(error: autoip_linux::Error) -> Self {
        if error.is_permission() {
            let sentence = format!("{error}; run as root, or give the program CAP_NET_RAW");
            Self::Other(Exit::Permission, sentence)
        } else {
            Self::Other(Exit::Unavailable, error.to_string())
        }
    }
}
