//! Frames in the log, for those who asked for every one.

use autoip_wire::ArpPacket;
use tracing::trace;

/// Writes a frame into the log, in words where it is ARP.
pub(super) fn trace_frame(interface: &str, verb: &str, frame: &[u8]) {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    match ArpPacket::parse(frame) {
        Ok((ethernet, packet)) => trace!(
            interface,
            "{verb} {:?} sender {} {} target {} in a frame from {} to {}",
            packet.operation,
            packet.sender_ip,
            packet.sender_mac,
            packet.target_ip,
            ethernet.source,
            ethernet.destination,
        ),
        Err(error) => trace!(interface, "{verb} {} bytes: {error}", frame.len()),
    }
}
