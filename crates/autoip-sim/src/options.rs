//! Everything that shapes a run besides its seed: a table of options, each with a name, a default
//! that means "nothing happens", and a place in the one line that repeats the run.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;
use std::time::Duration;

use autoip_core::{AddrRange, Defend, LinkLocalAddr, Timing};

/// An enum of options that is written as one word each.
macro_rules! words {
    ($(#[$doc:meta])* $kind:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind { $($(#[$variant_doc])* $variant,)* }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("one of: {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

words! {
    /// The timing of our hosts' claims.
    Profile {
        /// RFC 3927 §9.
        Rfc = "rfc3927",
        /// draft-07: four probes, 2 s apart.
        Draft = "draft-07",
        /// A claim within 200 ms and a second round of probes.
        Fast = "fast",
    }
}

words! {
    /// What our hosts do about a first conflict over an address in use.
    Policy {
        /// They defend it once.
        Once = "once",
        /// They give it up.
        Never = "never",
    }
}

words! {
    /// Which frames reach a host's engine.
    Delivery {
        /// Those that the kernel filter would let through, found by an index of addresses.
        Indexed = "indexed",
        /// All of them, as without a filter.
        All = "all",
    }
}

words! {
    /// How our hosts' ARP replies travel.
    Replies {
        /// To everybody, as RFC 3927 §2.5 demands.
        Broadcast = "broadcast",
        /// To whoever asked, as Linux does by itself.
        Unicast = "unicast",
    }
}

words! {
    /// When our hosts send a defence.
    Defence {
        /// After a random wait of up to 100 ms.
        Delayed = "delayed",
        /// At once.
        Immediate = "immediate",
    }
}

words! {
    /// Where our hosts' first candidate comes from.
    First {
        /// The sequence of the MAC address.
        Sequence = "sequence",
        /// avahi-autoipd's weighted sum of the MAC address's bytes.
        Avahi = "avahi",
    }
}

/// So many of each kind that wants no address of its own are more than anybody needs.
const OTHERS_MAX: u32 = 1000;

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr,)*) => {
        /// The options of a run.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Options { $($(#[$doc])* pub $name: $kind,)* }

        impl Default for Options {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Options {
            /// Sets one option by its name.
            ///
            /// # Errors
            ///
            /// A sentence, for a name that is none and a value that does not fit.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        self.$name = value.parse().map_err(|error| {
                            format!("the option {name} cannot be \"{value}\": {error}")
                        })?;
                        Ok(())
                    })*
                    _ => {
                        let known = [$(stringify!($name)),*].join(", ");
                        Err(format!("there is no option \"{name}\"; there are: {known}"))
                    }
                }
            }
        }

        impl fmt::Display for Options {
            /// The options that differ from their defaults, as they are read.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let calm = Self::default();
                let words = [$(
                    (self.$name != calm.$name)
                        .then(|| format!("{}={}", stringify!($name), self.$name)),
                )*];
                let words: Vec<String> = words.into_iter().flatten().collect();
                f.write_str(&words.join(" "))
            }
        }
    };
}

