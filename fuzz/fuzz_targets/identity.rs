//! The target `identity`: see `hhs_fuzz::targets::identity`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::identity(bytes));
