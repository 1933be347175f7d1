//! The filter of the socket that finds out which interfaces of this host are on one link.
//!
//! It passes probes and announcements that one interface sent and another one received. Forged
//! frames pass as well; what follows from one is for the daemon to keep small.

use autoip_wire::MacAddr;
use libc::{
    BPF_H, BPF_IMM, BPF_JA, BPF_JEQ, BPF_JMP, BPF_LD, BPF_MEM, BPF_MISC, BPF_ST, BPF_TAX, BPF_TXA,
    BPF_W, BPF_X, SKF_AD_IFINDEX, sock_filter,
};

use super::{
    ACCEPT, REJECT, SENDER_IP_OFFSET, TARGET_IP_OFFSET, load, load_ancillary, short, skip_if,
    statement, well_formed,
};
use crate::IfIndex;

/// An interface whose frames are looked for on the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub index: IfIndex,
    /// What it sends from. No two ports have the same.
    pub mac: MacAddr,
}

const SENDER_MAC_OFFSET: u32 = 22;

/// The kernel takes no longer program (BPF_MAXINSNS).
const INSTRUCTIONS_MAX: usize = 4096;
const HEAD_LEN: usize = 16 + 11;
const PORT_LEN: usize = 6;
const END_LEN: usize = 6;

/// How many ports fit into one program.
pub const SIBLINGS_MAX: usize = (INSTRUCTIONS_MAX - HEAD_LEN - END_LEN) / PORT_LEN;

/// The program for these ports; those beyond [`SIBLINGS_MAX`] are left out.
///
/// A port costs six instructions of the plainest kind, because the kernel counts what it makes of
/// them against a limit for the socket (net.core.optmem_max), which is low before Linux 6.7.
pub(crate) fn program(ports: &[Port]) -> Vec<sock_filter> {
    let ports = ports.get(..SIBLINGS_MAX).unwrap_or(ports);
    let mut program = well_formed().to_vec();
    program.extend([
        // A probe has no sender address, an announcement is about its sender.
        load(BPF_W, SENDER_IP_OFFSET),
        skip_if(0, 4, 0),
        statement(BPF_MISC | BPF_TAX, 0),
        load(BPF_W, TARGET_IP_OFFSET),
        skip_if_x(1),
        REJECT,
        // The sender's MAC address: the first four bytes in A and in M[0], the last two in X.
        load(BPF_H, SENDER_MAC_OFFSET + 4),
        statement(BPF_MISC | BPF_TAX, 0),
        load(BPF_W, SENDER_MAC_OFFSET),
        statement(BPF_ST, 0),
        load_kept(),
    ]);
    for (position, port) in ports.iter().enumerate() {
        let [a, b, c, d, e, f] = port.mac.octets();
        // From the last but one of this port to the one after the REJECT behind the last port.
        let to_end = (ports.len() - position - 1) * PORT_LEN + 2;
        program.extend([
            skip_if(u32::from_be_bytes([a, b, c, d]), 0, 5),
            statement(BPF_MISC | BPF_TXA, 0),
            skip_if(u32::from_be_bytes([0, 0, e, f]), 0, 2),
            statement(BPF_LD | BPF_IMM, port.index.get()),
            statement(BPF_JMP | BPF_JA, u32::try_from(to_end).unwrap_or(0)),
            load_kept(),
        ]);
    }
    program.extend([
        REJECT,
        // A is the interface that sent it. What comes back to its sender is an echo.
        statement(BPF_MISC | BPF_TAX, 0),
        load_ancillary(SKF_AD_IFINDEX),
        sock_filter { jt: 0, jf: 1, ..skip_if_x(0) },
        REJECT,
        ACCEPT,
    ]);
    program
}

const fn load_kept() -> sock_filter {
    statement(BPF_LD | BPF_MEM, 0)
}

/// Skips `then` instructions when the loaded value is that in X.
const fn skip_if_x(then: u8) -> sock_filter {
    sock_filter { code: short(BPF_JMP | BPF_JEQ | BPF_X), jt: then, jf: 0, k: 0 }
}

#[cfg(test)]
mod tests;
