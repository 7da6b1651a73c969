//! The target `big_integer`: see `hhs_fuzz::targets::big_integer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::big_integer(bytes));
