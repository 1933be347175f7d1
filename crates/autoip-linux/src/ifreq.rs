//! The oldest way to ask about an interface: by name, one thing at a time.

use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// Asks a wireless interface for the name of its protocol (linux/wireless.h).
const SIOCGIWNAME: u32 = 0x8B01;

/// Asks for the driver (linux/ethtool.h).
const ETHTOOL_GDRVINFO: u32 = 3;

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

/// `struct ethtool_drvinfo` of linux/ethtool.h.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    versions_and_bus: [u8; 32 * 4],
    reserved: [u8; 12],
    numbers: [u32; 5],
}

/// The name of the driver of the interface called `name`, such as "e1000e" or "cdc_ether"; `None`
/// where there is no such interface, or it has no driver that tells.
#[must_use]
pub fn driver(name: &str) -> Option<String> {
    let mut info = DriverInfo {
        command: ETHTOOL_GDRVINFO,
        driver: [0; 32],
        versions_and_bus: [0; 32 * 4],
        reserved: [0; 12],
        numbers: [0; 5],
    };
    let mut request = about(name).ok()?;
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    // What the kernel writes through that pointer fits: it is told the command, which has one
    // answer.
    perform(request, libc::SIOCETHTOOL).ok()?;
    let driver = info.driver.split(|&byte| byte == 0).next().unwrap_or_default();
    let driver = String::from_utf8_lossy(driver).into_owned();
    (!driver.is_empty()).then_some(driver)
}

fn ask(name: &str, question: impl TryInto<libc::Ioctl>) -> nix::Result<libc::ifreq> {
    perform(about(name)?, question)
}

/// A question about the interface called `name`.
fn about(name: &str) -> nix::Result<libc::ifreq> {
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
    Ok(request)
}

fn perform(
    mut request: libc::ifreq,
    question: impl TryInto<libc::Ioctl>,
) -> nix::Result<libc::ifreq> {
    // C libraries do not agree on the type of this number.
    let question = question.try_into().map_err(|_| Errno::EINVAL)?;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    #[expect(unsafe_code, reason = "nix has no call for these questions")]
    // SAFETY: each of the questions reads and writes one ifreq, which lives through the call; the
    // wireless one is smaller. The one about the driver also writes a DriverInfo, to which its
    // ifreq points and which its caller keeps.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), question, &raw mut request) };
    Errno::result(result).map(|_| request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_driver_has_no_name_of_one() {
        for name in ["lo", "", "no such name", "a-name-of-sixteen-bytes"] {
            assert_eq!(driver(name), None, "{name:?}");
        }
    }

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
