//! The target `links`: see `hhs_fuzz::targets::links`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::links(bytes));
