//! A status as text for Prometheus: its counters and states, one metric after the other.
//!
//! Used by the daemon's Metrics. The names are promised to stay.

use std::fmt::Write;

use crate::status::{Interface, StatusReply};

/// A metric of every interface.
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// Its samples: more labels, with their comma, and the value.
    samples: fn(&Interface) -> Vec<(String, String)>,
}

const fn counter(
    name: &'static str,
    help: &'static str,
    samples: fn(&Interface) -> Vec<(String, String)>,
) -> Metric {
    Metric { name, help, kind: "counter", samples }
}

const fn gauge(
    name: &'static str,
    help: &'static str,
    samples: fn(&Interface) -> Vec<(String, String)>,
) -> Metric {
    Metric { name, help, kind: "gauge", samples }
}

fn one(value: impl ToString) -> Vec<(String, String)> {
    vec![(String::new(), value.to_string())]
}

const METRICS: [Metric; 15] = [
    gauge(
        "autoip_state",
        "State of RISC OS's ZeroConf: 0 idle, 1 probing, 2 announcing, 3 configured, 4 defending.",
        |interface| one(interface.state_number),
    ),
    gauge("autoip_state_since_seconds", "Unix time since when the state is that.", |interface| {
        one(seconds(interface.since))
    }),
    gauge("autoip_carrier", "Whether there is a link.", |interface| {
        one(u8::from(interface.carrier))
    }),
    gauge("autoip_address_info", "The link-local address in use, as a label.", |interface| {
        let addr = interface.addr.filter(|_| interface.in_use);
        addr.map(|addr| (format!(",address=\"{addr}\""), "1".to_owned())).into_iter().collect()
    }),
    gauge("autoip_timing_rfc3927", "Whether the timing is that of RFC 3927.", |interface| {
        one(u8::from(interface.timing.is_rfc3927))
    }),
    gauge(
        "autoip_rate_limit_conflicts",
        "Conflicts that count towards the rate limit of 10.",
        |interface| one(interface.conflict_count),
    ),
    counter("autoip_probes_total", "ARP probes made.", |interface| one(interface.counters.probes)),
    counter("autoip_announcements_total", "Announcements made, without defences.", |interface| {
        one(interface.counters.announcements)
    }),
    counter("autoip_defences_total", "Defences made.", |interface| {
        one(interface.counters.defences)
    }),
    counter("autoip_conflicts_total", "Conflicts by kind.", |interface| {
        let counters = &interface.counters;
        [
            ("in_use", counters.conflicts_in_use),
            ("competing_probe", counters.conflicts_competing),
            ("late", counters.conflicts_late),
        ]
        .map(|(kind, count)| (format!(",kind=\"{kind}\""), count.to_string()))
        .to_vec()
    }),
    counter("autoip_ceded_total", "Addresses given up because of conflicts.", |interface| {
        one(interface.counters.ceded)
    }),
    counter("autoip_echoes_total", "Own packets that came back.", |interface| {
        one(interface.counters.echoes)
    }),
    counter("autoip_unicast_probes_total", "Probes sent to this host alone.", |interface| {
        one(interface.counters.unicast_probes)
    }),
    counter("autoip_frames_refused_total", "Frames that were no ARP for IPv4.", |interface| {
        one(interface.counters.frames_refused)
    }),
    counter("autoip_transmit_failures_total", "Frames that could not be sent.", |interface| {
        one(interface.counters.transmit_failures)
    }),
];

/// How many parts the text has.
pub const PARTS: usize = METRICS.len() + 1;

/// The beginning of part `part`; nothing beyond the last. The first part is about the daemon with
/// its `count` interfaces, and the beginning is all of it. Each other one is about one metric, and
/// its [`samples`] follow.
#[must_use]
pub fn beginning(part: usize, status: &StatusReply, count: usize) -> String {
    let Some(index) = part.checked_sub(1) else { return daemon(status, count) };
    let mut text = String::new();
    if let Some(metric) = METRICS.get(index) {
        head(&mut text, metric.name, metric.help, metric.kind);
    }
    text
}

/// The samples of part `part` from these interfaces.
#[must_use]
pub fn samples(part: usize, interfaces: &[Interface]) -> String {
    let metric = part.checked_sub(1).and_then(|index| METRICS.get(index));
    metric.map(|metric| metric.render(interfaces)).unwrap_or_default()
}

/// The whole text.
#[must_use]
pub fn render(status: &StatusReply) -> String {
    let count = status.interfaces.len();
    (0..PARTS)
        .map(|part| beginning(part, status, count) + &samples(part, &status.interfaces))
        .collect()
}

fn daemon(status: &StatusReply, count: usize) -> String {
    let mut text = String::new();
    head(&mut text, "autoip_build_info", "The version of the daemon, as a label.", "gauge");
    line(&mut text, "autoip_build_info", &format!("version=\"{}\"", quoted(&status.version)), "1");
    head(&mut text, "autoip_guard_info", "What keeps the kernel to the rules.", "gauge");
    line(&mut text, "autoip_guard_info", &format!("tier=\"{}\"", status.guard.tier), "1");
    head(&mut text, "autoip_interfaces", "Number of managed interfaces.", "gauge");
    line(&mut text, "autoip_interfaces", "", &count.to_string());
    text
}

impl Metric {
    fn render(&self, interfaces: &[Interface]) -> String {
        let mut text = String::new();
        for interface in interfaces {
            let name = quoted(&interface.interface);
            for (more, value) in (self.samples)(interface) {
                line(&mut text, self.name, &format!("interface=\"{name}\"{more}"), &value);
            }
        }
        text
    }
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: &str) {
    let _ = match labels {
        "" => writeln!(text, "{name} {value}"),
        labels => writeln!(text, "{name}{{{labels}}} {value}"),
    };
}

/// A number of milliseconds in seconds.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// The name of an interface may hold nearly anything.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
