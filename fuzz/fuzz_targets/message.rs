//! The target `message`: see `hhs_fuzz::messages::message`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hhs_fuzz::messages::message(bytes));
