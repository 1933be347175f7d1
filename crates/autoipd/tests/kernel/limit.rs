//! How much may go wrong before the daemon slows down: RFC 3927 §2.2.1 and RFC 5227 §2.1.1.

use std::collections::BTreeSet;

use autoip_lab::{Peer, Switch};

use crate::station::{SOON, Station, lines_with, ms, s};

//= test LL-2.2.1-09
//= test LL-2.2.1-10
//= test ACD-1-01
//= test ACD-2.1.1-08
//= test LL-5-03
pub(crate) fn no_probe_follows_ten_conflicts() {
    let switch = Switch::new();
    let denier = Peer::new(&switch);
    denier.deny_everything(true);
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0");
    let tried: BTreeSet<_> = (0..10).map(|_| station.expect_probe().arp.target_ip).collect();
    assert_eq!(tried.len(), 10, "each attempt is a new address: {tried:?}");
    station.expect_none("it goes on", s(15), |_| true);
    let mac = denier.mac().to_string();
    daemon.wait_log(SOON, |line| line.contains(&mac) && line.contains("denies every address"));
    daemon.wait_log(SOON, |line| line.contains("no address for now; trying another one in"));
    station.assert_clean();
}

//= test ACD-2.1.1-09
pub(crate) fn conflicts_over_used_addresses_count_too() {
    let switch = Switch::new();
    let rival = Peer::new(&switch);
    let (mut station, daemon) = Station::with_daemon(&switch, "-i eth0 -d --timing fast");
    for _ in 0..10 {
        let announced = station
            .wire
            .expect("announcement", SOON, |seen| seen.is_from_host() && seen.is_announcement());
        rival.announce(announced.arp.sender_ip);
        station.expect_removal(announced.arp.sender_ip);
    }
    daemon.wait_log(SOON, |line| line.contains("no address for now; trying another one in"));
    // Whoever forges conflicts must not fill the log.
    assert_eq!(lines_with(&daemon, "insists on"), 5);
    assert_eq!(lines_with(&daemon, "the last conflict that is reported within the hour"), 1);
    station.wire.skip_to_end();
    station.expect_none("it goes on", s(5) + ms(500), |_| true);
    station.assert_clean();
}
