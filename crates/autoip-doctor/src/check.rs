//! The judgements: each file is about one noun, each check a function from the facts to findings.
//!
//! A check looks at nothing but the facts, and is silent about a healthy host.

mod answering;
mod default_route;
mod foreign_address;
mod forwarding;
mod guard;
mod link;
mod manager;
mod on_link;
mod ours;
mod refusal;
mod resolver;
mod reverse_path;
mod subnet;
mod unseen;
mod usable;

use crate::Finding;
use crate::facts::Facts;

const CHECKS: [fn(&Facts) -> Vec<Finding>; 23] = [
    usable::unusable_interface,
    manager::other_manager,
    on_link::no_on_link_route,
    on_link::router_for_link_local,
    refusal::refused_route,
    default_route::default_route,
    subnet::narrow_subnet,
    foreign_address::foreign_address,
    forwarding::forwarding,
    forwarding::proxy_arp,
    reverse_path::rp_filter,
    answering::arp_ignore,
    answering::arp_announce,
    answering::arp_notify,
    guard::guard,
    link::one_link,
    link::address_conflict,
    link::answers_for_all,
    on_link::which_interface,
    resolver::resolver_leak,
    ours::numbers,
    ours::earlier_rule,
    unseen::could_not_look,
];

/// Everything that is to be said about these facts.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}
