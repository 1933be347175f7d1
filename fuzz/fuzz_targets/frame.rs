//! See `autoip_fuzz::frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::frame(bytes));
