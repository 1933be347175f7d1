//! What the scripts of other programs are told. They configure the interface: each event is an
//! errand that the daemon waits for.

use autoip_core::Loss;

use crate::notice::{Notice, What};
use crate::runner::{Errand, Job};

/// What avahi-autoipd's action script is told: three arguments, and no variable.
pub(super) fn avahi(notice: &Notice) -> Option<Job> {
    let event = match wish(notice.what)? {
        Wish::There => "BIND",
        Wish::Gone(Loss::Conflict) => "CONFLICT",
        Wish::Gone(Loss::Stopped) => "STOP",
        Wish::Gone(
            Loss::Carrier
            | Loss::MacChanged
            | Loss::Retired
            | Loss::Deleted
            | Loss::OutOfRange
            | Loss::Released,
        ) => "UNBIND",
    };
    let addr = notice.addr?.to_string();
    let args = vec![event.to_owned(), notice.interface.clone(), addr];
    errand(notice, Job::new(&notice.interface, args))
}

/// What zcip's script is told: one argument, and two variables.
pub(super) fn zcip(notice: &Notice) -> Option<Job> {
    let event = match wish(notice.what)? {
        Wish::There => "config",
        Wish::Gone(_) => "deconfig",
    };
    let mut job = Job::new(&notice.interface, vec![event.to_owned()]);
    job.set("interface", &notice.interface);
    job.set("ip", notice.addr?);
    errand(notice, job)
}

/// What a script is to do about the address.
enum Wish {
    There,
    Gone(Loss),
}

fn wish(what: What) -> Option<Wish> {
    match what {
        What::Wanted => Some(Wish::There),
        What::Unwanted(loss) => Some(Wish::Gone(loss)),
        What::Acquired
        | What::Restored
        | What::Lost(_)
        | What::Conflict(_)
        | What::State(_)
        | What::Stopped => None,
    }
}

fn errand(notice: &Notice, job: Job) -> Option<Job> {
    let wanted = notice.what == What::Wanted;
    let errand = Errand { index: notice.index, addr: notice.addr?, wanted };
    Some(Job { errand: Some(errand), ..job })
}
