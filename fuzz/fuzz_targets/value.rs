//! The target `value`: see `hhs_fuzz::targets::value`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::value(bytes));
