//! What goes wrong when: drawn before a run begins, so that nothing that happens in it changes
//! what else happens.

use std::time::Duration;

use crate::clock::SimTime;
use crate::net::Net;
use crate::queue::{Alarm, Fault};
use crate::stream::{Purpose, Stream};

/// Schedules power-on and all faults of the hosts, and what everybody's applications do.
pub(crate) fn schedule(net: &mut Net, hosts: u32, nodes: u32) {
    let options = net.options.clone();
    let spread = Duration::from_millis(options.spread_ms.into());
    for host in 0..hosts {
        let mut stream = Stream::new(net.seed, Purpose::Faults, host.into(), 0);
        let at = SimTime::START + stream.up_to(spread);
        net.wake(host, at, Alarm::PowerOn);
        let pairs = [
            (options.flap_s, Fault::Unplug, Some(Fault::Plug)),
            (options.suspend_s, Fault::Suspend, Some(Fault::Resume)),
            (options.stop_s, Fault::Stop, Some(Fault::Start)),
            (options.mac_s, Fault::NewMac, None),
            (options.delete_s, Fault::Delete, None),
        ];
        for (mean_s, fault, end) in pairs {
            repeat(net, host, &mut stream, mean_s, fault, end);
        }
    }
    for node in 0..nodes {
        let mut stream = Stream::new(net.seed, Purpose::Faults, node.into(), 1);
        repeat(net, node, &mut stream, options.talk_s, Fault::Talk, None);
    }
}

/// Schedules a fault again and again, and after each one its end, some time later.
fn repeat(
    net: &mut Net,
    node: u32,
    stream: &mut Stream,
    mean_s: u32,
    fault: Fault,
    end: Option<Fault>,
) {
    if mean_s == 0 {
        return;
    }
    let longest = Duration::from_secs(u64::from(mean_s) * 2);
    let last = SimTime::START + net.options.chaos();
    let mut at = SimTime::START + stream.up_to(longest);
    while at < last {
        net.wake(node, at, Alarm::Fault(fault));
        if let Some(end) = end {
            // Often over in a moment, sometimes not for long.
            let most = stream.pick(&[10, 900, 5000, 40_000]);
            at = at + stream.up_to(Duration::from_millis(most));
            net.wake(node, at, Alarm::Fault(end));
        }
        at = at + stream.up_to(longest);
    }
}

/// When the link splits or is joined again, and into how many parts.
pub(crate) fn splits(net: &Net) -> Vec<(SimTime, u8)> {
    let mean_s = net.options.split_s;
    let mut stream = Stream::new(net.seed, Purpose::Faults, 0, 2);
    let last = SimTime::START + net.options.chaos();
    let longest = Duration::from_secs(u64::from(mean_s) * 2);
    let mut found = Vec::new();
    if mean_s > 0 {
        let mut at = SimTime::START + stream.up_to(longest);
        while at < last {
            found.push((at, stream.pick(&[1, 2, 2, 3])));
            at = at + stream.up_to(longest);
        }
    }
    found
}
