//! See `autoip_fuzz::avahi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::avahi(bytes));
