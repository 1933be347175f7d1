//! See `autoip_fuzz::option_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::option_list(bytes));
