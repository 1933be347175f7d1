//! The addresses that a host may choose for itself: 169.254.1.0 to 169.254.254.255.

use core::fmt;
use core::net::Ipv4Addr;
use core::num::NonZeroU16;
use core::str::FromStr;

/// The link-local network, 169.254.0.0; its prefix is always 16 bits long (RFC 3927 §2.8).
pub const LINK_LOCAL_NET: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 0);

/// Whether `addr` lies in 169.254.0.0/16, the reserved first and last 256 addresses included.
#[must_use]
pub const fn is_link_local(addr: Ipv4Addr) -> bool {
    let [a, b, _, _] = addr.octets();
    a == 169 && b == 254
}

/// An IPv4 link-local address that a host may claim.
///
/// Only 169.254.1.0 to 169.254.254.255 exist as values of this type: the first and the last 256
/// addresses of 169.254.0.0/16 are reserved (RFC 3927 §2.1), so no picker, option or file can let
/// one of them in. An optional address is no larger than an address.
//= LL-2.1-02 the reserved addresses cannot be chosen
//= LL-8-01 the first and last 256 addresses are reserved
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkLocalAddr(NonZeroU16);

impl LinkLocalAddr {
    /// How many addresses there are to choose from.
    pub const COUNT: u16 = 254 * 256;
    /// 169.254.1.0.
    pub const FIRST: Self = Self::from_low_half(0x0100);
    /// 169.254.254.255.
    pub const LAST: Self = Self::from_low_half(0xfeff);

    /// The claimable address `addr`.
    ///
    /// # Errors
    ///
    /// [`NotLinkLocal`] when `addr` is outside 169.254.0.0/16 or in one of its two reserved ends.
    pub const fn new(addr: Ipv4Addr) -> Result<Self, NotLinkLocal> {
        let [a, b, c, d] = addr.octets();
        if a == 169 && b == 254 && c >= 1 && c <= 254 {
            Ok(Self::from_low_half(u16::from_be_bytes([c, d])))
        } else {
            Err(NotLinkLocal(addr))
        }
    }

    /// The address at place `index` (0 is 169.254.1.0), or `None` from [`Self::COUNT`] on.
    #[must_use]
    pub const fn from_index(index: u16) -> Option<Self> {
        if index < Self::COUNT { Some(Self::from_low_half(index + 256)) } else { None }
    }

    /// The place of this address among all claimable ones: 0 to [`Self::COUNT`] − 1.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0.get() - 256
    }

    /// As an ordinary IPv4 address.
    #[must_use]
    pub const fn ip(self) -> Ipv4Addr {
        let [c, d] = self.0.get().to_be_bytes();
        Ipv4Addr::new(169, 254, c, d)
    }

    /// The address whose last two bytes are `low`, which the caller has checked.
    const fn from_low_half(low: u16) -> Self {
        match NonZeroU16::new(low) {
            Some(low) => Self(low),
            None => panic!("169.254.0.0 is no claimable address"),
        }
    }
}

impl From<LinkLocalAddr> for Ipv4Addr {
    fn from(addr: LinkLocalAddr) -> Self {
        addr.ip()
    }
}

impl TryFrom<Ipv4Addr> for LinkLocalAddr {
    type Error = NotLinkLocal;

    fn try_from(addr: Ipv4Addr) -> Result<Self, NotLinkLocal> {
        Self::new(addr)
    }
}

impl FromStr for LinkLocalAddr {
    type Err = ParseLinkLocalError;

    fn from_str(text: &str) -> Result<Self, ParseLinkLocalError> {
        let addr: Ipv4Addr = text.parse().map_err(|_| ParseLinkLocalError::Syntax)?;
        Self::new(addr).map_err(ParseLinkLocalError::Range)
    }
}

impl fmt::Display for LinkLocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ip(), f)
    }
}

impl fmt::Debug for LinkLocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address cannot be claimed under RFC 3927.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLinkLocal(pub Ipv4Addr);

impl fmt::Display for NotLinkLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot be claimed: link-local addresses are 169.254.1.0 to 169.254.254.255",
            self.0
        )
    }
}

impl core::error::Error for NotLinkLocal {}

/// Why a text is not a claimable link-local address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseLinkLocalError {
    /// Not a dotted IPv4 address at all.
    Syntax,
    /// An IPv4 address, but not a claimable one.
    Range(NotLinkLocal),
}

impl fmt::Display for ParseLinkLocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str(
                "not an IPv4 address: write four numbers with dots, from 169.254.1.0 to \
                 169.254.254.255",
            ),
            Self::Range(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for ParseLinkLocalError {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn refuses_the_reserved_ends_and_everything_outside() {
        for text in ["169.254.0.0", "169.254.0.255", "169.254.255.0", "169.254.255.255"] {
            let addr: Ipv4Addr = text.parse().unwrap();
            assert_eq!(LinkLocalAddr::new(addr), Err(NotLinkLocal(addr)), "{text}");
            assert!(is_link_local(addr), "{text}");
        }
        // Bit tests instead of a prefix comparison let these in; a prefix comparison does not.
        for text in ["171.254.1.1", "173.255.1.1", "255.255.255.255", "168.254.1.1", "10.0.0.1"] {
            let addr: Ipv4Addr = text.parse().unwrap();
            assert!(LinkLocalAddr::new(addr).is_err(), "{text}");
            assert!(!is_link_local(addr), "{text}");
        }
    }

    #[test]
    fn index_and_address_are_one_to_one() {
        assert_eq!(size_of::<Option<LinkLocalAddr>>(), 2);
        assert_eq!(LinkLocalAddr::from_index(0), Some(LinkLocalAddr::FIRST));
        assert_eq!(LinkLocalAddr::from_index(65_023), Some(LinkLocalAddr::LAST));
        assert_eq!(LinkLocalAddr::from_index(65_024), None);
        for index in 0..LinkLocalAddr::COUNT {
            let addr = LinkLocalAddr::from_index(index).unwrap();
            assert_eq!(addr.index(), index);
            assert_eq!(LinkLocalAddr::new(addr.ip()), Ok(addr));
            assert_eq!(LinkLocalAddr::try_from(Ipv4Addr::from(addr)), Ok(addr));
        }
    }

    #[test]
    fn parses_text_and_names_the_range() {
        let addr: LinkLocalAddr = "169.254.20.20".parse().unwrap();
        assert_eq!(addr.to_string(), "169.254.20.20");
        assert_eq!(std::format!("{addr:?}"), "169.254.20.20");
        let message = "169.254.255.1".parse::<LinkLocalAddr>().unwrap_err().to_string();
        assert!(message.contains("169.254.1.0 to 169.254.254.255"), "{message}");
        let message = "eth0".parse::<LinkLocalAddr>().unwrap_err().to_string();
        assert!(message.contains("169.254.1.0"), "{message}");
    }
}
