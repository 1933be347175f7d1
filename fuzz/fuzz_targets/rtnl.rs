//! See `autoip_fuzz::rtnl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| autoip_fuzz::rtnl(bytes));
