//! The packet socket and its filters on a cable.
//!
//! A frame that must not come is followed by one that must: frames keep their order on a cable,
//! so that no test has to wait for "nothing".

use std::time::Duration;

use autoip_linux::rtnl::Monitor;
use autoip_linux::{ArpFilter, Direction, PacketSocket, boottime};
use nix::sys::socket::{setsockopt, sockopt};

use crate::cable::{Cable, OTHER, OURS, ZERO, arp, await_readable, next_frame};

pub(crate) fn nothing_is_queued_early() {
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let sender = PacketSocket::arp(cable.far).unwrap();
    for _ in 0..100 {
        sender.send(&arp(OURS, OTHER)).unwrap();
    }
    // A tap that has seen a frame shows that those before it were delivered.
    let tap = PacketSocket::tap(cable.near).unwrap();
    sender.send(&arp(OURS, OURS)).unwrap();
    while next_frame(&tap) != arp(OURS, OURS) {}
    socket.set_filter(ArpFilter::All).unwrap();
    sender.send(&arp(OTHER, OURS)).unwrap();
    assert_eq!(next_frame(&socket), arp(OTHER, OURS));
    assert_eq!(socket.dropped().unwrap(), 0);
}

/// Sends what a filter must refuse and then what it must pass.
fn check(filter: ArpFilter, refused: &[Vec<u8>], passed: &[Vec<u8>]) {
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let sender = PacketSocket::arp(cable.far).unwrap();
    socket.set_filter(filter).unwrap();
    for frame in refused.iter().chain(passed) {
        sender.send(frame).unwrap();
    }
    for frame in passed {
        assert_eq!(next_frame(&socket), *frame, "{filter:?}");
    }
}

pub(crate) fn candidate_filter() {
    let mut padded = arp(OURS, OTHER);
    padded.resize(60, 0);
    check(
        ArpFilter::Candidate(OURS),
        &[arp(OTHER, OURS), arp(OTHER, OTHER), arp(ZERO, OTHER), arp(OURS, OURS)[..41].to_vec()],
        &[arp(OURS, OTHER), arp(ZERO, OURS), arp(OURS, OURS), padded],
    );
}

pub(crate) fn claimed_filter() {
    check(
        ArpFilter::Claimed(OURS),
        &[arp(OTHER, OURS), arp(ZERO, OURS), arp(OTHER, OTHER)],
        &[arp(OURS, OTHER), arp(OURS, OURS)],
    );
}

pub(crate) fn vlan() {
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let sender = PacketSocket::tap(cable.far).unwrap();
    socket.set_filter(ArpFilter::All).unwrap();
    let plain = arp(OTHER, OURS);
    let tagged = |tag: [u8; 2]| [&plain[..12], &[0x81, 0], &tag, &plain[12..]].concat();
    sender.send(&tagged([0, 5])).unwrap();
    sender.send(&tagged([0x6f, 0xff])).unwrap();
    sender.send(&tagged([0x60, 0])).unwrap();
    sender.send(&arp(OURS, OURS)).unwrap();
    assert_eq!(next_frame(&socket), plain, "a tag that is only a priority");
    assert_eq!(next_frame(&socket), arp(OURS, OURS));
}

pub(crate) fn own_frames() {
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let tap = PacketSocket::tap(cable.near).unwrap();
    socket.set_filter(ArpFilter::All).unwrap();
    socket.send(&arp(OURS, OURS)).unwrap();
    let mut buffer = [0; 128];
    loop {
        await_readable(&tap);
        let Some(received) = tap.receive(&mut buffer).unwrap() else { continue };
        if received.frame == arp(OURS, OURS) {
            assert_eq!(received.direction, Direction::Out);
            break;
        }
    }
    PacketSocket::arp(cable.far).unwrap().send(&arp(OTHER, OTHER)).unwrap();
    let received = loop {
        await_readable(&socket);
        if let Some(received) = socket.receive(&mut buffer).unwrap() {
            break received;
        }
    };
    assert_eq!((received.frame, received.direction), (&arp(OTHER, OTHER)[..], Direction::In));
}

pub(crate) fn stamps() {
    const CLOCK_READING: Duration = Duration::from_millis(5);
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let sender = PacketSocket::arp(cable.far).unwrap();
    socket.set_filter(ArpFilter::All).unwrap();
    // The kernel switches stamps on a little after the socket is open.
    let is_stamped_on_arrival = (0..100).any(|_| {
        let before = boottime();
        sender.send(&arp(OTHER, OURS)).unwrap();
        await_readable(&socket);
        let readable = boottime();
        wait(Duration::from_millis(20));
        let at = socket.receive(&mut [0; 128]).unwrap().unwrap().at;
        assert!(at + CLOCK_READING >= before && at <= boottime(), "{before:?} {at:?}");
        at <= readable + CLOCK_READING
    });
    assert!(is_stamped_on_arrival, "every stamp was of the moment of reading");
}

fn wait(duration: Duration) {
    let timer = autoip_linux::Timer::new().unwrap();
    timer.set(Some(boottime() + duration)).unwrap();
    await_readable(&timer);
}

pub(crate) fn down_and_up() {
    let mut cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    socket.set_filter(ArpFilter::All).unwrap();
    let near = cable.near;
    cable.set_up(near, false);
    assert_eq!(socket.receive(&mut [0; 128]).unwrap(), None);
    assert!(socket.send(&arp(OURS, OURS)).unwrap_err().is_gone());
    let monitor = Monitor::open().unwrap();
    cable.set_up(near, true);
    cable.await_carrier(monitor);
    PacketSocket::arp(cable.far).unwrap().send(&arp(OTHER, OURS)).unwrap();
    assert_eq!(next_frame(&socket), arp(OTHER, OURS));
}

pub(crate) fn drops() {
    let cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let sender = PacketSocket::arp(cable.far).unwrap();
    setsockopt(&socket, sockopt::RcvBuf, &1).unwrap();
    socket.set_filter(ArpFilter::Claimed(OURS)).unwrap();
    for _ in 0..200 {
        sender.send(&arp(OURS, OTHER)).unwrap();
    }
    let tap = PacketSocket::tap(cable.near).unwrap();
    sender.send(&arp(OTHER, OTHER)).unwrap();
    while next_frame(&tap) != arp(OTHER, OTHER) {}
    let dropped = socket.dropped().unwrap();
    assert!((1..=200).contains(&dropped), "{dropped}");
    assert_eq!(socket.dropped().unwrap(), 0, "counted since the last call");
}

pub(crate) fn gone() {
    let mut cable = Cable::new();
    let socket = PacketSocket::arp(cable.near).unwrap();
    let near = cable.near;
    cable.remove(near);
    assert_eq!(socket.receive(&mut [0; 128]).unwrap(), None);
    assert!(socket.send(&arp(OURS, OURS)).unwrap_err().is_gone());
    assert!(PacketSocket::arp(near).unwrap_err().is_gone());
}
