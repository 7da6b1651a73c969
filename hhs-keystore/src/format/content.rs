//! What a keystore holds, once it is open: seeds, then a list of records that say whose they are.
//!
//! Seeds stand apart from the records, so that the codec of shared objects never has a secret in its buffers.

use std::collections::BTreeSet;

use hhs_model::codec::{self, EncodeError};
use hhs_model::identity::KeyError;
use hhs_model::{Bytes, Decode, Encode, Identity};

use super::{CUT_OFF, MAX_KEYS};
use crate::error::OpenError;
use crate::policy::Policy;
use crate::signer::Held;

/// An identity that is to be written, with the policy that it is to have.
pub(crate) struct Entry {
    pub(crate) held: Held,
    pub(crate) policy: Policy,
}

/// More than a keystore may hold.
#[derive(Debug)]
pub(crate) enum TooLarge {
    Keys,
    Bytes,
}

/// What is written of an identity, beside its seed.
#[derive(Encode, Decode)]
struct Record {
    /// The canonical bytes of the identity.
    identity: Bytes,
    policy: Policy,
    created: u64,
}

/// The records of entries, encoded.
pub(super) fn records(entries: &[Entry]) -> Result<Vec<u8>, TooLarge> {
    if entries.len() > MAX_KEYS {
        return Err(TooLarge::Keys);
    }
    let record = |entry: &Entry| Record {
        identity: Bytes(entry.held.author.identity_bytes().to_vec()),
        policy: entry.policy.clone(),
        created: entry.held.created,
    };
    let records: Vec<Record> = entries.iter().map(record).collect();
    codec::encode(&records).map_err(|error: EncodeError| match error {
        EncodeError::TooLarge(_) => TooLarge::Bytes,
        other => unreachable!("records are maps of bytes, texts and integers: {other}"),
    })
}

/// Bytes of the content.
pub(super) fn size(entries: &[Entry], records: &[u8]) -> usize {
    COUNT + entries.len() * SEED + records.len()
}

/// Writes the content.
pub(super) fn write(entries: &[Entry], records: &[u8], bytes: &mut Vec<u8>) {
    let count = u16::try_from(entries.len()).expect("there are at most 1,024");
    bytes.extend_from_slice(&count.to_be_bytes());
    for entry in entries {
        bytes.extend_from_slice(&*entry.held.key.secret().to_seed());
    }
    bytes.extend_from_slice(records);
}

/// Reads the content.
pub(crate) fn read(content: &[u8]) -> Result<Vec<Held>, OpenError> {
    let (count, rest) = content.split_first_chunk::<COUNT>().ok_or(CUT_OFF)?;
    let count = usize::from(u16::from_be_bytes(*count));
    if count > MAX_KEYS {
        return Err(OpenError::Damaged("it has more identities than a keystore"));
    }
    let (seeds, records) = rest.split_at_checked(count * SEED).ok_or(CUT_OFF)?;
    let parsed: Vec<Record> = codec::decode(records).map_err(|_| MALFORMED)?;
    // An entry that we do not know would be lost when we write: a keystore that has one is of a later version.
    if parsed.len() != count || codec::encode(&parsed).is_ok_and(|bytes| bytes != records) {
        return Err(MALFORMED);
    }
    let seeds = seeds.as_chunks::<SEED>().0;
    let all = seeds.iter().zip(parsed).map(|(seed, record)| held(seed, record)).collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<_> = all.iter().map(Held::id).collect();
    if ids.len() < all.len() {
        return Err(OpenError::Damaged("it has an identity twice"));
    }
    Ok(all)
}

fn held(seed: &[u8; SEED], record: Record) -> Result<Held, OpenError> {
    let Record { identity: Bytes(bytes), policy, created } = record;
    let identity = Identity::from_bytes(&bytes).map_err(|_| OpenError::Damaged("an identity in it is none"))?;
    if !policy.is_valid() {
        return Err(OpenError::Damaged("a policy in it names what is no domain"));
    }
    Held::new(identity, seed, created, policy).map_err(|error| match error {
        KeyError::Mismatch => OpenError::Damaged("a key in it is not that of its identity"),
        _ => OpenError::Damaged("an identity in it is none"),
    })
}

const COUNT: usize = 2;
const SEED: usize = 32;
const MALFORMED: OpenError = OpenError::Damaged("its records are not as they were written");
