//! A function for each decoder of `hhs-model`: any bytes go in, nothing panics, and what is accepted is written again as
//! the same bytes.
//!
//! Fuzz targets call these, and so does `hhs-model/tests/it/fuzz.rs` with all that was ever found.

#![allow(unreachable_pub, reason = "public for the fuzz targets; tests include this file as a private module")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use hhs_model::codec::{DecodeError, Decoder, Unknown, decode, encode};
use hhs_model::identity::Domain;
use hhs_model::op::{Act, Genesis, Op};
use hhs_model::{BigInt, Cid, Decode, Encode, Identity, Map, Object, OpId, Registry, SecretKey, Signer, Value, object};

/// Whatever `T` accepts has no second encoding, and is read again as what it was.
fn is_canonical<T: Decode + Encode + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let value = decode::<T>(bytes).ok()?;
    assert_eq!(encode(&value).expect("what was read can be written"), bytes);
    assert_eq!(decode::<T>(bytes).expect("what was read can be read"), value);
    Some(value)
}

/// Any value. Reading over it says the same of it as reading it.
pub fn value(bytes: &[u8]) {
    let read = is_canonical::<Value>(bytes);
    let skip = |bytes| -> Result<(), DecodeError> {
        let mut decoder = Decoder::new(bytes)?;
        decoder.skip()?;
        decoder.finish()
    };
    assert_eq!(skip(bytes).err(), decode::<Value>(bytes).err());
    if let Some(value) = read {
        assert!(value.to_string().chars().count() <= 4097);
        assert_eq!(decode::<Map>(bytes).ok().as_ref(), value.as_map());
    }
    is_canonical::<Vec<Vec<u64>>>(bytes);
    is_canonical::<BTreeSet<i64>>(bytes);
    is_canonical::<BTreeMap<String, Value>>(bytes);
    is_canonical::<(Option<u8>, String)>(bytes);
}

/// Something of every kind that fields can have.
#[derive(Object, Debug, PartialEq)]
#[object(class = "fuzz/v1/Everything")]
struct Everything {
    note: String,
    tags: BTreeSet<String>,
    more: BTreeMap<String, u64>,
    mood: Option<Mood>,
    pair: (i64, f64),
    count: BigInt,
    children: Vec<Everything>,
    #[hhs(unknown)]
    rest: Unknown,
}

#[derive(Encode, Decode, Debug, PartialEq)]
enum Mood {
    Glad,
    Because(String, String),
}

/// An object of a class that is known. The registry says the same of it.
pub fn typed(bytes: &[u8]) {
    let read = is_canonical::<Everything>(bytes);
    let mut registry = Registry::new();
    registry.register::<Everything>();
    if let Ok(class) = object::class_of(bytes)
        && class == Everything::CLASS
    {
        assert_eq!(registry.check(bytes).is_ok(), read.is_some());
    }
    assert!(registry.check(bytes).is_err() || decode::<Value>(bytes).is_ok());
}

/// An integer of any size.
pub fn big_integer(bytes: &[u8]) {
    if let Some(integer) = is_canonical::<BigInt>(bytes) {
        assert_eq!(integer.to_string().parse(), Ok(integer));
    }
}

/// An identity.
pub fn identity(bytes: &[u8]) {
    is_canonical::<Identity>(bytes);
    if let Ok(identity) = Identity::from_bytes(bytes) {
        assert_eq!(identity.encoded().expect("what was read can be written").0, bytes);
        let _ = identity.name();
    }
}

/// A genesis, of a root or a child.
pub fn genesis(bytes: &[u8]) {
    if let Some(genesis) = is_canonical::<Genesis>(bytes) {
        assert_eq!(genesis.encoded().expect("what was read can be written").0, bytes);
        let _ = (genesis.holders(), genesis.parent());
    }
}

/// The header of an op. What is signed is the header without its signature.
pub fn header(bytes: &[u8]) {
    if let Ok(op) = Op::from_bytes(bytes) {
        assert_eq!(op.bytes(), bytes);
        let unsigned = encode(op.header()).expect("what was read can be written");
        let key = SecretKey::from_seed(&[1; 32]).public_key();
        assert_eq!(op.signed_message(key).bound, Domain::OP.bind(&unsigned));
    }
}

/// What an op does to authority.
pub fn act(bytes: &[u8]) {
    is_canonical::<Act>(bytes);
}

/// An id as text.
pub fn cid(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(cid) = text.parse::<Cid>() {
        assert_eq!(cid.to_string(), text);
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
    }
    if let Ok(id) = text.parse::<OpId>() {
        assert_eq!(id.to_string(), text);
    }
}

/// All links in a value, with their paths. Found in whatever is canonical, and in nothing else.
pub fn links(bytes: &[u8]) {
    let found = object::links(bytes);
    let value = decode::<Value>(bytes);
    assert_eq!(found.as_ref().err(), value.as_ref().err());
    for link in found.into_iter().flatten() {
        let _ = (link.path.to_string(), link.path.pattern());
    }
}
