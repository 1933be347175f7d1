//! What an engine counts. Counters only grow and wrap at 2³².

/// Numbers of things that happened on one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Probes made, those that could not be sent included.
    pub probes: u32,
    /// Announcements made, those that could not be sent included, defences not.
    pub announcements: u32,
    /// Defences made, those that could not be sent included.
    pub defences: u32,
    /// Candidates found in use.
    pub conflicts_in_use: u32,
    /// Candidates that somebody else was probing for.
    pub conflicts_competing: u32,
    /// Conflicts over an address after it had been claimed.
    pub conflicts_late: u32,
    /// Addresses given up because of conflicts.
    pub ceded: u32,
    /// Own packets that came back.
    pub echoes: u32,
    /// Zero-sender requests that were sent to this host alone.
    pub unicast_probes: u32,
    /// Frames that were not ARP requests or replies for IPv4 over Ethernet.
    pub frames_refused: u32,
    /// Frames that could not be sent.
    pub transmit_failures: u32,
}

/// Adds one.
pub(crate) fn bump(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}
