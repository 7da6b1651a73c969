//! Verification of signatures in batches.

use hhs_model::identity::{Domain, SecretKey, SignedMessage, Signer, verify, verify_batch};

use crate::clock::{Pair, compare};

/// Signatures in one batch, as many as ops in a batch of the mesh.
const BATCH: usize = 1000;

/// Nanoseconds a signature: in a batch by a hundred authors, and singly.
pub(crate) fn batch(rounds: usize) -> Pair {
    let keys: Vec<SecretKey> = (1..=100_u8).map(|seed| SecretKey::from_seed(&[seed; 32])).collect();
    let messages: Vec<Vec<u8>> = (0..BATCH).map(|index| index.to_be_bytes().repeat(25)).collect();
    let signed = |(index, message): (usize, &Vec<u8>)| {
        let key = &keys[index % keys.len()];
        let signature = key.sign(Domain::OP, message).expect("a key in memory signs everything");
        SignedMessage { key: key.public_key(), bound: Domain::OP.bind(message), signature }
    };
    let batch: Vec<SignedMessage> = messages.iter().enumerate().map(signed).collect();
    let mut next = 0;
    let pair = compare(
        rounds,
        || verify_batch(&batch).expect("all of them hold"),
        || {
            next = (next + 1) % BATCH;
            let one = &batch[next];
            verify(&one.key, Domain::OP, &messages[next], &one.signature).expect("it holds")
        },
    );
    Pair { figure: pair.figure / BATCH as f64, ..pair }
}
