//! Identities by the keys of fixed seeds.

use std::collections::BTreeMap;

use hhs_model::{Author, Identity, SecretKey, Signer, Value};
use serde_json::{Value as Json, json};

use super::hex;
use super::typed::typed;

pub(super) fn all() -> Vec<Json> {
    let vector = |(seed, identity): (u8, Identity)| {
        let (bytes, id) = identity.encoded().expect("vectors have canonical bytes");
        let info = Value::Map(identity.info.clone().into_iter().collect());
        let (seed, key) = (hex([seed; 32]), hex(identity.key.as_bytes()));
        json!({ "seed": seed, "key": key, "info": typed(&info), "hex": hex(bytes), "id": id.to_string() })
    };
    identities().into_iter().map(vector).collect()
}

fn identities() -> Vec<(u8, Identity)> {
    let info = BTreeMap::from([
        ("name".to_owned(), Value::from("Zoë 水")),
        ("born".to_owned(), Value::from(-5)),
        ("pages".to_owned(), vec!["https://example.org"].into()),
    ]);
    vec![
        (1, Identity::named(key(1).public_key(), "Ana")),
        (2, Identity::named(key(2).public_key(), "Ben")),
        (3, Identity::new(key(3).public_key(), BTreeMap::new())),
        (4, Identity::new(key(4).public_key(), info)),
        (5, Identity::named(key(5).public_key(), "Cleo")),
        (6, Identity::named(key(6).public_key(), "Dan")),
    ]
}

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

pub(crate) fn author(seed: u8) -> Author {
    let name = match seed {
        1 => "Ana",
        5 => "Cleo",
        6 => "Dan",
        _ => "Ben",
    };
    Author::from_seed(name, &[seed; 32]).expect("the name is short")
}
