//! The oldest way to ask about an interface: by name, one number at a time.

use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// Asks a wireless interface for the name of its protocol (linux/wireless.h).
const SIOCGIWNAME: u32 = 0x8B01;

/// What shell scripts about interfaces like to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its flags (IFF_*).
    pub flags: u16,
    /// The longest packet.
    pub mtu: i32,
    /// Whether it is a wireless one.
    pub wireless: bool,
}

impl Facts {
    /// Asks the kernel about the interface called `name`; `None` where there is none.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let flags = ask(name, libc::SIOCGIFFLAGS).ok()?;
        let mtu = ask(name, libc::SIOCGIFMTU).ok()?;
        #[expect(unsafe_code, reason = "the answer is a union")]
        // SAFETY: the kernel filled in the members that were asked for; all are plain numbers.
        let (flags, mtu) = unsafe { (flags.ifr_ifru.ifru_flags, mtu.ifr_ifru.ifru_mtu) };
        let wireless = ask(name, SIOCGIWNAME).is_ok();
        Some(Self { flags: flags.cast_unsigned(), mtu, wireless })
    }

    /// Whether it has a carrier (IFF_RUNNING).
    #[must_use]
    pub fn carrier(&self) -> bool {
        i32::from(self.flags) & libc::IFF_RUNNING != 0
    }
}

fn ask(name: &str, question: impl TryInto<libc::Ioctl>) -> nix::Result<libc::ifreq> {
    // C libraries do not agree on the type of this number.
    let question = question.try_into().map_err(|_| Errno::EINVAL)?;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    #[expect(unsafe_code, reason = "plain C data")]
    // SAFETY: all of it are numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    if name.len() >= request.ifr_name.len() {
        return Err(Errno::ENODEV);
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    #[expect(unsafe_code, reason = "nix has no call for these questions")]
    // SAFETY: each of the questions reads and writes one ifreq, which lives through the call; the
    // wireless one is smaller.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), question, &raw mut request) };
    Errno::result(result).map(|_| request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_loopback_interface_and_no_other_name() {
        let facts = Facts::of("lo").unwrap();
        assert!(i32::from(facts.flags) & libc::IFF_LOOPBACK != 0, "{facts:?}");
        assert!(facts.mtu > 0 && !facts.wireless, "{facts:?}");
        for name in ["", "no such name", "a-name-of-sixteen-bytes"] {
            assert_eq!(Facts::of(name), None, "{name:?}");
        }
    }
}
