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
        let flags = ask(name, Question::Flags).ok()?;
        let mtu = ask(name, Question::Mtu).ok()?;
        #[expect(unsafe_code, reason = "the answer is a union")]
        // SAFETY: the kernel filled in the members that were asked for; all are plain numbers.
        let (flags, mtu) = unsafe { (flags.ifr_ifru.ifru_flags, mtu.ifr_ifru.ifru_mtu) };
        let wireless = ask(name, Question::Wireless).is_ok();
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

/// The name of the driver of the interface called `name`, such as "e1000e" or "cdc_ether", as
/// `ethtool -i` shows it; `None` where there is no such interface, or it has no driver that tells.
///
/// sysfs would tell it too, but that of the namespace for which it was mounted, nothing of devices
/// without hardware, and "configfs-gadget.…" where this says "g_ether". The price: the kernel takes
/// the lock of all links, wakes a device that sleeps, and looks for a module if the device is gone.
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
    #[expect(unsafe_code, reason = "nix has no call for it")]
    // SAFETY: this command has the kernel write one DriverInfo to where ifru_data points, and
    // `info` lives through the call.
    unsafe { perform(&mut request, libc::SIOCETHTOOL) }.ok()?;
    let driver = info.driver.split(|&byte| byte == 0).next().unwrap_or_default();
    let driver = String::from_utf8_lossy(driver).into_owned();
    (!driver.is_empty()).then_some(driver)
}

/// What can be asked with nothing but an ifreq.
enum Question {
    Flags,
    Mtu,
    Wireless,
}

fn ask(name: &str, question: Question) -> nix::Result<libc::ifreq> {
    let mut request = about(name)?;
    #[expect(unsafe_code, reason = "nix has no call for these questions")]
    // SAFETY: each of them reads and writes the ifreq; the wireless one is smaller.
    unsafe {
        match question {
            Question::Flags => perform(&mut request, libc::SIOCGIFFLAGS),
            Question::Mtu => perform(&mut request, libc::SIOCGIFMTU),
            Question::Wireless => perform(&mut request, SIOCGIWNAME),
        }
    }?;
    Ok(request)
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

/// # Safety
///
/// The question must read and write nothing but `request` and what it points to.
#[expect(unsafe_code, reason = "what the question does is for the caller to know")]
unsafe fn perform(
    request: &mut libc::ifreq,
    question: impl TryInto<libc::Ioctl>,
) -> nix::Result<()> {
    // C libraries do not agree on the type of this number.
    let question = question.try_into().map_err(|_| Errno::EINVAL)?;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: the caller's word.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), question, &raw mut *request) };
    Errno::result(result).map(drop)
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
