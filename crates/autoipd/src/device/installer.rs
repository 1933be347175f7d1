//! Interfaces that a script configures: the script of avahi-autoipd or zcip puts the address on the
//! interface and takes it off, and the daemon sees to it that this is so.
//!
//! The claim goes on when the script is done: the address is announced only when the kernel has
//! it. What the script failed to do is done here. An address that is given up stays until the
//! script takes it off only where the guard's gate keeps it from being used meanwhile.

use autoip_core::{LinkLocalAddr, Loss};
use autoip_linux::boottime;
use tracing::info;

use super::{Device, Feedback};
use crate::edge::Edge;
use crate::guard::Tier;
use crate::marks;
use crate::notice::What;

impl Device {
    /// Asks the script to put `addr` on the interface.
    pub(super) fn ask_for(&mut self, edge: &mut Edge, addr: LinkLocalAddr) {
        self.leaving.remove(&addr);
        self.installed = Some(addr);
        self.pending = true;
        self.note(edge, Some(addr), What::Wanted);
    }

    /// Asks the script to take `addr` off. Returns whether it may stay until then.
    pub(super) fn ask_off(&mut self, edge: &mut Edge, addr: LinkLocalAddr, loss: Loss) -> bool {
        self.pending = false;
        self.note(edge, Some(addr), What::Unwanted(loss));
        let gated = edge.guard.tier() == Tier::Filter;
        if gated {
            self.leaving.insert(addr);
        }
        gated
    }

    /// The script has done what it was asked, or failed to.
    pub(crate) fn on_errand(&mut self, edge: &mut Edge, addr: LinkLocalAddr, wanted: bool) {
        if !wanted {
            self.leaving.remove(&addr);
            if self.installed != Some(addr) {
                self.take_off(edge, addr);
            }
        } else if self.installed == Some(addr) && self.pending {
            self.pending = false;
            if edge.host.has(self.index, addr.ip(), Some(marks::PREFIX_LEN)) {
                self.drive(edge, |engine| engine.installed(boottime()));
            } else {
                info!(interface = self.name, "the script has not put {addr} on; doing so");
                self.install_ourselves(edge, addr);
            }
        }
    }

    /// There is no script any longer: does itself what that was asked.
    pub(crate) fn take_over(&mut self, edge: &mut Edge) {
        while let Some(addr) = self.leaving.pop_first() {
            self.take_off(edge, addr);
        }
        if let Some(addr) = self.installed.filter(|_| self.pending) {
            self.on_errand(edge, addr, true);
        }
    }

    /// Leaves the address behind, for whoever it was configured for, and takes off everything else.
    pub(crate) fn leave(&mut self, edge: &mut Edge) {
        self.installed = None;
        self.in_use = false;
        self.set_situation(edge, false, None);
    }

    fn install_ourselves(&mut self, edge: &mut Edge, addr: LinkLocalAddr) {
        let feedback = self.put_on(edge, addr);
        let fine = matches!(feedback, Feedback::Installed);
        self.drive(edge, |engine| match fine {
            true => engine.installed(boottime()),
            false => engine.install_failed(boottime()),
        });
    }
}
