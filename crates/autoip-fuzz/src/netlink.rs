//! Datagrams of the kernel: notifications, acknowledgements and lists.

use autoip_linux::{IfIndex, fuzzing, rtnl};

/// The least that a message of netlink takes.
const MESSAGE_LEN: usize = 16;

/// Notifications of links, addresses, routes and rules, and lists of neighbours and settings.
pub fn rtnl(datagram: &[u8]) {
    let events = rtnl::decode(datagram);
    assert!(events.len() <= datagram.len() / MESSAGE_LEN, "{} events", events.len());
    let index = IfIndex::new(3).expect("not zero");
    let (neighbours, settings) = fuzzing::lists(datagram, index);
    assert!(
        neighbours.len() <= 2 * datagram.len() / MESSAGE_LEN,
        "{} neighbours",
        neighbours.len()
    );
    assert!(settings.len() <= datagram.len(), "{} settings", settings.len());
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
