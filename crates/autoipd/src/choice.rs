//! What somebody chose about interfaces, with everything else left open. The command line and each
//! table of the configuration file make one; laid over each other they give the settings.

use std::num::NonZeroU8;
use std::time::Duration;

use autoip_core::{AddrRange, Defend, LinkLocalAddr, Timing};
use clap::ValueEnum;

use crate::settings::{InterfaceSettings, Mode, RouteSettings};

/// How long open connections keep an address when nobody says otherwise.
const GRACE: Duration = Duration::from_secs(600);
/// The number of the alias when nobody says otherwise, as in RISC OS.
const ALIAS: u16 = 9;

/// Choices about one interface or many; `None` is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) mode: Option<Mode>,
    pub(crate) start: Option<LinkLocalAddr>,
    pub(crate) range: Option<AddrRange>,
    pub(crate) defend: Option<Defend>,
    pub(crate) profile: Option<Profile>,
    pub(crate) numbers: Numbers,
    pub(crate) wait: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) metric: Option<u32>,
    pub(crate) default_route: Option<bool>,
    pub(crate) alias: Option<Alias>,
}

/// Single numbers of a claim's timing, in milliseconds where they are times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) probes: Option<NonZeroU8>,
    pub(crate) announcements: Option<NonZeroU8>,
    pub(crate) probe_wait_ms: Option<u16>,
    pub(crate) probe_min_ms: Option<u16>,
    pub(crate) probe_max_ms: Option<u16>,
    /// Holds between announcements as well, as in QNX, unless that time is chosen too.
    pub(crate) announce_wait_ms: Option<u16>,
    pub(crate) announce_interval_ms: Option<u16>,
}

/// The number of the alias that labels an address, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alias(pub(crate) Option<u16>);

/// A timing with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// RFC 3927: usable after 4 to 7 s
    #[value(name = "rfc3927")]
    Rfc3927,
    /// Draft 07 of it, with four probes: 8 to 10 s
    #[value(name = "draft-07")]
    Draft07,
    /// 0.2 s, then a full round of probes in use; for known point-to-point links, not RFC 3927
    #[value(name = "fast")]
    Fast,
}

impl Profile {
    pub(crate) fn timing(self) -> Timing {
        match self {
            Self::Rfc3927 => Timing::RFC3927,
            Self::Draft07 => Timing::DRAFT_07,
            Self::Fast => Timing::FAST,
        }
    }
}

impl Choices {
    /// These choices where they were made, and elsewhere those of `below`.
    pub(crate) fn over(self, below: &Self) -> Self {
        Self {
            mode: self.mode.or(below.mode),
            start: self.start.or(below.start),
            range: self.range.or(below.range),
            defend: self.defend.or(below.defend),
            profile: self.profile.or(below.profile),
            numbers: self.numbers.over(below.numbers),
            wait: self.wait.or(below.wait),
            grace: self.grace.or(below.grace),
            metric: self.metric.or(below.metric),
            default_route: self.default_route.or(below.default_route),
            alias: self.alias.or(below.alias),
        }
    }

    /// The settings, with defaults for what is open.
    ///
    /// # Errors
    ///
    /// A sentence that says which choices contradict each other.
    pub(crate) fn settings(&self) -> Result<InterfaceSettings, String> {
        self.amend(InterfaceSettings {
            mode: Mode::Fallback,
            start: None,
            range: AddrRange::ALL,
            defend: Defend::default(),
            timing: Timing::RFC3927,
            wait: Duration::ZERO,
            grace: GRACE,
            routes: RouteSettings { metric: None, default_route: false },
            alias: Some(ALIAS),
        })
    }

    /// The settings with these choices in them. A first address that was chosen before goes when
    /// it does not lie in a range that is chosen now.
    ///
    /// # Errors
    ///
    /// A sentence that says which choices contradict each other.
    pub(crate) fn amend(&self, settings: InterfaceSettings) -> Result<InterfaceSettings, String> {
        let range = self.range.unwrap_or(settings.range);
        if let Some(start) = self.start.filter(|&start| !range.contains(start)) {
            return Err(outside(start, range));
        }
        let profile = self.profile.map_or(settings.timing, Profile::timing);
        Ok(InterfaceSettings {
            mode: self.mode.unwrap_or(settings.mode),
            start: self.start.or(settings.start.filter(|&start| range.contains(start))),
            range,
            defend: self.defend.unwrap_or(settings.defend),
            timing: self.numbers.within(profile)?,
            wait: self.wait.unwrap_or(settings.wait),
            grace: self.grace.unwrap_or(settings.grace),
            routes: RouteSettings {
                metric: self.metric.or(settings.routes.metric),
                default_route: self.default_route.unwrap_or(settings.routes.default_route),
            },
            alias: self.alias.map_or(settings.alias, |Alias(number)| number),
        })
    }
}

/// What is wrong with a first address outside the range.
fn outside(start: LinkLocalAddr, range: AddrRange) -> String {
    format!("start {start} does not lie in the range {range}: choose one inside, or another range")
}

