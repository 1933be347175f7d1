//! The programs, run by a small interpreter; `tests/kernel.rs` runs them in the kernel.

use super::*;
use autoip_wire::MacAddr;
use libc::{BPF_IMM, BPF_JA, BPF_MEM, BPF_MISC, BPF_ST, BPF_TAX, BPF_TXA, BPF_X, SKF_AD_IFINDEX};
use proptest::prelude::*;

const OURS: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 9);
const OTHER: Ipv4Addr = Ipv4Addr::new(169, 254, 9, 7);
const ZERO: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// What the kernel knows of a frame beside its bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Ancillary {
    pub(in crate::filter) packet_type: u8,
    pub(in crate::filter) vlan_tag: u16,
    pub(in crate::filter) index: u32,
}

fn passes(filter: ArpFilter, frame: &[u8], ancillary: Ancillary) -> bool {
    accepts(&program(filter), frame, ancillary)
}

pub(super) fn accepts(program: &[sock_filter], frame: &[u8], ancillary: Ancillary) -> bool {
    let (mut loaded, mut other, mut kept) = (0u32, 0u32, 0u32);
    let mut at = 0;
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            code if code == BPF_LD | BPF_IMM => loaded = k,
            code if code == BPF_LD | BPF_MEM => loaded = kept,
            code if code == BPF_ST => kept = loaded,
            code if code == BPF_MISC | BPF_TAX => other = loaded,
            code if code == BPF_MISC | BPF_TXA => loaded = other,
            code if code == BPF_JMP | BPF_JA => at += usize::try_from(k).unwrap(),
            code if code == BPF_JMP | BPF_JEQ | BPF_X => {
                at += usize::from(if loaded == other { jt } else { jf });
            }
            code if code & 0x07 == BPF_LD => {
                let size = match code & 0x18 {
                    BPF_W => 4,
                    BPF_H => 2,
                    BPF_B => 1,
                    size => panic!("no such size: {size}"),
                };
                match load_at(frame, ancillary, k, size) {
                    Some(value) => loaded = value,
                    None => return false,
                }
            }
            code if code == BPF_ALU | BPF_AND | BPF_K => loaded &= k,
            code if code == BPF_JMP | BPF_JEQ | BPF_K => {
                at += usize::from(if loaded == k { jt } else { jf });
            }
            code if code == BPF_RET | BPF_K => return k != 0,
            code => panic!("no such operation: {code:#x}"),
        }
    }
}

