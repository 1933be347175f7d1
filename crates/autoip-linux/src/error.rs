//! What a system call refused, as a sentence.

use std::{fmt, io};

/// The result of an operation at the system-call edge.
pub type Result<T> = std::result::Result<T, Error>;

/// An operation that the kernel refused, and its reason.
///
/// Prints as a sentence, such as `could not add 169.254.7.9 to interface 3: Operation not
/// permitted (os error 1)`.
#[derive(Debug)]
pub struct Error {
    op: String,
    source: io::Error,
}

impl Error {
    /// `op` completes the phrase "could not …".
    pub(crate) fn new(op: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { op: op.into(), source: source.into() }
    }

    /// The same, with the name of the interface that it happened to. Errors of the
    /// [`PacketSocket`](crate::PacketSocket) do not know it.
    #[must_use]
    pub fn on(self, interface: &str) -> Self {
        Self { op: format!("{} on {interface}", self.op), ..self }
    }

    /// The kernel's answer.
    #[must_use]
    pub fn io(&self) -> &io::Error {
        &self.source
    }

    /// Whether a capability is missing (EPERM, EACCES).
    #[must_use]
    pub fn is_permission(&self) -> bool {
        matches!(self.errno(), Some(libc::EPERM | libc::EACCES))
    }

    /// Whether the interface is not there or not up (ENODEV, ENXIO, ENETDOWN).
    ///
    /// This is an ordinary event of a link, not a fault: a notification of the
    /// [`Monitor`](crate::rtnl::Monitor) says what happened to it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.errno(), Some(libc::ENODEV | libc::ENXIO | libc::ENETDOWN))
    }

    /// Whether the kernel's answer was lost (ENOBUFS), so that what was asked for may have been
    /// done or not.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.errno() == Some(libc::ENOBUFS)
    }

    /// The error number, where the kernel gave one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.op, self.source)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(errno: i32) -> Error {
        Error::new("add 169.254.7.9 to interface 3", io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn is_a_sentence() {
        assert_eq!(
            error(libc::EPERM).to_string(),
            "could not add 169.254.7.9 to interface 3: Operation not permitted (os error 1)"
        );
    }

    #[test]
    fn names_the_interface() {
        let error = Error::new("send a frame", io::Error::from_raw_os_error(libc::ENOBUFS));
        let text = error.on("eth0").to_string();
        assert_eq!(
            text,
            "could not send a frame on eth0: No buffer space available (os error 105)"
        );
    }

    #[test]
    fn tells_causes_apart() {
        assert!(error(libc::EPERM).is_permission() && error(libc::EACCES).is_permission());
        assert!(error(libc::ENODEV).is_gone() && error(libc::ENETDOWN).is_gone());
        assert!(!error(libc::ENOBUFS).is_gone() && !error(libc::ENOBUFS).is_permission());
        assert!(error(libc::ENOBUFS).is_lost() && !error(libc::ENOENT).is_lost());
        assert_eq!(error(libc::ENXIO).errno(), Some(libc::ENXIO));
    }
}
