//! `cargo xtask bench model`: canonical bytes, hashes and signatures, each beside its floor or rival in the same run.
//!
//! Prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `--quick` measures for a tenth of the time.

mod clock;
mod decoding;
mod encoding;
mod memory;
mod samples;
mod signatures;

use bench_harness::{Outcome, alone, beside};

use clock::Pair;

fn main() -> Outcome<()> {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 101 } else { 1001 };
    compared("encode + hash op", "SHA-256 + plain ciborium encode", encoding::op(rounds))?;
    compared("strict decode", "serde_ipld_dagcbor", decoding::mix(rounds))?;
    compared("sign", "ed25519-dalek", signatures::single(rounds))?;
    compared("batch verification", "single verification", signatures::batch(rounds / 20))?;
    alone("decode memory", memory::factor())
}

fn compared(name: &'static str, reference_name: &'static str, pair: Pair) -> Outcome<()> {
    beside(name, pair.figure, reference_name, pair.reference)
}
