//! The option list of QNX's `nfm-autoip.so`: `if=en0,ip=169.254.20.20,delay=200,debug,abandon`.

use autoip_core::LinkLocalAddr;

/// The interface that the list means where it names none.
pub(crate) const DEFAULT_INTERFACE: &str = "en0";
/// The time between probes where the list names none, in milliseconds.
pub(crate) const DEFAULT_DELAY_MS: u16 = 2000;
/// The times between probes that the list may name, in milliseconds.
pub(crate) const DELAY_MS: std::ops::RangeInclusive<u16> = 1..=8000;

/// One option list, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionList {
    /// `if=`: the interface.
    pub(crate) interface: String,
    /// `ip=`: the first candidate.
    pub(crate) start: Option<LinkLocalAddr>,
    /// `delay=`: the time between probes.
    pub(crate) delay_ms: u16,
    /// `debug`: log every step.
    pub(crate) debug: bool,
    /// `abandon`: give the address up at the first conflict.
    pub(crate) abandon: bool,
}

impl OptionList {
    /// Reads a list. Empty items are passed over, as mount(8) does.
    ///
    /// # Errors
    ///
    /// A sentence that names the item, what is wrong with it and what is allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self {
            interface: DEFAULT_INTERFACE.to_owned(),
            start: None,
            delay_ms: DEFAULT_DELAY_MS,
            debug: false,
            abandon: false,
        };
        for item in text.split(',').filter(|item| !item.is_empty()) {
            match item.split_once('=') {
                Some(("if", "")) => {
                    return Err(format!("{item} names no interface: write it behind the sign"));
                }
                Some(("if", name)) => list.interface = name.to_owned(),
                Some(("ip", addr)) => {
                    let addr = addr.parse().map_err(|error| format!("{item}: {error}"))?;
                    list.start = Some(addr);
                }
                Some(("delay", delay)) => list.delay_ms = parse_delay(delay)?,
                None if item == "debug" => list.debug = true,
                None if item == "abandon" => list.abandon = true,
                Some(_) | None => {
                    return Err(format!(
                        "{item:?} is not an option; the list may hold if=INTERFACE, \
                         ip=ADDRESS, delay=MILLISECONDS, debug and abandon"
                    ));
                }
            }
        }
        Ok(list)
    }
}

fn parse_delay(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|delay| DELAY_MS.contains(delay)).ok_or_else(|| {
        format!(
            "delay={text} is not a number of milliseconds from {} to {}",
            DELAY_MS.start(),
            DELAY_MS.end()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_manuals_own_example() {
        let list = OptionList::parse("if=en0,ip=169.254.20.20,debug,delay=200,abandon").unwrap();
        assert_eq!(
            list,
            OptionList {
                interface: "en0".to_owned(),
                start: Some("169.254.20.20".parse().unwrap()),
                delay_ms: 200,
                debug: true,
                abandon: true,
            }
        );
    }

    #[test]
    fn has_the_documented_defaults() {
        let list = OptionList::parse("").unwrap();
        assert_eq!((list.interface.as_str(), list.delay_ms), ("en0", 2000));
        assert!(!list.debug && !list.abandon && list.start.is_none());
        assert_eq!(OptionList::parse(",,if=eth1,").unwrap().interface, "eth1");
    }

    #[test]
    fn refuses_with_what_was_given_and_what_is_allowed() {
        for delay in ["0", "8001", "-1", "2s", "", "99999999999"] {
            let error = OptionList::parse(&format!("delay={delay}")).unwrap_err();
            assert!(error.contains(delay) && error.contains("1 to 8000"), "{error}");
        }
        let error = OptionList::parse("ip=169.254.0.7").unwrap_err();
        assert!(error.contains("169.254.1.0 to 169.254.254.255"), "{error}");
        let error = OptionList::parse("debug,if=").unwrap_err();
        assert!(error.contains("if= names no interface"), "{error}");
        for item in ["metric=3", "Debug", "debug=1", "if"] {
            let error = OptionList::parse(item).unwrap_err();
            assert!(error.contains(item) && error.contains("abandon"), "{error}");
        }
    }
}
