//! A cable between a switch and a host, a peer or another switch.

use std::thread;
use std::time::{Duration, Instant};

use autoip_linux::PacketSocket;
use autoip_linux::rtnl::Link;
use autoip_wire::MacAddr;

use crate::device::{End, add_cable, fresh_number};
use crate::recording::Recording;
use crate::seen::Seen;
use crate::switch::{BRIDGE, Switch};

/// The operational state "up" of RFC 2863, as the kernel counts.
const OPERSTATE_UP: u8 = 6;

/// How long the kernel may take to notice that a carrier has come or gone: milliseconds, in truth,
/// but on a machine that is busy with other interfaces seconds.
const CARRIER_LIMIT: Duration = Duration::from_secs(10);

/// A cable that is plugged into a switch. Its far end is in a host, in a peer or in a second
/// switch; for a recording, whatever is there counts as the host.
///
/// The cable stays where it is when this handle is dropped, and goes with what it connects.
#[derive(Debug)]
pub struct Cable {
    port: End,
    far: End,
}

impl Cable {
    /// Lays a cable from a new port of `switch` to `far`, with both ends up.
    #[track_caller]
    pub(crate) fn new(switch: &Switch, far: End, far_mac: Option<MacAddr>) -> Self {
        let port = End::new(switch.namespace(), format!("port{}", fresh_number()));
        add_cable(&port, &far, far_mac);
        port.namespace.add_port(&port.name, BRIDGE);
        let cable = Self { port, far };
        cable.port.namespace.set_up(&cable.port.name, true);
        cable.far.namespace.set_up(&cable.far.name, true);
        cable.wait_for_carrier();
        cable
    }

    /// Lays a cable from `switch` to a new port of `other`.
    #[track_caller]
    pub(crate) fn between(switch: &Switch, other: &Switch) -> Self {
        let far = End::new(other.namespace(), format!("port{}", fresh_number()));
        let cable = Self::new(switch, far, None);
        cable.far.namespace.add_port(&cable.far.name, BRIDGE);
        cable.wait_for_carrier();
        cable
    }

    /// Pulls the plug at the switch: the host loses its carrier, and knows it when this returns.
    #[track_caller]
    pub fn pull(&self) {
        self.port.namespace.set_up(&self.port.name, false);
        // Else `put_back` could take the old carrier, not yet taken note of, for the new one.
        wait_until("the end of the carrier", || {
            self.far.link().is_none_or(|link| link.operstate != OPERSTATE_UP)
        });
    }

    /// Puts the plug back. Frames pass when this returns, if the far end is set up.
    #[track_caller]
    pub fn put_back(&self) {
        self.port.namespace.set_up(&self.port.name, true);
        self.wait_for_carrier();
    }

    /// Whether the switch sends the host's own frames back to it, as some access points and
    /// virtual machine hosts do.
    #[track_caller]
    pub fn set_hairpin(&self, on: bool) {
        self.port.namespace.set_hairpin(&self.port.name, on);
    }

    /// Pulls the plug and puts it into a new port of another switch. A recording of this
    /// cable ends.
    #[track_caller]
    pub fn move_to(&mut self, switch: &Switch) {
        let to = switch.namespace();
        self.pull();
        self.port.namespace.move_interface(&self.port.name, to);
        self.port = End::new(to, &*self.port.name);
        to.add_port(&self.port.name, BRIDGE);
        self.put_back();
    }

    /// Starts to record the ARP frames that go over the cable.
    #[must_use]
    #[track_caller]
    pub fn capture(&self) -> Recording<Seen> {
        let name = format!("the cable to {}", self.far.namespace.name());
        Recording::of_cable(name, self.tap())
    }

    /// A socket at the switch's end that sees every frame of the cable, ARP or not. What the host
    /// sends comes in there, and what it is sent goes out.
    #[must_use]
    #[track_caller]
    pub fn tap(&self) -> PacketSocket {
        let index = self.port.namespace.index(&self.port.name);
        let tap = self.port.namespace.run(|| PacketSocket::tap(index));
        tap.unwrap_or_else(|error| panic!("no tap on a cable: {error}"))
    }

    /// Waits until the kernel has taken in that both ends are up. It does that a little after
    /// the second end was set up, and drops what is sent before.
    #[track_caller]
    fn wait_for_carrier(&self) {
        if self.far.link().is_none_or(|link| !link.up) {
            return;
        }
        wait_until("the carrier", || {
            [&self.port, &self.far].iter().all(|end| end.link().is_some_and(|link| carries(&link)))
        });
        // The kernel reports the carrier from within the work that lets frames pass; a change
        // of the interface has to wait until that work is done.
        self.port.namespace.set_up(&self.port.name, true);
    }
}

/// Whether the kernel has found a carrier; it judges an interface that it has not looked at yet
/// as unknown.
fn carries(link: &Link) -> bool {
    link.lower_up && link.operstate == OPERSTATE_UP
}

#[track_caller]
fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + CARRIER_LIMIT;
    while !reached() {
        assert!(Instant::now() < deadline, "{what} did not come within {CARRIER_LIMIT:?}");
        thread::sleep(Duration::from_micros(200));
    }
}
