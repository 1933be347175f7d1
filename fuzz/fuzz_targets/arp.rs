//! See `autoip_fuzz::arp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::arp(bytes));
