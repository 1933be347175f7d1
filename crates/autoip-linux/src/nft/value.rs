//! Values of fields and elements of sets, as the kernel has them in its registers.

use std::net::Ipv4Addr;

use autoip_wire::MacAddr;

use crate::IfIndex;

/// The length of a register.
const REGISTER_LEN: usize = 4;
/// How far the type of a pair's first part stands to the left.
const PAIR_SHIFT: u32 = 6;

/// A value of a field, as the kernel has it in a register.
pub trait Value: sealed::Sealed + Copy {
    #[doc(hidden)]
    fn to_bytes(self) -> Vec<u8>;
}

/// What a [`Set`](super::Set) can hold.
pub trait Key: Value {
    /// What `nft` calls the type; the kernel keeps it for nft's sake alone.
    #[doc(hidden)]
    const TYPE: u32;
    /// Whether the bytes are in the order of the machine, which nft wants to know.
    #[doc(hidden)]
    const HOST_ORDER: bool = false;
    /// How many bytes it has.
    #[doc(hidden)]
    const LEN: usize;
    /// What several of them are called.
    #[doc(hidden)]
    const PLURAL: &'static str;
    #[doc(hidden)]
    fn to_text(self) -> String;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Ipv4Addr {}
impl Value for Ipv4Addr {
    fn to_bytes(self) -> Vec<u8> {
        self.octets().to_vec()
    }
}
impl Key for Ipv4Addr {
    const TYPE: u32 = 7;
    const LEN: usize = 4;
    const PLURAL: &'static str = "addresses";
    fn to_text(self) -> String {
        self.to_string()
    }
}

impl sealed::Sealed for MacAddr {}
impl Value for MacAddr {
    fn to_bytes(self) -> Vec<u8> {
        self.octets().to_vec()
    }
}
impl Key for MacAddr {
    const TYPE: u32 = 9;
    const LEN: usize = 6;
    const PLURAL: &'static str = "MAC addresses";
    fn to_text(self) -> String {
        self.to_string()
    }
}

impl sealed::Sealed for u32 {}
impl Value for u32 {
    /// Numbers of the kernel's own are in the order of the machine.
    fn to_bytes(self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
}

impl sealed::Sealed for IfIndex {}
impl Value for IfIndex {
    fn to_bytes(self) -> Vec<u8> {
        self.get().to_bytes()
    }
}
impl Key for IfIndex {
    const TYPE: u32 = 20;
    const LEN: usize = size_of::<u32>();
    const HOST_ORDER: bool = true;
    const PLURAL: &'static str = "interfaces";
    fn to_text(self) -> String {
        format!("interface {self}")
    }
}

impl<K: Key, L: Key> sealed::Sealed for (K, L) {}
impl<K: Key, L: Key> Value for (K, L) {
    /// Each part begins with a register of its own.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.0.to_bytes();
        bytes.resize(bytes.len().next_multiple_of(REGISTER_LEN), 0);
        bytes.extend(self.1.to_bytes());
        bytes.resize(bytes.len().next_multiple_of(REGISTER_LEN), 0);
        bytes
    }
}
impl<K: Key, L: Key> Key for (K, L) {
    const TYPE: u32 = K::TYPE << PAIR_SHIFT | L::TYPE;
    const LEN: usize =
        K::LEN.next_multiple_of(REGISTER_LEN) + L::LEN.next_multiple_of(REGISTER_LEN);
    const PLURAL: &'static str = "pairs";
    fn to_text(self) -> String {
        format!("{} with {}", self.0.to_text(), self.1.to_text())
    }
}
