//! Monitor: what it tells against what happens.

use autoip_control::{Event, Loss, State};
use autoip_lab::{Peer, Switch};

use crate::controlled::Controlled;
use crate::station::{QUICK, X};

//= test LL-6.1-02
pub(crate) fn events_come_in_the_order_of_what_happens() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, QUICK);
    let mut events = controlled.monitor(None);
    let mut next = || events.next().unwrap().unwrap();
    // The first tells where things stand, whatever that is by now.
    assert!(matches!(next(), Event::StateChanged(_)));
    let acquired = loop {
        let event = next();
        if let Event::AddressAcquired(acquired) = event {
            break acquired;
        }
        assert!(
            matches!(&event, Event::StateChanged(to) if to.state == State::Probing),
            "{event:?}"
        );
    };
    assert_eq!((acquired.addr, acquired.interface.as_str()), (X, "eth0"));
    assert_eq!(acquired.alias.as_deref(), Some("eth0:9"));
    let Event::StateChanged(changed) = next() else { panic!("the state that follows") };
    assert!(matches!(changed.state, State::Announcing | State::Configured), "{changed:?}");

    controlled.station.wire.skip_to_end();
    peer.announce(X);
    let conflict = loop {
        let event = next();
        if let Event::Conflict(conflict) = event {
            break conflict;
        }
        let calm = |it: &Event| matches!(it, Event::StateChanged(to) if to.state != State::Idle);
        assert!(calm(&event), "{event:?}");
    };
    assert_eq!((conflict.addr, conflict.mac.clone()), (X, peer.mac().to_string()));
    assert!(conflict.packet.is_some());
    let Event::StateChanged(changed) = next() else { panic!("the state that follows") };
    assert_eq!((changed.state, changed.state_number), (State::Defending, 4));
    let defence = controlled.station.expect_announcement(X);
    let wall = autoip_linux::realtime() - (autoip_linux::boottime() - defence.at);
    let lead = i64::try_from(wall.as_millis()).unwrap() - conflict.time;
    assert!((-20..1000).contains(&lead), "the conflict came {lead} ms before its defence");

    controlled.station.cable.pull();
    let lost = loop {
        let event = next();
        if let Event::AddressLost(lost) = event {
            break lost;
        }
        // On a busy machine the conflict is long over.
        let calm =
            |it: &Event| matches!(it, Event::StateChanged(to) if to.state == State::Configured);
        assert!(calm(&event), "{event:?}");
    };
    assert_eq!((lost.addr, lost.loss, lost.alias.as_deref()), (X, Loss::Carrier, Some("eth0:9")));
    let Event::StateChanged(changed) = next() else { panic!("the state that follows") };
    assert_eq!((changed.state, changed.addr), (State::Idle, None));

    controlled.station.host.delete("eth0");
    let Event::InterfaceRemoved(removed) = next() else { panic!("the end of the interface") };
    assert_eq!(removed.interface, "eth0");
}

pub(crate) fn a_conflict_is_told_before_the_loss_that_it_led_to() {
    let switch = Switch::new();
    let peer = Peer::new(&switch);
    let mut controlled = Controlled::new(&switch, &format!("{QUICK} -d"));
    controlled.station.expect_announcement(X);
    let mut events = controlled.monitor(None);
    let mut next = || events.next().unwrap().unwrap();
    assert!(matches!(next(), Event::StateChanged(_)), "where things stand");
    peer.announce(X);
    let conflict = loop {
        let event = next();
        if let Event::Conflict(conflict) = event {
            break conflict;
        }
        let calm = |it: &Event| matches!(it, Event::StateChanged(to) if to.state != State::Probing);
        assert!(calm(&event), "{event:?}");
    };
    let Event::AddressLost(lost) = next() else { panic!("what the conflict led to") };
    assert_eq!((lost.addr, lost.loss), (X, Loss::Conflict));
    assert_eq!((conflict.addr, conflict.mac), (X, peer.mac().to_string()));
    let Event::StateChanged(changed) = next() else { panic!("the state that follows") };
    assert_eq!(changed.state, State::Probing);
    let times = [conflict.time, lost.time, changed.time];
    assert!(times.is_sorted(), "{times:?}");
}

pub(crate) fn interfaces_can_be_watched_alone() {
    let switch = Switch::new();
    let mut controlled = Controlled::new(&switch, &format!("{QUICK} -i eth1"));
    let mut quiet = controlled.monitor(Some("eth1"));
    let Event::StateChanged(changed) = quiet.next().unwrap().unwrap() else { panic!("a state") };
    assert_eq!((changed.interface.as_str(), changed.state), ("eth1", State::Idle));
    controlled.station.expect_announcement(X);
    controlled.station.host.connect(&switch, "eth1");
    loop {
        let event = quiet.next().unwrap().unwrap();
        if let Event::AddressAcquired(acquired) = event {
            assert_eq!(acquired.interface, "eth1");
            break;
        }
        assert!(matches!(&event, Event::StateChanged(to) if to.interface == "eth1"), "{event:?}");
    }
}
