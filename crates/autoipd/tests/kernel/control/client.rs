//! Clients that do not behave, and more of them than there is room for.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use autoip_control::{Error, Refusal, Status};
use autoip_core::Instant;
use autoip_lab::Switch;
use autoip_linux::boottime;

use crate::controlled::{Controlled, PATIENCE};
use crate::station::{EARLY, QUICK, eventually, ms, s};

const STATUS: &[u8] = b"{\"method\":\"net.autoip.Manager.Status\"}\0";
/// The time that a call may take to be whole, and a reply to be fetched.
const STALL: Duration = s(5);

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits for the end of a connection, and returns when that was.
#[track_caller]
fn await_end(mut stream: UnixStream) -> Instant {
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return boottime(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return boottime(),
            Err(error) => panic!("the connection is still there: {error}"),
        }
    }
}

/// One that asks and asks and never fetches an answer, until it cannot even ask.
fn never_read(path: &Path) -> UnixStream {
    let mut stream = connect(path);
    stream.set_write_timeout(Some(ms(200))).unwrap();
    while stream.write_all(&STATUS.repeat(50)).is_ok() {}
    stream
}

pub(crate) fn those_that_do_not_behave_are_dropped() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    // Rubbish at once.
    let deep = "[".repeat(5000);
    let long = "x".repeat(10_000);
    let rubbish = ["rubbish\0", "[]\0", "\0", "{\"method\":7}\0", "\u{1}\u{2}\0", &deep, &long];
    for rubbish in rubbish {
        let mut stream = connect(&controlled.path);
        let begun = boottime();
        let _ = stream.write_all(rubbish.as_bytes());
        if rubbish.len() < 8192 && !rubbish.ends_with('\0') {
            continue;
        }
        assert!(await_end(stream) - begun < STALL, "{}", rubbish.escape_debug());
    }
    // Half a call after its time, also when more of it drips in.
    let begun = boottime();
    let mut dripping = connect(&controlled.path);
    let mut half = connect(&controlled.path);
    half.write_all(&STATUS[..20]).unwrap();
    for byte in STATUS {
        if dripping.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(ms(500));
    }
    let lasted = await_end(dripping) - begun;
    assert!(lasted >= STALL - EARLY, "{lasted:?}");
    assert!(await_end(half) - begun >= STALL - EARLY);
    // One that fetches nothing, after its time.
    let stuck = never_read(&controlled.path);
    let left = await_end_without_reading(stuck);
    assert!(left >= STALL - s(1), "{left:?}");
    // A client that behaves notices nothing of all that.
    assert_eq!(controlled.status().interfaces.len(), 1);
}

/// How long the other side keeps a connection of which nothing is read.
fn await_end_without_reading(mut stream: UnixStream) -> Duration {
    let begun = boottime();
    stream.set_write_timeout(Some(ms(100))).unwrap();
    loop {
        match stream.write(STATUS) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                return boottime() - begun;
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                return boottime() - begun;
            }
            Ok(_) | Err(_) => assert!(boottime() - begun < PATIENCE, "it is still there"),
        }
    }
}

pub(crate) fn there_is_room_for_so_many_and_no_more() {
    let switch = Switch::new();
    let controlled = Controlled::new(&switch, QUICK);
    let mut clients: Vec<_> = (0..64).map(|_| controlled.connect()).collect();
    for client in &mut clients {
        client.call(&Status::default()).unwrap();
    }
    let refused = controlled.call(&Status::default()).unwrap_err();
    let is_full = matches!(refused, Error::Refused(Refusal::TooMany { .. }));
    assert!(is_full, "{refused:?}");
    for client in &mut clients {
        client.call(&Status::default()).unwrap();
    }
    drop(clients);
    eventually("room", PATIENCE, || controlled.call(&Status::default()).is_ok());
}