fn load_at(frame: &[u8], ancillary: Ancillary, offset: u32, size: usize) -> Option<u32> {
    let property = |property: i32| (SKF_AD_OFF + property).cast_unsigned();
    if offset == property(SKF_AD_PKTTYPE) {
        return Some(u32::from(ancillary.packet_type));
    }
    if offset == property(SKF_AD_VLAN_TAG) {
        return Some(u32::from(ancillary.vlan_tag));
    }
    if offset == property(SKF_AD_IFINDEX) {
        return Some(ancillary.index);
    }
    let start = usize::try_from(offset).unwrap();
    let bytes = frame.get(start..start.checked_add(size)?)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

fn arp(operation: u8, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mac = MacAddr([2, 0, 0, 0, 0, 1]).octets();
    let mut frame = MacAddr::BROADCAST.octets().to_vec();
    frame.extend(mac);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    frame.extend(mac);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame
}

fn plainly_passes(filter: ArpFilter, frame: &[u8]) -> bool {
    passes(filter, frame, Ancillary::default())
}

#[test]
fn a_candidate_is_met_by_its_senders_and_its_probers() {
    let filter = ArpFilter::Candidate(OURS);
    for operation in [1, 2] {
        assert!(plainly_passes(filter, &arp(operation, OURS, OURS)));
        assert!(plainly_passes(filter, &arp(operation, OURS, OTHER)));
        assert!(plainly_passes(filter, &arp(operation, ZERO, OURS)));
        assert!(!plainly_passes(filter, &arp(operation, OTHER, OURS)));
        assert!(!plainly_passes(filter, &arp(operation, ZERO, OTHER)));
        assert!(!plainly_passes(filter, &arp(operation, OTHER, OTHER)));
    }
}

#[test]
fn a_claimed_address_is_met_by_its_senders_only() {
    let filter = ArpFilter::Claimed(OURS);
    for operation in [1, 2] {
        assert!(plainly_passes(filter, &arp(operation, OURS, OTHER)));
        assert!(!plainly_passes(filter, &arp(operation, ZERO, OURS)));
        assert!(!plainly_passes(filter, &arp(operation, OTHER, OURS)));
    }
}

#[test]
fn all_and_nothing_are_what_they_say() {
    for sender in [ZERO, OURS, OTHER] {
        assert!(plainly_passes(ArpFilter::All, &arp(1, sender, OTHER)));
        assert!(!plainly_passes(ArpFilter::Nothing, &arp(1, sender, OTHER)));
    }
}

#[test]
fn every_other_header_is_refused() {
    for (offset, byte) in [
        (12, 0x86), // ethertype
        (13, 0x00),
        (15, 6),    // hardware type
        (16, 0x86), // protocol type
        (18, 8),    // hardware address length
        (19, 16),   // protocol address length
        (21, 0),    // operation
        (21, 3),
        (20, 1),
    ] {
        let mut frame = arp(1, OURS, OURS);
        frame[offset] = byte;
        for filter in [ArpFilter::Candidate(OURS), ArpFilter::Claimed(OURS), ArpFilter::All] {
            assert!(!plainly_passes(filter, &frame), "{filter:?} byte {offset} = {byte}");
        }
    }
}

#[test]
fn frames_of_a_vlan_or_another_host_are_refused() {
    let tagged = |vlan_tag| Ancillary { packet_type: libc::PACKET_BROADCAST, vlan_tag, index: 2 };
    let frame = arp(1, OURS, OURS);
    let filter = ArpFilter::Claimed(OURS);
    assert!(!passes(filter, &frame, tagged(5)));
    assert!(!passes(filter, &frame, tagged(0x6fff)));
    assert!(passes(filter, &frame, tagged(0x6000)), "a priority tag is no VLAN");
    let other_host = Ancillary { packet_type: libc::PACKET_OTHERHOST, ..tagged(0) };
    assert!(!passes(filter, &frame, other_host));
}

#[test]
fn padding_passes_and_cut_frames_do_not() {
    let mut padded = arp(2, OURS, OTHER);
    padded.resize(60, 0);
    assert!(plainly_passes(ArpFilter::Claimed(OURS), &padded));
    let whole = arp(1, OURS, OURS);
    for length in 0..whole.len() {
        for filter in [ArpFilter::Candidate(OURS), ArpFilter::Claimed(OURS), ArpFilter::All] {
            assert!(!plainly_passes(filter, &whole[..length]), "{filter:?} {length} bytes");
        }
    }
}

proptest! {
    /// Whatever a filter for one address passes, the filter for all passes as well.
    #[test]
    fn the_filters_are_nested(
        mut frame in prop::collection::vec(any::<u8>(), 0..64),
        repair in any::<bool>(),
    ) {
        if repair && frame.len() >= 22 {
            frame[12..22].copy_from_slice(&arp(1, OURS, OURS)[12..22]);
            if frame.len() >= 32 {
                frame[28..32].copy_from_slice(&OURS.octets());
            }
        }
        let pass = |filter| plainly_passes(filter, &frame);
        prop_assert!(!pass(ArpFilter::Nothing));
        prop_assert!(!pass(ArpFilter::Claimed(OURS)) || pass(ArpFilter::Candidate(OURS)));
        prop_assert!(!pass(ArpFilter::Candidate(OURS)) || pass(ArpFilter::All));
    }
}