options! {
    /// How many hosts have our engine.
    hosts: u32 = 2,
    /// They are powered on within this time, in milliseconds.
    spread_ms: u32 = 0,
    /// How many addresses they choose from, from 169.254.1.0 on; all where it is 0.
    range: u32 = 0,
    /// Timing of their claims.
    profile: Profile = Profile::Rfc,
    /// How many probes a claim has, where that differs from the profile; 0 where it does not.
    probes: u8 = 0,
    /// What they do about a conflict.
    defend: Policy = Policy::Once,
    /// When they send a defence.
    defence: Defence = Defence::Delayed,
    /// Their first candidate.
    first: First = First::Sequence,
    /// How their ARP replies travel.
    replies: Replies = Replies::Broadcast,
    /// How many of them share their MAC address with the host before.
    clones: u32 = 0,
    /// Which frames reach their engines.
    delivery: Delivery = Delivery::Indexed,
    /// How long the phase is in which things fail, in seconds.
    chaos_s: u32 = 60,

    /// Frames lost, of a thousand, for each receiver.
    loss: u32 = 0,
    /// Frames that come twice, of a thousand.
    duplicate: u32 = 0,
    /// Broadcasts that come back to their sender, of a thousand.
    echo: u32 = 0,
    /// How long every frame travels, in microseconds.
    delay_us: u32 = 100,
    /// By how much longer some frames travel, at random; later ones overtake them.
    jitter_us: u32 = 0,

    /// How much clocks gain or lose at most, in microseconds a second.
    drift_ppm: u32 = 0,
    /// For how long a host's daemon may not get to run, in milliseconds.
    busy_ms: u32 = 0,
    /// How long it takes at most to put an address on an interface, in milliseconds.
    install_ms: u32 = 0,
    /// Addresses that cannot be put on the interface, of a thousand.
    install_fail: u32 = 0,
    /// Frames of our hosts that cannot be sent, of a thousand.
    transmit_fail: u32 = 0,

    /// Mean time between losses of the carrier, for each host in seconds; 0 is never.
    flap_s: u32 = 0,
    /// The same for suspends.
    suspend_s: u32 = 0,
    /// For new MAC addresses.
    mac_s: u32 = 0,
    /// For owners who do not want an address for a while.
    stop_s: u32 = 0,
    /// For others who delete the address from the interface.
    delete_s: u32 = 0,
    /// For ARP requests of hosts and owners.
    talk_s: u32 = 0,
    /// Mean time between splits of the link, in seconds; 0 is never.
    split_s: u32 = 0,

    /// Plain hosts that own an address of the range, detect nothing and answer by unicast.
    owners: u32 = 0,
    /// Hosts that claim as draft-07 says.
    drafts: u32 = 0,
    /// Hosts that claim with avahi-autoipd's timing and give up at the first conflict.
    avahis: u32 = 0,
    /// Hosts that claim with systemd's timing, within 200 ms.
    systemds: u32 = 0,
    /// Liars that answer every probe.
    deniers: u32 = 0,
    /// Liars that answer every probe some seconds late.
    laggards: u32 = 0,
    /// Liars that contradict every announcement, twice.
    harassers: u32 = 0,
    /// Liars that send frames of every kind, and bytes that are no frames.
    flooders: u32 = 0,
    /// Liars that send what they hear again, with our own MAC addresses.
    spoofers: u32 = 0,
    /// Switches that ask for every address by unicast with a zero sender.
    trackers: u32 = 0,
}

