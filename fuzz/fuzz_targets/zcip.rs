//! See `autoip_fuzz::zcip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::zcip(bytes));
