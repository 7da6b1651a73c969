//! The target `cid`: see `hhs_fuzz::targets::cid`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::cid(bytes));
