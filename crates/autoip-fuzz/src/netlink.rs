//! Datagrams of the kernel: notifications, acknowledgements and lists.

use autoip_linux::{fuzzing, rtnl};

/// The least that a message of netlink takes.
const MESSAGE_LEN: usize = 16;

/// Notifications of links, addresses, routes and rules.
pub fn rtnl(datagram: &[u8]) {
    let events = rtnl::decode(datagram);
    assert!(events.len() <= datagram.len() / MESSAGE_LEN, "{} events", events.len());
}

/// Acknowledgements and rules of nf_tables.
pub fn nft(datagram: &[u8]) {
    let (errors, counters) = fuzzing::nft_answers(datagram);
    assert!(errors.len() <= datagram.len() / MESSAGE_LEN, "{} errors", errors.len());
    assert!(errors.iter().all(|error| error.raw_os_error().is_some_and(|number| number != 0)));
    assert!(counters.len() <= datagram.len() / MESSAGE_LEN, "{} counters", counters.len());
}

/// A list of sockets.
pub fn sock_diag(datagram: &[u8]) {
    let sockets = fuzzing::sockets(datagram);
    assert!(sockets.len() <= datagram.len() / MESSAGE_LEN, "{} sockets", sockets.len());
}
