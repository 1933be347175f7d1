//! All of the looking: fills the facts, and judges none of them.
//!
//! What is refused goes into the list of what could not be seen; only a kernel that does not
//! even list its interfaces ends the examination.

mod ask;
mod files;
mod kernel;
mod probe;
mod program;

pub(crate) use files::Files;

use autoip_linux::rtnl::Rtnl;

use crate::facts::{Facts, Unseen};
use crate::{Error, Request};

/// Finds out everything that the checks want to know.
pub(crate) fn gather(request: &Request) -> Result<Facts, Error> {
    let mut rtnl = Rtnl::open().map_err(Error::Kernel)?;
    let mut unseen = Vec::new();
    let interfaces = kernel::interfaces(&mut rtnl, request, &mut unseen)?;
    let routes = kernel::routes(&mut rtnl, &interfaces, &mut unseen);
    let refusals = seen(rtnl.refusals(), "the routes that lead nowhere", &mut unseen);
    let rules = seen(rtnl.rules(), "the routing rules", &mut unseen);
    let neighbours = seen(rtnl.arp_table(), "the neighbours", &mut unseen);

    let mut files = Files::below(request.root.clone());
    let programs = program::of_interest(&mut unseen);
    let managers = program::managers(&programs, &interfaces, &mut files, &mut unseen);
    let mut resolver = crate::resolver::conclude(&programs, &mut files);
    unseen.extend(files.into_unseen());
    if request.ask_resolver && !resolver.stopped {
        ask::ask(&mut resolver.servers);
    }

    let probed =
        if request.probe { probe::probe(&interfaces, &mut unseen) } else { Default::default() };
    let tier = request.daemon.as_ref().map(|daemon| daemon.tier);
    Ok(Facts {
        interfaces,
        routes,
        refusals,
        rules,
        neighbours,
        managers,
        tier,
        resolver,
        probed,
        unseen,
    })
}

/// A list, or nothing and a note of it.
fn seen<T>(result: autoip_linux::Result<Vec<T>>, what: &str, unseen: &mut Vec<Unseen>) -> Vec<T> {
    result.unwrap_or_else(|error| {
        unseen.push(refused(None, what, &error));
        Vec::new()
    })
}

fn refused(interface: Option<&str>, what: &str, error: &autoip_linux::Error) -> Unseen {
    let remedy = if error.is_permission() {
        "Run the doctor as root."
    } else {
        "Mend what the kernel complains about, and examine again."
    };
    Unseen {
        interface: interface.map(str::to_owned),
        what: what.to_owned(),
        why: error.to_string(),
        remedy: remedy.to_owned(),
    }
}
