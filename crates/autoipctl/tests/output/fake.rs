//! A daemon that a test plays: it has an answer for each method, and keeps the calls.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use autoip_control::service::Info;
use autoip_control::{Call, Inbox, Reply, Request};
use serde_json::{Map, Value, json};

/// 2023-11-14 22:13:20 UTC.
pub(crate) const NOW: i64 = 1_700_000_000_000;

type Answers = Vec<(&'static str, Vec<Value>)>;

/// The daemon, until it is dropped.
pub(crate) struct Fake {
    path: PathBuf,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Fake {
    /// One that answers each method by its short name: by all of its replies where "more" was
    /// asked for, else by the first. What is said of a method again is for its next call. A reply
    /// with the member "error" is an error; after one with the member "hold" it says no more, and
    /// without replies nothing. Who it is, it says unasked and without keeping the call.
    pub(crate) fn new(answers: Answers) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("autoipctl-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let listener = UnixListener::bind(&path).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&calls);
        let answers = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
                thread::spawn(move || serve(stream, &answers, &kept));
            }
        });
        Self { path, calls }
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The calls so far: short name and parameters.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(mut stream: UnixStream, answers: &Answers, kept: &Mutex<Vec<(String, Value)>>) {
    let (mut inbox, mut chunk) = (Inbox::new(1 << 16), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut chunk) {
        inbox.push(&chunk[..length]);
        while let Some(message) = inbox.next_message().unwrap() {
            let call = Call::parse(&message).unwrap();
            // What the daemon would refuse must not go unnoticed here.
            Request::parse(call.clone()).unwrap();
            let name = call.method.rsplit('.').next().unwrap().to_owned();
            if name == "GetInfo" {
                let info = Reply::new(&Info::new("fake", "0.0.0"));
                let _ = stream.write_all(&info.to_bytes());
                continue;
            }
            let mut kept = kept.lock().unwrap();
            let calls_before = kept.iter().filter(|(known, _)| *known == name).count();
            let said = answers.iter().filter(|(known, _)| *known == name);
            let (_, replies) = said.take(calls_before + 1).last().unwrap();
            let count = if call.more { replies.len() } else { replies.len().min(1) };
            let replies = &replies[..count];
            kept.push((name, Value::Object(call.parameters.unwrap())));
            drop(kept);
            for (at, reply) in replies.iter().enumerate() {
                if reply.get("hold").is_some() {
                    break;
                }
                let last = at + 1 == replies.len();
                if stream.write_all(&to_reply(reply, !last).to_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

fn to_reply(value: &Value, continues: bool) -> Reply {
    let mut parameters = value.as_object().cloned().unwrap_or_else(Map::new);
    let error = parameters.remove("error").map(|error| error.as_str().unwrap().to_owned());
    Reply { parameters: Some(parameters), continues, error }
}

/// An error of the interface net.autoip.Manager.
pub(crate) fn error(name: &str, mut parameters: Value) -> Value {
    parameters["error"] = json!(format!("net.autoip.Manager.{name}"));
    parameters
}

pub(crate) fn conflict() -> Value {
    json!({
        "time": NOW - 125_000, "interface": "eth0", "addr": "169.254.7.7",
        "mac": "02:00:00:00:00:05", "kind": "late", "outcome": "defending",
        "packet": "ffffffffffff020000000005080600010800060400010200000000",
    })
}

/// An interface with an address in use, changed as `changes` say.
pub(crate) fn interface(changes: Value) -> Value {
    let mut interface = json!({
        "interface": "eth0", "index": 2, "mac": "02:00:00:00:00:01", "carrier": true,
        "state": "configured", "state_number": 3, "stage": "bound", "addr": "169.254.7.7",
        "in_use": true, "alias": "eth0:9", "since": NOW - 190_000, "mode": "fallback",
        "defend": "once", "remembered": "169.254.7.7", "conflict_count": 1, "guard": "nft",
        "timing": {
            "profile": "rfc3927", "is_rfc3927": true, "probe_wait_ms": 1000, "probe_count": 3,
            "probe_min_ms": 1000, "probe_max_ms": 2000, "announce_wait_ms": 2000,
            "announce_count": 2, "announce_interval_ms": 2000, "second_round": false,
        },
        "counters": {
            "probes": 3, "announcements": 2, "defences": 1, "conflicts_in_use": 0,
            "conflicts_competing": 0, "conflicts_late": 1, "ceded": 0, "echoes": 0,
            "unicast_probes": 0, "frames_refused": 0, "transmit_failures": 0,
        },
        "conflicts": [],
    });
    for (name, value) in changes.as_object().unwrap() {
        interface[name] = value.clone();
    }
    interface
}

/// A reply to Status.
pub(crate) fn status(interfaces: Value) -> Value {
    json!({
        "now": NOW, "version": "0.1.0", "guard": {"tier": "nft", "unmet": []},
        "interfaces": interfaces, "watched": [],
    })
}
