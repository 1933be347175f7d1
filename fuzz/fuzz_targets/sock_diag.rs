//! See `autoip_fuzz::sock_diag`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::sock_diag(bytes));
