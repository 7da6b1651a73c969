//! Encoding and hashing an op.

use hhs_model::object;
use sha2::{Digest, Sha256};

use crate::clock::{Pair, compare};
use crate::samples::{self, SerdeOp};

/// What every op costs its writer besides the signature. The floor does no less than it has to: it hashes bytes that are
/// there, and encodes without order, bounds and links.
pub(crate) fn op(rounds: usize) -> Pair {
    let op = samples::op();
    let (bytes, mirror) = samples::mirror::<SerdeOp>(&op);
    assert!((190..=210).contains(&bytes.len()), "{} bytes are not about 200", bytes.len());
    compare(
        rounds,
        || object::id(&op).expect("the sample has canonical bytes"),
        || {
            let mut plain = Vec::new();
            ciborium::into_writer(&mirror, &mut plain).expect("vectors take all that is written");
            (plain, Sha256::digest(&bytes))
        },
    )
}
