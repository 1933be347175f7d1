//! Rules about an address in use.

use std::net::Ipv4Addr;

use super::ledger::Speech;
use super::number::{ANNOUNCEMENTS, BETWEEN_ANNOUNCEMENTS, BETWEEN_DEFENCES, DEFENCE_WITHIN};
use super::{Fact, Verdict, View};

/// The address in use that a fact announces.
fn announcement(view: &View<'_>) -> Option<Ipv4Addr> {
    let Fact::Sent(frame) = view.fact else { return None };
    let (_, packet) = frame.arp?;
    match Speech::of(&packet) {
        Speech::Announcement(addr) if view.ledger.addr() == Some(addr) => Some(addr),
        Speech::Announcement(_) | Speech::Probe(_) | Speech::Other => None,
    }
}

/// A claimed address is announced at once and again after 2 s, as often as the timing says.
//= test LL-2.4-01
//= test LL-2.4-02
//= test LL-9-06
//= test LL-9-07
//= test ACD-2.3-01
pub(super) fn announcements(view: &View<'_>) -> Verdict {
    let ledger = view.ledger;
    let (Some(addr), Some(placed_at)) = (ledger.addr(), ledger.placed_at) else { return Ok(()) };
    if ledger.is_loose || ledger.announcements >= ANNOUNCEMENTS {
        return Ok(());
    }
    let due = match ledger.announced_at {
        None => placed_at + view.terms.slack,
        Some(last) => last + view.terms.longest(BETWEEN_ANNOUNCEMENTS),
    };
    if view.now > due {
        return Err(format!("{addr} should have been announced at {due}"));
    }
    Ok(())
}

/// An address in use is neither announced nor probed for again without a reason.
//= test LL-4-01
//= test LL-2.2-04
//= test ACD-2.1-03
pub(super) fn no_periodic_arp(view: &View<'_>) -> Verdict {
    let ledger = view.ledger;
    if let Some(addr) = announcement(view) {
        let regular = u16::from(ANNOUNCEMENTS);
        if ledger.announced >= regular + ledger.late_conflicts {
            return Err(format!("announces {addr} for no reason"));
        }
        let is_due = ledger.is_loose || ledger.is_regular(view.now, view.terms);
        // A conflict may have come before others deleted the address and be read after it is back.
        let is_read_late = !view.terms.slack.is_zero()
            && ledger
                .reason_at
                .is_some_and(|at| view.now <= at + view.terms.longest(DEFENCE_WITHIN));
        if !is_due && ledger.owed_by.is_none() && !is_read_late {
            return Err(format!("announces {addr} at an odd time"));
        }
    }
    let Fact::Sent(frame) = view.fact else { return Ok(()) };
    match frame.arp.map(|(_, packet)| Speech::of(&packet)) {
        Some(Speech::Probe(addr)) if ledger.addr() == Some(addr) => {
            if ledger.second_probes >= view.terms.numbers.second_probes {
                return Err(format!("probes for {addr}, which it has"));
            }
            Ok(())
        }
        Some(Speech::Probe(_) | Speech::Announcement(_) | Speech::Other) | None => Ok(()),
    }
}

/// Two defences of an address are at least DEFEND_INTERVAL apart.
//= test LL-2.5-05
//= test LL-9-10
//= test ACD-1.3-02
pub(super) fn defence_interval(view: &View<'_>) -> Verdict {
    let ledger = view.ledger;
    let defence =
        announcement(view).filter(|_| !ledger.is_loose && !ledger.is_regular(view.now, view.terms));
    let last = ledger.defended.filter(|&(addr, _)| Some(addr) == defence);
    let Some((addr, last)) = last else { return Ok(()) };
    let gap = view.now - last;
    if gap + view.terms.slack < view.terms.shortest(BETWEEN_DEFENCES) {
        return Err(format!("defends {addr} {gap:?} after the last time"));
    }
    Ok(())
}

/// Every conflict over an address in use is answered, by a defence or by giving the address up.
//= test LL-2.5-02
//= test LL-2.5-03
//= test ACD-2.4-02
//= test ACD-2.4-12
pub(super) fn answers_conflicts(view: &View<'_>) -> Verdict {
    match (view.ledger.addr(), view.ledger.owed_by) {
        (Some(addr), Some(due)) if view.now > due => {
            Err(format!("a conflict over {addr} should have been answered by {due}"))
        }
        _ => Ok(()),
    }
}

/// After a second conflict within DEFEND_INTERVAL the address is gone at once.
//= test LL-2.5-07
//= test ACD-2.4-05
pub(super) fn cedes_at_second_conflict(view: &View<'_>) -> Verdict {
    match (view.ledger.addr(), view.ledger.gone_by) {
        (Some(addr), Some(due)) if view.now > due => {
            Err(format!("{addr} should have been given up at {due}"))
        }
        _ => Ok(()),
    }
}
