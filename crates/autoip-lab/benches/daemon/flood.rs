//! Half a million ARP frames that are about other addresses, as fast as they can be sent.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant as Clock};

use autoip_lab::{Peer, Seen};
use autoip_linux::{ArpFilter, PacketSocket};
use autoip_wire::{ArpPacket, FRAME_LEN, MacAddr, Operation};

use crate::figure::{Figure, Unit, ms, ms_between};
use crate::program::{Program, Timing};
use crate::station::Station;
use crate::usage::Usage;

const FRAMES: u32 = 500_000;
/// Frames before, between and after two conflicts.
const FRAMES_AROUND_CONFLICTS: u32 = 100_000;
/// Until what is queued has been read.
const AFTERMATH: Duration = Duration::from_millis(500);

/// What came of two conflicts within the second flood, in milliseconds.
struct Reactions {
    defence: Option<f64>,
    /// From the second conflict, or the first where that was not defended against.
    removal: Option<f64>,
}

pub(crate) fn measure(program: &Program) -> Vec<Figure> {
    let station = Station::new();
    let Some((daemon, addr)) = station.bind(program, Timing::Short) else { return Vec::new() };
    let before = (Usage::of(daemon.pid()), received(&station), Clock::now());
    send_unrelated(&station.peer, FRAMES);
    let took = before.2.elapsed();
    std::thread::sleep(AFTERMATH);
    let used = Usage::of(daemon.pid()) - before.0;
    let arrived = received(&station).zip(before.1).map(|(after, before)| after - before);
    let reactions = disturb(&station, addr);
    vec![
        Figure::value("frames that reached the host", Unit::Times, arrived.map(|n| n as f64)),
        Figure::value("time in which they were sent", Unit::Milliseconds, ms(took)),
        Figure::value("CPU time", Unit::Milliseconds, ms(used.cpu)).budget(20.0),
        Figure::value("wake-ups", Unit::Times, used.wakeups as f64),
        Figure::value("preemptions", Unit::Times, used.preemptions as f64),
        Figure::times("conflict among them to defence (0-100 ms drawn)", [reactions.defence])
            .budget(150.0),
        Figure::times("2nd conflict among them to address removed", [reactions.removal])
            .budget(50.0),
    ]
}

/// Two conflicts while the flood goes on.
fn disturb(station: &Station, addr: Ipv4Addr) -> Reactions {
    let tap = station.cable.tap();
    tap.set_filter(ArpFilter::Claimed(addr)).expect("a tap takes a filter");
    let mut changes = station.host.changes();
    for number in 0..3 {
        if number > 0 {
            station.peer.announce(addr);
        }
        // Takes longer than the random wait before a defence.
        send_unrelated(&station.peer, FRAMES_AROUND_CONFLICTS);
    }
    let removed = changes.wait(AFTERMATH, |change| change.is_removed(addr));
    let (own, conflicts): (Vec<_>, Vec<_>) =
        frames(&tap, addr).into_iter().partition(Seen::is_from_host);
    let [first, second] = conflicts[..] else { return Reactions { defence: None, removal: None } };
    let defence = own.first().map(|defence| ms_between(first.at, defence.at));
    let yielded_at = if defence.is_some() { second.at } else { first.at };
    let removal = removed.map(|change| ms_between(yielded_at, change.at));
    Reactions { defence, removal }
}

/// The frames with `addr` as sender that passed the cable since the last call.
fn frames(tap: &PacketSocket, addr: Ipv4Addr) -> Vec<Seen> {
    let mut buffer = [0; FRAME_LEN];
    let mut frames = Vec::new();
    while let Ok(Some(received)) = tap.receive(&mut buffer) {
        frames.extend(Seen::from_received(&received).filter(|seen| seen.arp.sender_ip == addr));
    }
    frames
}

/// Broadcast requests and announcements of hosts all over 169.254/16, the reserved ends aside:
/// no daemon can have an address there.
fn send_unrelated(peer: &Peer, count: u32) {
    for number in 0..count {
        let [_, _, host, last] = number.to_be_bytes();
        let sender_ip = Ipv4Addr::new(169, 254, 255 * (host & 1), last);
        let target_ip = if number % 4 == 0 {
            sender_ip
        } else {
            Ipv4Addr::new(169, 254, 255 * (last & 1), host)
        };
        let packet = ArpPacket {
            operation: Operation::Request,
            sender_mac: peer.mac(),
            sender_ip,
            target_mac: MacAddr::ZERO,
            target_ip,
        };
        peer.broadcast(&packet);
    }
}

/// How many frames the kernel has counted at the station's interface.
fn received(station: &Station) -> Option<u64> {
    let devices = station.host.run(|| fs::read_to_string("/proc/thread-self/net/dev")).ok()?;
    let name = format!("{}:", station.interface);
    let line = devices.lines().find_map(|line| line.trim_start().strip_prefix(&name))?;
    // Bytes come first, then packets.
    line.split_whitespace().nth(1)?.parse().ok()
}
