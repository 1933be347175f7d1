//! Prometheus text, to the letter.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use autoip_control::{StatusReply, exposition};
use serde_json::json;

fn status() -> StatusReply {
    let timing = json!({
        "profile": "rfc3927", "is_rfc3927": true, "probe_wait_ms": 1000, "probe_count": 3,
        "probe_min_ms": 1000, "probe_max_ms": 2000, "announce_wait_ms": 2000,
        "announce_count": 2, "announce_interval_ms": 2000, "second_round": false,
    });
    let counters = json!({
        "probes": 3, "announcements": 2, "defences": 1, "conflicts_in_use": 4,
        "conflicts_competing": 5, "conflicts_late": 6, "ceded": 7, "echoes": 8,
        "unicast_probes": 9, "frames_refused": 10, "transmit_failures": 11,
    });
    let bound = json!({
        "interface": "eth0", "index": 2, "mac": "02:00:00:00:00:01", "carrier": true,
        "state": "configured", "state_number": 3, "stage": "bound", "addr": "169.254.7.7",
        "in_use": true, "since": 1_700_000_000_042_i64, "mode": "fallback", "defend": "once",
        "timing": timing, "guard": "nft", "conflict_count": 1, "counters": counters,
        "conflicts": [],
    });
    let mut idle = bound.clone();
    for (name, value) in [
        ("interface", json!("a\"b\\c")),
        ("carrier", json!(false)),
        ("state_number", json!(0)),
        ("in_use", json!(false)),
    ] {
        idle[name] = value;
    }
    serde_json::from_value(json!({
        "now": 1_700_000_001_000_i64, "version": "1.2.3", "watched": [],
        "guard": {"tier": "nft", "unmet": []}, "interfaces": [bound, idle],
    }))
    .unwrap()
}

#[test]
fn the_text_holds_what_the_status_says() {
    let text = exposition::render(&status());
    for line in [
        "# HELP autoip_build_info The version of the daemon, as a label.",
        "# TYPE autoip_build_info gauge",
        "autoip_build_info{version=\"1.2.3\"} 1",
        "autoip_guard_info{tier=\"nft\"} 1",
        "autoip_interfaces 2",
        "autoip_state{interface=\"eth0\"} 3",
        "autoip_state{interface=\"a\\\"b\\\\c\"} 0",
        "autoip_state_since_seconds{interface=\"eth0\"} 1700000000.042",
        "autoip_carrier{interface=\"eth0\"} 1",
        "autoip_address_info{interface=\"eth0\",address=\"169.254.7.7\"} 1",
        "autoip_timing_rfc3927{interface=\"eth0\"} 1",
        "autoip_rate_limit_conflicts{interface=\"eth0\"} 1",
        "# TYPE autoip_probes_total counter",
        "autoip_probes_total{interface=\"eth0\"} 3",
        "autoip_announcements_total{interface=\"eth0\"} 2",
        "autoip_defences_total{interface=\"eth0\"} 1",
        "autoip_conflicts_total{interface=\"eth0\",kind=\"in_use\"} 4",
        "autoip_conflicts_total{interface=\"eth0\",kind=\"competing_probe\"} 5",
        "autoip_conflicts_total{interface=\"eth0\",kind=\"late\"} 6",
        "autoip_ceded_total{interface=\"eth0\"} 7",
        "autoip_echoes_total{interface=\"eth0\"} 8",
        "autoip_unicast_probes_total{interface=\"eth0\"} 9",
        "autoip_frames_refused_total{interface=\"eth0\"} 10",
        "autoip_transmit_failures_total{interface=\"eth0\"} 11",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in\n{text}");
    }
    assert_eq!(text.matches("address=").count(), 1, "only addresses in use are named");
}

/// What Prometheus's format asks for: a metric's lines together, each name with help and type.
#[test]
fn the_text_has_the_form_of_prometheus() {
    let text = exposition::render(&status());
    assert!(text.ends_with('\n'));
    let (mut described, mut current) = (BTreeSet::new(), "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().unwrap();
            assert!(described.insert(current), "{current} is there twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            assert_eq!(line.split(['{', ' ']).next().unwrap(), current);
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        }
    }
    // The same in pieces, however small.
    let (status, mut pieces) = (status(), String::new());
    for part in 0..=exposition::PARTS {
        pieces.push_str(&exposition::beginning(part, &status, status.interfaces.len()));
        for interface in status.interfaces.chunks(1) {
            pieces.push_str(&exposition::samples(part, interface));
        }
    }
    assert_eq!(pieces, text);
}
