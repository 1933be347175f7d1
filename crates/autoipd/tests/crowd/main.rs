//! Clients as many and as bad as they come: the protocol must not notice. A target of its own, so
//! that nothing else has to share the processors with them.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../kernel/controlled.rs"]
#[expect(dead_code, reason = "shared with the tests of single calls")]
mod controlled;
#[path = "../kernel/station.rs"]
#[expect(dead_code, reason = "shared with the tests of the protocol")]
mod station;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use autoip_control::{Client, Status};
use autoip_lab::{Peer, Switch, tests};
use autoip_linux::boottime;

use controlled::{Controlled, PATIENCE};
use station::{EARLY, X, assert_between, ms, s};

const STATUS: &[u8] = b"{\"method\":\"net.autoip.Manager.Status\"}\0";
/// How many read the status as fast as they can.
const READERS: usize = 16;

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits for the end of a connection.
fn await_end(mut stream: UnixStream) {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).is_ok_and(|length| length > 0) {}
}

/// One that asks and asks and never fetches an answer, until it cannot even ask.
fn never_read(path: &Path) -> UnixStream {
    let mut stream = connect(path);
    stream.set_write_timeout(Some(ms(200))).unwrap();
    while stream.write_all(&STATUS.repeat(50)).is_ok() {}
    stream
}

fn main() -> ExitCode {
    autoip_lab::test_main(&tests![a_crowd_changes_no_timing])
}

fn a_crowd_changes_no_timing() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, "-i eth0 -s 169.254.7.7");
    let (over, asked) = (AtomicBool::new(false), AtomicU32::new(0));
    let path = controlled.path.clone();
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let mut client = Client::connect(&path, PATIENCE).unwrap();
                while !over.load(Ordering::Relaxed) {
                    client.call(&Status::default()).unwrap();
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(never_read(&path));
            }
        });
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let mut stream = connect(&path);
                let _ = stream.write_all(&[b"rubbish\0", &[0xff; 500][..]].concat());
                await_end(stream);
            }
        });
        scope.spawn(|| {
            let mut stream = connect(&path);
            let _ = stream.write_all(&STATUS[..20]);
            await_end(stream);
        });
        // The end comes for them also when what follows fails.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&over);
        let station = &mut controlled.station;
        station.expect_full_claim(X);
        for _ in 0..2 {
            station.wire.skip_to_end();
            let sent = boottime();
            peer.announce(X);
            let defence = station.expect_announcement(X);
            assert_between("defence", defence.at - sent, s(0)..=ms(100));
            thread::sleep(s(10) + EARLY);
        }
        station.assert_bound(X);
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked > 1000, "the crowd was no crowd: {asked} answers");
    });
    let log = controlled.daemon.log();
    let odd: Vec<_> = log.iter().filter(|line| line.text.contains("WARN")).collect();
    assert_eq!(odd.len(), 2, "two conflicts, and no word of the crowd: {odd:#?}");
}
