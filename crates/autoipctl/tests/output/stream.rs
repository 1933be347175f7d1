//! `autoipctl monitor` and `watch`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::fake::{Fake, NOW, conflict};
use crate::{assert_says, autoipctl, run};

fn events() -> Vec<Value> {
    vec![
        json!({"state_changed": {"time": NOW, "interface": "eth0", "state": "idle",
            "state_number": 0}}),
        json!({"state_changed": {"time": NOW + 1, "interface": "eth0",
            "state": "probing", "state_number": 1, "addr": "169.254.7.7"}}),
        json!({"address_acquired": {"time": NOW + 5_500, "interface": "eth0", "alias": "eth0:9",
            "addr": "169.254.7.7"}}),
        json!({"conflict": conflict()}),
        json!({"address_lost": {"time": NOW + 60_000, "interface": "eth0", "alias": "eth0:9",
            "addr": "169.254.7.7", "loss": "conflict"}}),
        json!({"interface_removed": {"time": NOW + 61_000, "interface": "eth0"}}),
    ]
}

#[test]
fn each_event_is_a_line() {
    let fake = Fake::new(vec![("Monitor", events())]);
    let expected = "\
2023-11-14T22:13:20.000Z eth0 idle
2023-11-14T22:13:20.001Z eth0 probing 169.254.7.7
2023-11-14T22:13:25.500Z eth0 acquired 169.254.7.7 as eth0:9
2023-11-14T22:11:15.000Z eth0 conflict: 02:00:00:00:00:05 claims 169.254.7.7 (late), defended
2023-11-14T22:14:20.000Z eth0 lost 169.254.7.7: another host claims it
2023-11-14T22:14:21.000Z eth0 no longer managed
";
    assert_says(&run(&fake, "monitor"), 0, expected);
    assert_eq!(fake.calls(), [("Monitor".to_owned(), json!({}))]);
    assert_says(&run(&fake, "monitor eth0"), 0, expected);
    assert_eq!(fake.calls()[1].1, json!({"interface": "eth0"}));
}

#[test]
fn each_event_is_an_object() {
    let fake = Fake::new(vec![("Monitor", events())]);
    let ended = run(&fake, "monitor --json");
    let read: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events());
}

/// `autoipctl monitor | head -1` is no failure.
#[test]
fn a_reader_who_leaves_is_no_failure() {
    let fake = Fake::new(vec![("Monitor", vec![events()[0].clone(); 20_000])]);
    let mut command = autoipctl(&format!("--socket {} monitor", fake.path()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "2023-11-14T22:13:20.000Z eth0 idle\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

#[test]
fn a_watched_address_tells_what_happens_to_it() {
    let mut ceded = conflict();
    ceded["outcome"] = json!("ceded");
    let fake = Fake::new(vec![(
        "Watch",
        vec![
            json!({"defended": false}),
            json!({"defended": false, "conflict": conflict()}),
            json!({"defended": true}),
            json!({"defended": false, "conflict": ceded}),
        ],
    )]);
    let expected = "\
watching 169.254.7.7 on eth0
2023-11-14T22:11:15.000Z eth0 conflict: 02:00:00:00:00:05 claims 169.254.7.7 (late), defended
defended 169.254.7.7
2023-11-14T22:11:15.000Z eth0 conflict: 02:00:00:00:00:05 claims 169.254.7.7 (late), \
address given up
";
    assert_says(&run(&fake, "watch 169.254.7.7 -i eth0 --defend always"), 1, expected);
    let parameters = json!({"interface": "eth0", "addr": "169.254.7.7", "defend": "always"});
    assert_eq!(fake.calls(), [("Watch".to_owned(), parameters)]);
    let ended = run(&fake, "watch 169.254.7.7 -i eth0 --json");
    assert_eq!(ended.out.lines().count(), 4);
}
