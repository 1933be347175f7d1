//! Rules about the way to an address.

use std::net::Ipv4Addr;

use super::ledger::Speech;
use super::number::{BETWEEN_CLAIMS, CONFLICTS};
use super::{Fact, Verdict, View};

/// The address that a fact probes for.
fn probe(view: &View<'_>) -> Option<Ipv4Addr> {
    let Fact::Sent(frame) = view.fact else { return None };
    let (_, packet) = frame.arp?;
    match Speech::of(&packet) {
        Speech::Probe(addr) => Some(addr),
        Speech::Announcement(_) | Speech::Other => None,
    }
}

/// The address whose claim a fact begins.
fn first_probe(view: &View<'_>) -> Option<Ipv4Addr> {
    probe(view).filter(|&addr| view.ledger.opens(addr))
}

/// The address that a fact takes into use after a claim; one that others had deleted and that is
/// back needs none.
fn claimed(view: &View<'_>) -> Option<Ipv4Addr> {
    let Fact::Placed(addr) = view.fact else { return None };
    (!view.ledger.is_restored).then_some(addr)
}

/// Probes for a candidate are as far apart as the timing says.
//= test LL-2.2.1-06
//= test LL-9-03
//= test LL-9-04
//= test ACD-2.1.1-03
pub(super) fn probe_spacing(view: &View<'_>) -> Verdict {
    let is_next = |&addr: &Ipv4Addr| !view.ledger.opens(addr) && view.ledger.addr().is_none();
    let Some(last) = probe(view).filter(is_next).and(view.ledger.last_probe_at) else {
        return Ok(());
    };
    let numbers = &view.terms.numbers;
    let gap = view.now - last;
    let shortest = view.terms.shortest(numbers.shortest_gap);
    let longest = view.terms.longest(numbers.longest_gap);
    if gap < shortest || (gap > longest && !view.ledger.is_loose) {
        return Err(format!("{gap:?} between two probes"));
    }
    Ok(())
}

/// An address is taken after exactly as many probes as the timing says, for this address.
//= test LL-2.2-01
//= test LL-9-02
//= test DNA-2.3-01
pub(super) fn probe_count(view: &View<'_>) -> Verdict {
    let Some(addr) = claimed(view) else { return Ok(()) };
    if view.ledger.candidate != Some(addr) || view.ledger.is_over {
        return Err(format!("takes {addr} and did not probe for it"));
    }
    let (probes, wanted) = (view.ledger.probes, view.terms.numbers.probes);
    if probes != wanted {
        return Err(format!("takes {addr} after {probes} probes instead of {wanted}"));
    }
    Ok(())
}

/// An address is taken no sooner than ANNOUNCE_WAIT after the last probe.
//= test LL-2.2.1-11
//= test LL-9-05
//= test ACD-2.1.1-10
pub(super) fn listens_to_the_end(view: &View<'_>) -> Verdict {
    let (Some(addr), Some(last)) = (claimed(view), view.ledger.last_probe_at) else {
        return Ok(());
    };
    let wait = view.now - last;
    if wait < view.terms.shortest(view.terms.numbers.listen) {
        return Err(format!("takes {addr} {wait:?} after the last probe"));
    }
    Ok(())
}

/// An address that somebody used or probed for meanwhile is not taken.
//= test LL-2.2.1-07
//= test LL-2.2.1-08
//= test ACD-2.1.1-04
//= test ACD-2.1.1-06
pub(super) fn heeds_what_it_hears(view: &View<'_>) -> Verdict {
    let (Fact::Placed(addr), Some(at)) = (view.fact, view.ledger.denied_at) else {
        return Ok(());
    };
    if view.ledger.candidate == Some(addr) && at + view.terms.slack < view.now {
        return Err(format!("takes {addr}, which was denied at {at}"));
    }
    Ok(())
}

/// After a denial it is another address's turn.
//= test LL-1.5-01
pub(super) fn another_candidate(view: &View<'_>) -> Verdict {
    // Where addresses are few, a host may come back to this one after others that it gave up before
    // it had sent a probe for them, which nobody can see.
    let addr = first_probe(view).filter(|_| view.terms.addresses > 1000);
    match addr {
        Some(addr) if view.ledger.denied == Some(addr) => {
            Err(format!("tries {addr} again, which was denied"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A host whose claim was interrupted by its link, its sleep or its owner comes back to its address
/// first, unless somebody else was heard about it.
//= test LL-2.1-07
pub(super) fn returns_to_its_address(view: &View<'_>) -> Verdict {
    // Among few addresses it may have got this one although it wanted to avoid it.
    let home = view.ledger.home.filter(|_| view.terms.addresses > 1000);
    match (first_probe(view), home) {
        (Some(addr), Some(home)) if addr != home => Err(format!("tries {addr} and had {home}")),
        _ => Ok(()),
    }
}

/// From the tenth conflict on, claims begin 60 s apart, whatever was bound meanwhile.
//= test LL-2.2.1-10
//= test LL-9-08
//= test LL-9-09
//= test ACD-2.1.1-08
//= test ACD-2.1.1-09
pub(super) fn rate_limit(view: &View<'_>) -> Verdict {
    let (Some(addr), Some(last)) = (first_probe(view), view.ledger.attempt_at) else {
        return Ok(());
    };
    let gap = view.ledger.begins_at(view.now, addr) - last;
    let conflicts = view.ledger.conflicts(view.now);
    if conflicts >= CONFLICTS && gap < view.terms.shortest(BETWEEN_CLAIMS) {
        return Err(format!("tries {addr} {gap:?} after the last, with {conflicts} conflicts"));
    }
    Ok(())
}

/// Whether a fact gives something up for which there was no reason.
fn gives_up_for_nothing(view: &View<'_>) -> bool {
    let ledger = view.ledger;
    if let Fact::TakenOff = view.fact {
        return ledger.reason_at.is_none_or(|at| at + view.terms.slack < view.now);
    }
    let has_reason = ledger.is_over || ledger.may_be_over || ledger.is_restored;
    first_probe(view).is_some() && !has_reason
}

/// Its own frames, come back, make a host give nothing up.
//= test ACD-2.1.1-07
//= test LL-3.4-02
pub(super) fn no_conflict_with_itself(view: &View<'_>) -> Verdict {
    if view.ledger.echo_at.is_some() && gives_up_for_nothing(view) {
        return Err("gives an address up after its own frame came back".to_owned());
    }
    Ok(())
}

/// Without a conflict a host gives nothing up; probes for an address in use are none.
//= test LL-2.5-01
//= test ACD-2.5-02
pub(super) fn no_conflict_from_nothing(view: &View<'_>) -> Verdict {
    if view.ledger.echo_at.is_none() && gives_up_for_nothing(view) {
        return Err("gives an address up and nobody contradicted".to_owned());
    }
    Ok(())
}
