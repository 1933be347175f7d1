//! Rules about single frames and addresses.

use autoip_core::LinkLocalAddr;
use autoip_wire::{MacAddr, Operation};

use super::ledger::Speech;
use super::{Fact, Verdict, View};
use crate::options::Replies;

/// Whatever a host sends is ARP of one of the known forms, from its own address, to everybody.
//= test LL-1.2-01
//= test LL-1.2-02
//= test LL-1.2-03
//= test LL-1.2-05
//= test ACD-3-01
pub(super) fn format(view: &View<'_>) -> Verdict {
    let Fact::Sent(frame) = view.fact else { return Ok(()) };
    let Some((ethernet, packet)) = frame.arp else {
        return Err(format!("{} bytes that are not ARP", frame.bytes.len()));
    };
    let mac = view.ledger.mac();
    if packet.sender_mac != mac || ethernet.source != mac {
        return Err(format!("sender {} instead of {mac}", packet.sender_mac));
    }
    let is_request = packet.operation == Operation::Request;
    let may_be_unicast = view.terms.replies == Replies::Unicast && !is_request;
    if !ethernet.destination.is_broadcast() && !may_be_unicast {
        return Err(format!("sent to {} instead of everybody", ethernet.destination));
    }
    match Speech::of(&packet) {
        Speech::Probe(_) | Speech::Announcement(_) if !is_request => {
            Err("a reply instead of a request".to_owned())
        }
        Speech::Probe(_) | Speech::Announcement(_) if packet.target_mac != MacAddr::ZERO => {
            Err(format!("target hardware address {} instead of none", packet.target_mac))
        }
        Speech::Probe(_) | Speech::Announcement(_) | Speech::Other => Ok(()),
    }
}

/// Nobody tries, takes or uses an address outside 169.254.1.0 to 169.254.254.255.
//= test LL-2.1-02
//= test LL-8-01
pub(super) fn legal_address(view: &View<'_>) -> Verdict {
    let is_legal = |addr| match LinkLocalAddr::new(addr) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{addr} is reserved")),
    };
    if let Fact::Placed(addr) = view.fact {
        return is_legal(addr);
    }
    let Fact::Sent(frame) = view.fact else { return Ok(()) };
    match frame.arp.map(|(_, packet)| Speech::of(&packet)) {
        Some(Speech::Probe(addr) | Speech::Announcement(addr)) => is_legal(addr),
        Some(Speech::Other) | None => Ok(()),
    }
}

/// No ARP bears an address as its sender that is not on the interface, or whose claim has ended;
/// which addresses get there is the business of the rules about claims.
//= test LL-2.2-02
//= test LL-2.2-03
//= test DNA-2.3-03
pub(super) fn silent_before_claim(view: &View<'_>) -> Verdict {
    let Fact::Sent(frame) = view.fact else { return Ok(()) };
    let Some((_, packet)) = frame.arp else { return Ok(()) };
    let sender = packet.sender_ip;
    if sender.is_unspecified() || (view.ledger.addr() == Some(sender) && !view.ledger.is_stale) {
        return Ok(());
    }
    match view.ledger.addr() {
        Some(addr) if addr == sender => Err(format!("speaks as {sender} after its link was gone")),
        Some(addr) => Err(format!("speaks as {sender} and has {addr}")),
        None => Err(format!("speaks as {sender} and has no address")),
    }
}
