//! The values of the file: each kind read from TOML, or the remedy for one that is none.

use std::net::Ipv4Addr;
use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::time::Duration;

use autoip_core::{AddrRange, Defend, LinkLocalAddr, MacAddr};
use toml::de::DeValue;

use crate::choice::{Alias, Profile};
use crate::selection::{Criterion, Kind, Pattern};
use crate::settings::Place;
use crate::settings::{GuardMode, Mode, Verbosity};
use crate::text;

/// The longest text of a file that a message repeats, in characters.
const SHOWN_MAX: usize = 60;
/// The longest of the times that make a claim.
const MINUTE_MS: u16 = 60_000;

type Read<T> = Result<T, String>;

/// A value as a message shows it.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", cut(text)),
        DeValue::Integer(number) => cut(&number.to_string()),
        DeValue::Float(number) => cut(number.as_str()),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(_) => "[…]".to_owned(),
        DeValue::Table(_) => "{…}".to_owned(),
    }
}

/// A key as a message shows it.
pub(super) fn key_shown(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = cut(key);
    if key.chars().all(bare) { key } else { format!("{key:?}") }
}

/// Text as a message shows it, without an end that goes too far.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn string<'a>(value: &'a DeValue<'_>, remedy: &str) -> Read<&'a str> {
    value.as_str().ok_or_else(|| remedy.to_owned())
}

/// One of a few words.
fn word<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Read<T> {
    let given = value.as_str();
    if let Some((_, meant)) = words.iter().find(|(word, _)| given == Some(*word)) {
        return Ok(*meant);
    }
    let quoted: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    let (last, others) = quoted.split_last().ok_or_else(String::new)?;
    Err(format!("give {} or {last}", others.join(", ")))
}

pub(super) fn mode(value: &DeValue<'_>) -> Read<Mode> {
    let words = [("fallback", Mode::Fallback), ("always", Mode::Always), ("route", Mode::Route)];
    word(value, &words)
}

pub(super) fn policy(value: &DeValue<'_>) -> Read<Defend> {
    word(value, &[("once", Defend::Once), ("never", Defend::Never)])
}

pub(super) fn profile(value: &DeValue<'_>) -> Read<Profile> {
    let words =
        [("rfc3927", Profile::Rfc3927), ("draft-07", Profile::Draft07), ("fast", Profile::Fast)];
    word(value, &words)
}

pub(super) fn guard(value: &DeValue<'_>) -> Read<GuardMode> {
    let words = [
        ("auto", GuardMode::Auto),
        ("nft", GuardMode::Nft),
        ("sysctl", GuardMode::Sysctl),
        ("off", GuardMode::Off),
    ];
    word(value, &words)
}

pub(super) fn verbosity(value: &DeValue<'_>) -> Read<Verbosity> {
    let words =
        [("normal", Verbosity::Normal), ("debug", Verbosity::Debug), ("trace", Verbosity::Trace)];
    word(value, &words)
}

pub(super) fn boolean(value: &DeValue<'_>) -> Read<bool> {
    value.as_bool().ok_or_else(|| "give true or false".to_owned())
}

/// A whole number within bounds.
pub(super) fn number(value: &DeValue<'_>, allowed: RangeInclusive<u32>) -> Read<u32> {
    let integer = value.as_integer();
    let number = integer.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
    number
        .filter(|number| allowed.contains(number))
        .ok_or_else(|| format!("give a number from {} to {}", allowed.start(), allowed.end()))
}

/// A number of frames.
pub(super) fn count(value: &DeValue<'_>) -> Read<NonZeroU8> {
    let number = number(value, 1..=16).ok().and_then(|number| u8::try_from(number).ok());
    number.and_then(NonZeroU8::new).ok_or_else(|| "give a number from 1 to 16".to_owned())
}

