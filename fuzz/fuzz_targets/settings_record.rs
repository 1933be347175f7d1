//! See `autoip_fuzz::settings_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::settings_record(bytes));
