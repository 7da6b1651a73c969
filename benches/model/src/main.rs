//! `cargo xtask bench model`: canonical bytes, hashes and signatures, each beside its floor or rival in the same run.
//!
//! Prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `--quick` measures for a tenth of the time.

mod clock;
mod decoding;
mod encoding;
mod memory;
mod samples;
mod signatures;

use clock::Pair;
use serde::Serialize;

/// One bar, as `cargo xtask bench` reads it.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    figure: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_name: Option<&'static str>,
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 101 } else { 1001 };
    compared("encode + hash op", "SHA-256 + plain ciborium encode", encoding::op(rounds));
    compared("strict decode", "serde_ipld_dagcbor", decoding::mix(rounds));
    compared("batch verification", "single verification", signatures::batch(rounds / 20));
    print(&Line { name: "decode memory", figure: memory::factor(), reference: None, reference_name: None });
}

fn compared(name: &'static str, reference_name: &'static str, pair: Pair) {
    let (figure, reference) = (pair.figure, Some(pair.reference));
    print(&Line { name, figure, reference, reference_name: Some(reference_name) });
}

fn print(line: &Line) {
    println!("{}", serde_json::to_string(line).expect("a line has a JSON form"));
}
