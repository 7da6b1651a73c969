//! The target `genesis`: see `hhs_fuzz::targets::genesis`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::genesis(bytes));
