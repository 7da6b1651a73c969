//! Signing, and verification of signatures in batches.

use ed25519_dalek::{Signer as _, SigningKey};
use hhs_model::identity::{Domain, SecretKey, SignedMessage, Signer, verify, verify_batch};

use crate::clock::{Pair, compare};

/// Signatures in one batch, as many as ops in a batch of the mesh.
const BATCH: usize = 1000;

/// Nanoseconds to sign what is as long as the header of a usual op, with what belongs to that and with Ed25519 alone.
pub(crate) fn single(rounds: usize) -> Pair {
    let seed = [1; 32];
    let (ours, theirs) = (SecretKey::from_seed(&seed), SigningKey::from_bytes(&seed));
    let message = [7; 300];
    let bound = Domain::OP.bind(&message);
    let sign = || ours.sign(Domain::OP, &message).expect("a key in memory signs everything");
    compare(rounds, sign, || theirs.sign(&bound))
}

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
