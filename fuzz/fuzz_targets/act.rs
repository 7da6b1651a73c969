//! The target `act`: see `hhs_fuzz::targets::act`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::targets::act(bytes));