impl Numbers {
    fn over(self, below: Self) -> Self {
        Self {
            probes: self.probes.or(below.probes),
            announcements: self.announcements.or(below.announcements),
            probe_wait_ms: self.probe_wait_ms.or(below.probe_wait_ms),
            probe_min_ms: self.probe_min_ms.or(below.probe_min_ms),
            probe_max_ms: self.probe_max_ms.or(below.probe_max_ms),
            announce_wait_ms: self.announce_wait_ms.or(below.announce_wait_ms),
            announce_interval_ms: self.announce_interval_ms.or(below.announce_interval_ms),
        }
    }

    /// The timing of a profile with these numbers in it.
    fn within(self, profile: Timing) -> Result<Timing, String> {
        let (min, max) = match (self.probe_min_ms, self.probe_max_ms) {
            (Some(min), Some(max)) if min > max => {
                return Err(format!(
                    "probe-min is {min} ms and probe-max {max} ms: the shortest time between \
                     probes must not be longer than the longest"
                ));
            }
            // One of the two alone takes the other with it where it has to.
            (Some(min), max) => (min, max.unwrap_or(profile.probe_max_ms.max(min))),
            (None, Some(max)) => (profile.probe_min_ms.min(max), max),
            (None, None) => (profile.probe_min_ms, profile.probe_max_ms),
        };
        let announce_wait_ms = self.announce_wait_ms.unwrap_or(profile.announce_wait_ms);
        Ok(Timing {
            probe_count: self.probes.unwrap_or(profile.probe_count),
            announce_count: self.announcements.unwrap_or(profile.announce_count),
            probe_wait_ms: self.probe_wait_ms.unwrap_or(profile.probe_wait_ms.min(max)),
            probe_min_ms: min,
            probe_max_ms: max,
            announce_wait_ms,
            announce_interval_ms: self
                .announce_interval_ms
                .or(self.announce_wait_ms)
                .unwrap_or(profile.announce_interval_ms),
            second_round: profile.second_round,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(numbers: Numbers) -> Timing {
        Choices { numbers, ..Choices::default() }.settings().unwrap().timing
    }

    #[test]
    fn what_is_open_has_the_rfcs_value() {
        let settings = Choices::default().settings().unwrap();
        assert_eq!(settings.timing, Timing::RFC3927);
        assert_eq!((settings.defend, settings.range), (Defend::Once, AddrRange::ALL));
        assert_eq!((settings.mode, settings.alias), (Mode::Fallback, Some(9)));
        assert_eq!((settings.wait, settings.grace), (Duration::ZERO, Duration::from_secs(600)));
    }

    #[test]
    fn the_upper_choice_wins_and_the_lower_one_shows_through() {
        let upper = Choices { metric: Some(1), alias: Some(Alias(None)), ..Choices::default() };
        let lower = Choices {
            metric: Some(2),
            alias: Some(Alias(Some(3))),
            mode: Some(Mode::Always),
            numbers: Numbers { probes: NonZeroU8::new(5), ..Numbers::default() },
            ..Choices::default()
        };
        let settings = upper.over(&lower).settings().unwrap();
        assert_eq!((settings.routes.metric, settings.alias), (Some(1), None));
        assert_eq!((settings.mode, settings.timing.probe_count.get()), (Mode::Always, 5));
    }

    #[test]
    fn one_bound_of_the_probes_takes_the_other_with_it() {
        let timing = numbers(Numbers { probe_max_ms: Some(200), ..Numbers::default() });
        assert_eq!(
            (timing.probe_wait_ms, timing.probe_min_ms, timing.probe_max_ms),
            (200, 200, 200)
        );
        let timing = numbers(Numbers { probe_min_ms: Some(5000), ..Numbers::default() });
        assert_eq!((timing.probe_min_ms, timing.probe_max_ms), (5000, 5000));
        let timing = numbers(Numbers { probe_max_ms: Some(3000), ..Numbers::default() });
        assert_eq!(
            (timing.probe_wait_ms, timing.probe_min_ms, timing.probe_max_ms),
            (1000, 1000, 3000)
        );
    }

    #[test]
    fn the_listening_time_holds_between_announcements_as_well() {
        let timing = numbers(Numbers { announce_wait_ms: Some(700), ..Numbers::default() });
        assert_eq!((timing.announce_wait_ms, timing.announce_interval_ms), (700, 700));
        let both = Numbers {
            announce_wait_ms: Some(700),
            announce_interval_ms: Some(50),
            ..Numbers::default()
        };
        assert_eq!(numbers(both).announce_interval_ms, 50);
    }

    #[test]
    fn contradictions_are_named() {
        let start = "169.254.9.9".parse().unwrap();
        let range = AddrRange::new("169.254.1.0".parse().unwrap(), "169.254.1.9".parse().unwrap());
        let choices = Choices { start: Some(start), range, ..Choices::default() };
        let error = choices.settings().unwrap_err();
        assert!(error.contains("169.254.9.9") && error.contains("169.254.1.0-169.254.1.9"));
        let numbers =
            Numbers { probe_min_ms: Some(2), probe_max_ms: Some(1), ..Numbers::default() };
        let error = Choices { numbers, ..Choices::default() }.settings().unwrap_err();
        assert!(error.contains("2 ms") && error.contains("1 ms"), "{error}");
    }
}
