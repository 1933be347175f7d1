//! A link full of frames that mean nothing, and one that does.

use autoip_lab::{Peer, Process, Switch};
use autoip_linux::boottime;
use autoip_wire::{ArpPacket, MacAddr};

use crate::station::{LATE, Station, X, assert_between, ms, s};

/// A cheap generator of numbers without order (xorshift); the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A place in something of this length.
    fn below(&mut self, length: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(length).unwrap()).unwrap()
    }
}

/// A frame that is no conflict over `X`: a conflict damaged, an echo, or plain rubbish.
fn odd_frame(numbers: &mut Numbers, peer: MacAddr, station: MacAddr) -> Vec<u8> {
    let mut echo = ArpPacket::announcement(station, X).to_broadcast().to_vec();
    echo[6..12].copy_from_slice(&peer.octets());
    let mut frame = match numbers.below(3) {
        0 => return echo,
        1 => ArpPacket::announcement(peer, X).to_broadcast().to_vec(),
        _ => (0..60).map(|_| numbers.next().to_be_bytes()[0]).collect(),
    };
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&peer.octets());
    frame[12..14].copy_from_slice(&autoip_wire::ETHERTYPE_ARP.to_be_bytes());
    if numbers.below(2) == 0 {
        frame.truncate(14 + numbers.below(28));
    } else {
        // Somewhere from the hardware type to the operation.
        let at = 14 + numbers.below(8);
        frame[at] ^= 0x84;
    }
    frame
}

fn make_noise(peer: &Peer, station: MacAddr, count: u32) {
    let mut numbers = Numbers(0x5eed);
    for _ in 0..count {
        peer.send_bytes(&odd_frame(&mut numbers, peer.mac(), station));
    }
}

/// A station with its address, whose daemon has said all that a claim makes it say.
fn settled(switch: &Switch) -> (Station, Process) {
    let mut station = Station::new(switch);
    let daemon = station.start("-i eth0 -s 169.254.7.7 -p 1 -a 1 -w 1 -v");
    station.expect_announcement(X);
    station.await_route(X);
    (station, daemon)
}

pub(crate) fn thirty_thousand_odd_frames_do_no_harm() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let (mut station, daemon) = settled(&switch);
    daemon.wait_log(s(2), |line| line.contains("remembered"));
    let before = daemon.log().len();
    make_noise(&peer, station.mac(), 30_000);
    station.expect_none("it reacts", s(1), |_| true);
    station.assert_bound(X);
    assert_eq!(daemon.status(), None);
    let lines = daemon.log();
    let loud: Vec<_> = lines[before..].iter().filter(|l| !l.text.contains("DEBUG")).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    // It still listens.
    peer.announce(X);
    station.expect_announcement(X);
}

//= test LL-2.5-03
pub(crate) fn a_conflict_within_noise_is_defended() {
    let switch = Switch::new();
    let (peer, noisy) = (Peer::new(&switch), Peer::new(&switch));
    let (mut station, _daemon) = settled(&switch);
    let mac = station.mac();
    std::thread::scope(|scope| {
        let noise = scope.spawn(|| make_noise(&noisy, mac, 20_000));
        while station.wire.all().len() < 500 {
            std::thread::sleep(ms(1));
        }
        let sent = boottime();
        peer.announce(X);
        let defence = station.expect_announcement(X);
        assert_between("defence", defence.at - sent, s(0)..=ms(100) + LATE);
        noise.join().unwrap();
    });
    station.assert_bound(X);
}
