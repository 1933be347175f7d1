//! Log lines for syslog(3), for daemons that were told to write there.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, OnceLock, PoisonError};

const SOCKET: &str = "/dev/log";
/// The facility "daemon", in front of a priority.
const FACILITY: u8 = 3 << 3;

static SYSLOG: OnceLock<Syslog> = OnceLock::new();

/// The way to the system's log.
struct Syslog {
    ident: String,
    socket: Mutex<Option<UnixDatagram>>,
}

/// Sends all lines there from now on, under the name `ident`.
pub(crate) fn start(ident: String) {
    let socket = Mutex::new(connect().ok());
    let _ = SYSLOG.set(Syslog { ident, socket });
}

/// Whether lines go there.
pub(super) fn is_on() -> bool {
    SYSLOG.get().is_some()
}

/// Sends one line, with its priority in front; `false` where lines do not go there.
pub(super) fn send(line: &[u8]) -> bool {
    let Some(syslog) = SYSLOG.get() else { return false };
    let message = syslog.message(&String::from_utf8_lossy(line));
    let mut socket = syslog.socket.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = |socket: &UnixDatagram| socket.send(message.as_bytes()).is_ok();
    if !socket.as_ref().is_some_and(sent) {
        // The system's log may have been started anew. Without one, the line is lost.
        *socket = connect().ok();
        let _ = socket.as_ref().map(sent);
    }
    true
}

impl Syslog {
    fn message(&self, line: &str) -> String {
        let (priority, text) = split(line.trim_end());
        let (ident, pid) = (&self.ident, std::process::id());
        format!("<{}>{ident}[{pid}]: {text}", FACILITY | priority)
    }
}

/// The priority that stands in front of a line, and the rest.
fn split(line: &str) -> (u8, &str) {
    let parts = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match parts.and_then(|(number, text)| Some((number.parse().ok()?, text))) {
        Some(found) => found,
        None => (6, line),
    }
}

fn connect() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(SOCKET)?;
    // A log that is full must not hold the protocol up.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_and_how_important() {
        let syslog = Syslog { ident: "avahi-autoipd(eth0)".to_owned(), socket: Mutex::new(None) };
        let pid = std::process::id();
        let expected = format!("<28>avahi-autoipd(eth0)[{pid}]: eth0: x");
        assert_eq!(syslog.message("<4>eth0: x\n"), expected);
        assert_eq!(split("no priority"), (6, "no priority"));
        assert_eq!(split("<x>odd"), (6, "<x>odd"));
    }
}
