//! The target `header`: see `hhs_fuzz::targets::header`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::header(bytes));
