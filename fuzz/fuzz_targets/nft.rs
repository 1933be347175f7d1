//! See `autoip_fuzz::nft`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::nft(bytes));
