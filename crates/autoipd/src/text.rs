//! Values as people write them, on the command line and in the configuration file alike. Errors
//! are sentences that name what was given and what is allowed.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use autoip_core::{AddrRange, LinkLocalAddr};
use autoip_wire::{ParseLinkLocalError, is_link_local};

use crate::choice::Alias;
use crate::settings::Place;

/// What stands for no alias.
pub(crate) const NO_ALIAS: &str = "none";
/// What stands for no control socket.
const NO_PLACE: &str = "none";

/// A link-local address to and from which packets may be forwarded; the reserved ones are allowed.
pub(crate) fn forwarded(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().ok().filter(|&addr| is_link_local(addr)).ok_or_else(|| {
        format!("{text:?} is not a link-local address: give one of 169.254.0.0 to 169.254.255.255")
    })
}

/// Reads a number within `limits`.
pub(crate) fn within<T>(
    limits: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + fmt::Display + Clone + Send + Sync,
{
    move |text| {
        text.parse()
            .ok()
            .filter(|number| limits.contains(number))
            .ok_or_else(|| format!("give a number from {} to {}", limits.start(), limits.end()))
    }
}

/// The number of an alias, or none.
pub(crate) fn alias(text: &str) -> Result<Alias, String> {
    if text == NO_ALIAS {
        return Ok(Alias(None));
    }
    text.parse().map(|number| Alias(Some(number))).map_err(|_| {
        format!("{text:?} is not an alias: give a number from 0 to 65535, or {NO_ALIAS:?}")
    })
}

/// The longest path that the kernel takes for a socket.
const SOCKET_PATH_MAX: usize = 107;

/// Where the control socket is, or nowhere.
pub(crate) fn place(text: &str) -> Result<Place, String> {
    match text {
        NO_PLACE => Ok(Place(None)),
        path if path.starts_with('/') && path.len() > SOCKET_PATH_MAX => Err(format!(
            "{path:?} has {} bytes, and a socket can have {SOCKET_PATH_MAX}: choose a shorter path",
            path.len()
        )),
        path if path.starts_with('/') => Ok(Place(Some(PathBuf::from(path)))),
        _ => Err(format!(
            "{text:?} is not a place for a socket: give the whole path, from / on, or {NO_PLACE:?}"
        )),
    }
}

/// The addresses to choose from, as in `169.254.10.0-169.254.10.255`.
pub(crate) fn range(text: &str) -> Result<AddrRange, String> {
    let (first, last) = text.split_once('-').ok_or_else(|| {
        format!("{text:?} is not a range: give two addresses with a hyphen between")
    })?;
    let addr = |text: &str| {
        text.trim().parse().map_err(|error| match error {
            ParseLinkLocalError::Syntax => format!("{text:?} is {error}"),
            ParseLinkLocalError::Range(error) => error.to_string(),
        })
    };
    let (first, last): (LinkLocalAddr, LinkLocalAddr) = (addr(first)?, addr(last)?);
    AddrRange::new(first, last).ok_or_else(|| {
        format!(
            "{text:?} is not a range: {last} is below {first}, so give them the other way round"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_whole_path_or_none() {
        assert_eq!(place("/run/x"), Ok(Place(Some(PathBuf::from("/run/x")))));
        assert_eq!(place("none"), Ok(Place(None)));
        let longest = format!("/{}", "x".repeat(SOCKET_PATH_MAX - 1));
        assert!(place(&longest).is_ok());
        assert!(place(&format!("{longest}x")).unwrap_err().contains("a socket can have 107"));
        for text in ["", "run/x", "None", "@x"] {
            assert!(place(text).unwrap_err().contains("whole path"), "{text}");
        }
    }

    #[test]
    fn a_number_out_of_its_limits_is_told_them() {
        let minutes = within(1..=60_u16);
        assert_eq!((minutes("1"), minutes("60")), (Ok(1), Ok(60)));
        for text in ["0", "61", "-1", "99999", "", "ten", "1.5"] {
            assert_eq!(minutes(text), Err("give a number from 1 to 60".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_range_is_two_addresses_in_order() {
        assert_eq!(range("169.254.1.0-169.254.254.255"), Ok(AddrRange::ALL));
        let one = range("169.254.7.7 - 169.254.7.7").unwrap();
        assert_eq!(one.to_string(), "169.254.7.7-169.254.7.7");
        for (text, words) in [
            ("169.254.7.7", "hyphen"),
            ("", "hyphen"),
            ("169.254.9.0-169.254.8.0", "other way round"),
            ("169.254.0.0-169.254.8.0", "169.254.1.0 to 169.254.254.255"),
            ("10.0.0.1-10.0.0.2", "169.254.1.0 to 169.254.254.255"),
            ("a-b", "169.254.1.0"),
        ] {
            let error = range(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
