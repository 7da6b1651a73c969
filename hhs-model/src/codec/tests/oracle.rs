//! An independent implementation of DAG-CBOR, `serde_ipld_dagcbor`, has to write the same bytes and read what we write.

use ipld_core::cid::Cid as OracleCid;
use ipld_core::ipld::Ipld;
use proptest::prelude::*;

use super::arbitrary::{damaged, value};
use crate::codec::{Value, decode, encode};

proptest! {
    /// An IPLD tool writes the value that we write: the ids have to be the same.
    #[test]
    fn an_independent_encoder_writes_the_same_bytes(value in value()) {
        let ours = encode(&value).unwrap();
        prop_assert_eq!(&ours, &serde_ipld_dagcbor::to_vec(&to_ipld(&value)).unwrap());
        prop_assert_eq!(serde_ipld_dagcbor::from_slice::<Ipld>(&ours).unwrap(), to_ipld(&value));
    }

    /// Ours may refuse more than others do, but what it accepts others read as the same value.
    #[test]
    fn an_independent_decoder_reads_what_is_accepted(bytes in damaged()) {
        if let Ok(value) = decode::<Value>(&bytes) {
            prop_assert_eq!(serde_ipld_dagcbor::from_slice::<Ipld>(&bytes).unwrap(), to_ipld(&value));
        }
    }
}

fn to_ipld(value: &Value) -> Ipld {
    match value {
        Value::Null => Ipld::Null,
        Value::Bool(value) => Ipld::Bool(*value),
        Value::Int(value) => Ipld::Integer(*value),
        Value::Float(value) => Ipld::Float(*value),
        Value::Bytes(value) => Ipld::Bytes(value.0.clone()),
        Value::Text(value) => Ipld::String(value.clone()),
        Value::List(items) => Ipld::List(items.iter().map(to_ipld).collect()),
        Value::Map(entries) => Ipld::Map(entries.iter().map(|(key, value)| (key.to_owned(), to_ipld(value))).collect()),
        Value::Link(cid) => Ipld::Link(OracleCid::try_from(&cid.to_bytes()[..]).expect("our CIDs are CIDs")),
    }
}