impl Options {
    /// Reads options written as [`fmt::Display`] writes them; what is not named has its default.
    ///
    /// # Errors
    ///
    /// A sentence that names the word that does not fit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for word in text.split_whitespace() {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("write \"{word}\" as an option: name=value"))?;
            options.set(name, value)?;
        }
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        let addresses = u32::from(LinkLocalAddr::COUNT);
        if self.range > addresses {
            return Err(format!("the option range is {}; at most {addresses} exist", self.range));
        }
        let shares = [
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("echo", self.echo),
            ("install_fail", self.install_fail),
            ("transmit_fail", self.transmit_fail),
        ];
        if let Some((name, share)) = shares.into_iter().find(|&(_, share)| share > 1000) {
            return Err(format!("the option {name} is {share} of a thousand; at most 1000 go"));
        }
        if self.drift_ppm > 100_000 {
            return Err(format!("the option drift_ppm is {}; at most 100000 go", self.drift_ppm));
        }
        if let Some((name, count)) = self.others().into_iter().find(|&(_, n)| n > OTHERS_MAX) {
            return Err(format!("the option {name} is {count}; at most {OTHERS_MAX} go"));
        }
        self.check_room()
    }

    /// Those who want no address of their own.
    fn others(&self) -> [(&'static str, u32); 6] {
        [
            ("deniers", self.deniers),
            ("laggards", self.laggards),
            ("harassers", self.harassers),
            ("flooders", self.flooders),
            ("spoofers", self.spoofers),
            ("trackers", self.trackers),
        ]
    }

    /// Everybody who wants an address must be able to find one.
    fn check_room(&self) -> Result<(), String> {
        let wanted = [
            ("hosts", self.hosts),
            ("owners", self.owners),
            ("drafts", self.drafts),
            ("avahis", self.avahis),
            ("systemds", self.systemds),
        ];
        let taken: u64 = wanted.iter().map(|&(_, count)| u64::from(count)).sum();
        let addresses = u64::from(self.addresses());
        // For the last one to come at least one address in twenty is free.
        let room = addresses + 1 - addresses.div_ceil(20);
        if taken <= room {
            return Ok(());
        }
        let counts = wanted.into_iter().filter(|&(_, count)| count > 0);
        let counts: Vec<String> = counts.map(|(name, count)| format!("{name}={count}")).collect();
        let remedy = if self.range > 0 { "raise range or lower these" } else { "lower these" };
        Err(format!(
            "the options {} are {taken} who want an address; with {addresses} addresses at most \
             {room} find one in time: {remedy}",
            counts.join(" ")
        ))
    }

    /// How many addresses there are to choose from.
    pub(crate) fn addresses(&self) -> u32 {
        if self.range == 0 { u32::from(LinkLocalAddr::COUNT) } else { self.range }
    }

    /// The addresses to choose from.
    pub(crate) fn addr_range(&self) -> AddrRange {
        let last = u16::try_from(self.addresses() - 1).ok().and_then(LinkLocalAddr::from_index);
        last.and_then(|last| AddrRange::new(LinkLocalAddr::FIRST, last)).unwrap_or(AddrRange::ALL)
    }

    pub(crate) fn timing(&self) -> Timing {
        let timing = match self.profile {
            Profile::Rfc => Timing::RFC3927,
            Profile::Draft => Timing::DRAFT_07,
            Profile::Fast => Timing::FAST,
        };
        let probe_count = NonZeroU8::new(self.probes).unwrap_or(timing.probe_count);
        Timing { probe_count, ..timing }
    }

    pub(crate) fn policy(&self) -> Defend {
        match self.defend {
            Policy::Once => Defend::Once,
            Policy::Never => Defend::Never,
        }
    }

    pub(crate) fn chaos(&self) -> Duration {
        Duration::from_secs(self.chaos_s.into())
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_micros(self.delay_us.into())
    }

    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_micros(self.jitter_us.into())
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_millis(self.busy_ms.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back_as_the_same_options() {
        let mut options = Options { hosts: 7, loss: 120, ..Options::default() };
        options.profile = Profile::Draft;
        options.delivery = Delivery::All;
        let text = options.to_string();
        assert_eq!(text, "hosts=7 profile=draft-07 delivery=all loss=120");
        assert_eq!(Options::parse(&text), Ok(options));
        assert_eq!(Options::parse(""), Ok(Options::default()));
    }

    #[test]
    fn a_wrong_option_is_named_with_what_is_allowed() {
        let error = |text| Options::parse(text).unwrap_err();
        assert!(error("hosts").contains("name=value"));
        assert!(error("host=3").contains("there is no option \"host\"; there are: hosts, "));
        assert!(error("profile=slow").contains("one of: rfc3927, draft-07, fast"));
        assert!(error("hosts=many").contains("\"many\""));
        assert!(error("range=65025").contains("65024"));
        assert!(error("loss=1001").contains("the option loss is 1001"));
        assert!(error("drift_ppm=2000000").contains("at most 100000"));
        assert!(error("flooders=1001").contains("the option flooders is 1001; at most 1000 go"));
    }

    #[test]
    fn no_more_want_an_address_than_can_find_one() {
        let error = |text: &str| Options::parse(text).unwrap_err();
        assert_eq!(
            error("hosts=4 range=8 owners=4 drafts=5"),
            "the options hosts=4 owners=4 drafts=5 are 13 who want an address; with 8 addresses at \
             most 8 find one in time: raise range or lower these"
        );
        assert_eq!(
            error("hosts=4 owners=65025"),
            "the options hosts=4 owners=65025 are 65029 who want an address; with 65024 addresses \
             at most 61773 find one in time: lower these"
        );
        for text in ["hosts=70000", "hosts=4294967295 owners=4294967295", "hosts=97 range=100"] {
            assert!(error(text).contains(" who want an address; "), "{text}");
        }
        for name in ["owners", "drafts", "avahis", "systemds"] {
            let said = error(&format!("hosts=4 range=8 {name}=5"));
            assert!(said.contains(&format!(" {name}=5 ")), "{said}");
        }
        for text in ["hosts=8 range=8", "hosts=20 range=20", "hosts=96 range=100", "hosts=0"] {
            assert!(Options::parse(text).is_ok(), "{text}");
        }
    }
}