/// A time: text with units, or a number of seconds.
pub(super) fn duration(value: &DeValue<'_>, allowed: RangeInclusive<Duration>) -> Read<Duration> {
    let duration = match value {
        DeValue::String(text) => humantime::parse_duration(text).ok(),
        DeValue::Integer(it) => {
            u64::from_str_radix(it.as_str(), it.radix()).ok().map(Duration::from_secs)
        }
        DeValue::Float(it) => {
            let seconds = it.as_str().parse().ok();
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        }
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    duration.filter(|duration| allowed.contains(duration)).ok_or_else(|| {
        format!(
            "give a number of seconds, or text with units such as \"10 s\", \"200 ms\" or \
             \"1h 30min\", from {} to {}",
            time_shown(*allowed.start()),
            time_shown(*allowed.end())
        )
    })
}

/// A time as a message shows it, in a form that is understood as well.
fn time_shown(time: Duration) -> String {
    const DAY_MS: u128 = 86_400_000;
    match time.as_millis() {
        DAY_MS => "1 day".to_owned(),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// One of the times that make a claim, in milliseconds.
pub(super) fn milliseconds(value: &DeValue<'_>, min: u16) -> Read<u16> {
    let time = |ms: u16| Duration::from_millis(ms.into());
    let duration = duration(value, time(min)..=time(MINUTE_MS))?;
    let whole = duration.subsec_nanos().is_multiple_of(1_000_000);
    let ms = u16::try_from(duration.as_millis()).ok().filter(|_| whole);
    ms.ok_or_else(|| "give whole milliseconds".to_owned())
}

pub(super) fn addr(value: &DeValue<'_>) -> Read<LinkLocalAddr> {
    let remedy = "give an address from 169.254.1.0 to 169.254.254.255, in quotes";
    string(value, remedy)?.parse().map_err(|error| format!("{error}"))
}

pub(super) fn range(value: &DeValue<'_>) -> Read<AddrRange> {
    let remedy = "give two addresses such as \"169.254.10.0-169.254.10.255\", in quotes";
    text::range(string(value, remedy)?)
}

/// A list of link-local addresses, any of them.
pub(super) fn addrs(value: &DeValue<'_>) -> Read<Vec<Ipv4Addr>> {
    let remedy = "give a list of addresses such as [\"169.254.169.254\"]";
    let array = value.as_array().ok_or_else(|| remedy.to_owned())?;
    array.iter().map(|each| text::forwarded(string(each.get_ref(), remedy)?)).collect()
}

pub(super) fn alias(value: &DeValue<'_>) -> Read<Alias> {
    if value.as_str() == Some(text::NO_ALIAS) {
        return Ok(Alias(None));
    }
    let number = number(value, 0..=u16::MAX.into());
    let number = number.map_err(|remedy| format!("{remedy}, or \"none\""))?;
    Ok(Alias(u16::try_from(number).ok()))
}

pub(super) fn place(value: &DeValue<'_>) -> Read<Place> {
    let text = value.as_str().ok_or_else(|| "give a path or \"none\", in quotes".to_owned())?;
    text::place(text)
}

pub(super) fn path(value: &DeValue<'_>) -> Read<String> {
    let given = value.as_str().filter(|path| path.starts_with('/'));
    given.map(str::to_owned).ok_or_else(|| "give the whole path, from / on, in quotes".to_owned())
}

/// A path, or "none".
pub(super) fn path_or_none(value: &DeValue<'_>) -> Read<String> {
    if value.as_str() == Some("none") {
        return Ok("none".to_owned());
    }
    path(value).map_err(|remedy| format!("{remedy}, or \"none\""))
}

/// Which interfaces a table is about: a name or a pattern, or a table of criteria.
pub(super) fn criteria(value: &DeValue<'_>) -> Read<Vec<Criterion>> {
    let remedy = "give a name or pattern in quotes, or a table such as { mac = \
                  \"02:00:5e:10:00:01\" }, { kind = \"bridge\" } or { driver = \"cdc_ether\" }";
    if let Some(text) = value.as_str() {
        return Ok(vec![Criterion::Name(Pattern::parse(text)?)]);
    }
    let table = value.as_table().filter(|table| !table.is_empty());
    let table = table.ok_or_else(|| remedy.to_owned())?;
    let criterion = |key: &str, value: &DeValue<'_>| match key {
        "name" => Pattern::parse(string(value, remedy)?).map(Criterion::Name),
        "mac" => mac(string(value, remedy)?).map(Criterion::Mac),
        "kind" => kind(string(value, remedy)?).map(Criterion::Kind),
        "driver" => driver(string(value, remedy)?).map(Criterion::Driver),
        _ => Err(format!(
            "{} is not a key; the keys of match are name, mac, kind, driver",
            key_shown(key)
        )),
    };
    let criteria = table.iter().map(|(key, value)| criterion(key.get_ref(), value.get_ref()));
    let mut criteria = criteria.collect::<Read<Vec<_>>>()?;
    // To ask for a driver wakes the device: only where everything else fits.
    criteria.sort_by_key(|criterion| matches!(criterion, Criterion::Driver(_)));
    Ok(criteria)
}

fn mac(text: &str) -> Read<MacAddr> {
    match text.parse::<MacAddr>() {
        Ok(mac) if mac.is_multicast() => {
            Err(format!("{mac} is a group's address, and no device has it"))
        }
        Ok(MacAddr::ZERO) => Err(format!("{} is nobody's address", MacAddr::ZERO)),
        read => read.map_err(|error| format!("{:?} is none: {error}", cut(text))),
    }
}

/// The kernel has room for so much, and some drivers' names are sentences.
const DRIVER_BYTES_MAX: usize = 31;

fn driver(text: &str) -> Read<String> {
    let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let fits = is_printable && (1..=DRIVER_BYTES_MAX).contains(&text.len());
    fits.then(|| text.to_owned()).ok_or_else(|| {
        "the driver is what the kernel calls it, such as \"e1000e\" or \"cdc_ether\" (ethtool \
         -i): 1 to 31 printable ASCII characters"
            .to_owned()
    })
}

fn kind(text: &str) -> Read<Kind> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match text.to_ascii_lowercase().as_str() {
        "physical" => Ok(Kind::Physical),
        "ethernet" | "eth" | "wifi" | "wi-fi" | "wlan" | "wireless" | "wired" | "usb" => {
            Err(format!("the kernel has no kind {text:?}: these devices are \"physical\""))
        }
        _ if !text.is_empty() && text.chars().all(plain) => Ok(Kind::Virtual(text.to_owned())),
        _ => Err("the kind is \"physical\", or what the kernel calls it, such as \"bridge\", \
                  \"vlan\" or \"veth\" (ip -details link)"
            .to_owned()),
    }
}
