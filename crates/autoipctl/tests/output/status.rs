//! `autoipctl status`.

use serde_json::{Value, json};

use crate::fake::{Fake, NOW, conflict, error, interface, status};
use crate::{assert_complains, assert_says, run};

fn four() -> Value {
    let fast = json!({
        "profile": "fast", "is_rfc3927": false, "probe_wait_ms": 30, "probe_count": 3,
        "probe_min_ms": 30, "probe_max_ms": 55, "announce_wait_ms": 60, "announce_count": 2,
        "announce_interval_ms": 2000, "second_round": true,
    });
    let probing = interface(json!({
        "interface": "camera1", "state": "probing", "state_number": 1, "stage": "listening",
        "addr": "169.254.9.9", "in_use": false, "since": NOW - 2_000, "mode": "always",
        "timing": fast,
    }));
    let mut idle = interface(json!({
        "interface": "usb0", "state": "idle", "state_number": 0, "stage": "stopped",
        "in_use": false, "carrier": false, "since": NOW - 7_300_000, "mode": "route",
        "reason": "the link is down",
    }));
    idle.as_object_mut().unwrap().remove("addr");
    let defending = interface(json!({
        "interface": "eth1", "state": "defending", "state_number": 4, "addr": "169.254.200.200",
        "since": NOW - 3_000, "conflicts": [conflict()],
    }));
    json!([interface(json!({})), probing, idle, defending])
}

const TABLE: &str = "\
INTERFACE  STATE       ADDRESS          SINCE  MODE      TIMING              NOTE
eth0       configured  169.254.7.7      3 min  fallback  rfc3927
camera1    probing     (169.254.9.9)    2 s    always    fast, not RFC 3927
usb0       idle        -                2 h    route     rfc3927             the link is down
eth1       defending   169.254.200.200  3 s    fallback  rfc3927             conflict 2 min ago \
with 02:00:00:00:00:05
guard: nft
";

#[test]
fn all_interfaces_make_a_table() {
    let fake = Fake::new(vec![("Status", vec![status(four())])]);
    assert_says(&run(&fake, "status"), 0, TABLE);
    assert_eq!(fake.calls(), [("Status".to_owned(), json!({}))]);
}

/// A daemon with many interfaces has a reply for each.
#[test]
fn several_replies_make_one_table() {
    let four = four();
    let replies = four.as_array().unwrap().iter().map(|one| status(json!([one]))).collect();
    let fake = Fake::new(vec![("Status", replies)]);
    assert_says(&run(&fake, "status"), 0, TABLE);
}

#[test]
fn what_is_not_met_and_what_is_watched_is_said() {
    let mut reply = status(json!([]));
    reply["guard"] = json!({"tier": "sysctl", "unmet": ["LL-2.5-09", "LL-2.7-03"]});
    reply["watched"] = json!([{
        "interface": "eth2", "addr": "192.168.1.5", "defend": "always", "since": NOW - 60_000,
        "counters": interface(json!({}))["counters"],
    }]);
    let fake = Fake::new(vec![("Status", vec![reply])]);
    let expected = "\
no interface is managed
192.168.1.5 on eth2 is watched, for 1 min
guard: sysctl (not met: LL-2.5-09, LL-2.7-03)
";
    assert_says(&run(&fake, "status"), 0, expected);
}

#[test]
fn one_interface_is_shown_in_full() {
    let bound = interface(json!({"conflicts": [conflict()], "routable": "10.0.0.5"}));
    let fake = Fake::new(vec![("Status", vec![status(json!([bound]))])]);
    let expected = "\
eth0: configured (3)
  address      169.254.7.7 as eth0:9
  stage        bound
  since        2023-11-14T22:10:10.000Z (3 min)
  link         up
  MAC address  02:00:00:00:00:01
  mode         fallback
  routable     10.0.0.5
  defence      once in ten seconds
  timing       rfc3927
  guard        nft
  remembered   169.254.7.7
  counters     3 probes, 2 announcements, 1 defence, 1 late conflict
  conflicts    1 of 10 before the rate limit
  2023-11-14T22:11:15.000Z 02:00:00:00:00:05 claims 169.254.7.7 (late), defended
    ffffffffffff020000000005080600010800060400010200000000
guard: nft
";
    assert_says(&run(&fake, "status eth0"), 0, expected);
    assert_eq!(fake.calls(), [("Status".to_owned(), json!({"interface": "eth0"}))]);
}

#[test]
fn a_candidate_is_not_an_address() {
    let probing = interface(json!({
        "state": "probing", "state_number": 1, "stage": "backing_off", "in_use": false,
        "since": NOW, "deadline": NOW + 42_500, "denier": "02:00:00:00:00:66",
        "conflict_count": 10,
        "counters": {
            "probes": 0, "announcements": 0, "defences": 0, "conflicts_in_use": 0,
            "conflicts_competing": 0, "conflicts_late": 0, "ceded": 0, "echoes": 0,
            "unicast_probes": 0, "frames_refused": 0, "transmit_failures": 0,
        },
    }));
    let fake = Fake::new(vec![("Status", vec![status(json!([probing]))])]);
    let expected = "\
eth0: probing (1)
  candidate    169.254.7.7
  stage        backing off
  since        2023-11-14T22:13:20.000Z (0 s)
  next step    in 42 s
  link         up
  MAC address  02:00:00:00:00:01
  mode         fallback
  defence      once in ten seconds
  timing       rfc3927
  guard        nft
  remembered   169.254.7.7
  denied by    02:00:00:00:00:66
  counters     none
  conflicts    10 of 10 before the rate limit
guard: nft
";
    assert_says(&run(&fake, "status eth0"), 0, expected);
}

/// The JSON is the daemon's reply, whatever else changes here.
#[test]
fn json_is_the_reply_itself() {
    let fake = Fake::new(vec![("Status", vec![status(four())])]);
    let ended = run(&fake, "status --json");
    assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), status(four()));
}

#[test]
fn an_interface_that_is_not_managed_is_a_no() {
    let refusal = error("NotManaged", json!({"interface": "eth7"}));
    let fake = Fake::new(vec![("Status", vec![refusal])]);
    assert_complains(
        &run(&fake, "status eth7"),
        1,
        "eth7 is not managed; \"autoipctl status\" shows what is",
    );
}

/// Without a terminal there is one table for each thing that happens.
#[test]
fn a_live_status_follows_the_events() {
    let event = json!({"interface_removed": {"time": NOW, "interface": "eth9"}});
    let fake = Fake::new(vec![
        ("Status", vec![status(json!([interface(json!({}))]))]),
        ("Monitor", vec![event.clone(), event]),
    ]);
    let table = "\
INTERFACE  STATE       ADDRESS      SINCE  MODE      TIMING   NOTE
eth0       configured  169.254.7.7  3 min  fallback  rfc3927
guard: nft
";
    assert_says(&run(&fake, "status --watch"), 0, &table.repeat(3));
    let ended = run(&fake, "status --watch --json");
    assert_eq!(ended.out.lines().count(), 3, "an object in each line");
    for line in ended.out.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}
