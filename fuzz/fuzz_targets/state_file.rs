//! See `autoip_fuzz::state_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::state_file(bytes));
