//! The target `typed`: see `hhs_fuzz::targets::typed`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::typed(bytes));
