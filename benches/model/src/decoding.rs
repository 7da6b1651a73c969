//! Strict decoding of a mix of objects.

use hhs_model::codec::{decode, encode};
use hhs_model::{Decode, Encode, OpId, Value};
use ipld_core::cid::Cid;
use ipld_core::ipld::Ipld;
use serde::Deserialize;

use crate::clock::{Pair, compare};
use crate::samples::{self, Message, Op, SerdeMessage, SerdeOp};

/// The geometric means over the mix: small and large, typed and untyped, so that none outweighs the others.
pub(crate) fn mix(rounds: usize) -> Pair {
    let pairs = [
        one::<Op, SerdeOp>(rounds, "op", &samples::op()),
        one::<Message, SerdeMessage>(rounds, "message", &samples::message()),
        one::<Value, Ipld>(rounds, "document", &samples::document()),
        one::<Vec<i64>, Vec<i64>>(rounds, "numbers", &(0..1000).map(|n: i64| n * n * n * 7).collect()),
        one::<Vec<String>, Vec<String>>(rounds, "texts", &(0..500).map(|n: u32| format!("text number {n}")).collect()),
        one::<Vec<OpId>, Vec<Cid>>(rounds, "links", &(0..200_u8).map(|n| OpId::of(&[n])).collect()),
    ];
    let mean = |part: fn(&Pair) -> f64| (pairs.iter().map(|pair| part(pair).ln()).sum::<f64>() / 6.0).exp();
    Pair { figure: mean(|pair| pair.figure), reference: mean(|pair| pair.reference) }
}

fn one<T: Encode + Decode, Mirror: for<'a> Deserialize<'a>>(rounds: usize, name: &str, value: &T) -> Pair {
    let bytes = encode(value).expect("samples have canonical bytes");
    let pair = compare(
        rounds,
        || decode::<T>(&bytes).expect("samples are canonical"),
        || serde_ipld_dagcbor::from_slice::<Mirror>(&bytes).expect("samples are as their mirrors"),
    );
    // For those who look into a miss.
    eprintln!(
        "decode {name} ({} bytes): {:.0} ns, serde_ipld_dagcbor {:.0} ns",
        bytes.len(),
        pair.figure,
        pair.reference
    );
    pair
}
