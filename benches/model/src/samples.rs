//! What is encoded and decoded: each type once with our derives and once, equal in its bytes, with those of serde.

use hhs_model::codec::encode;
use hhs_model::{Bytes, IdentityId, Map, Object, OpId, PayloadId, ReplicaId, Value};
use ipld_core::cid::Cid;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An object of the size and shape of an op: ids, a number, some text. 200 bytes.
#[derive(Object)]
#[object(class = "bench/v1/Op")]
pub(crate) struct Op {
    pub(crate) time: u64,
    pub(crate) author: IdentityId,
    pub(crate) target: ReplicaId,
    pub(crate) parents: Vec<OpId>,
    pub(crate) text: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SerdeOp {
    #[serde(rename = "$")]
    class: Class<OpName>,
    text: String,
    time: u64,
    author: Cid,
    target: Cid,
    parents: Vec<Cid>,
}

/// A message of a chat, some texts and numbers of all lengths. About 1,500 bytes.
#[derive(Object)]
#[object(class = "bench/v1/Message")]
pub(crate) struct Message {
    tags: Vec<String>,
    text: String,
    re: Option<OpId>,
    stars: Vec<i64>,
    photo: Bytes,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SerdeMessage {
    #[serde(rename = "$")]
    class: Class<MessageName>,
    re: Option<Cid>,
    tags: Vec<String>,
    text: String,
    photo: SerdeBytes,
    stars: Vec<i64>,
}

/// The class of an object: checked and not kept, as our derives do.
struct Class<T>(std::marker::PhantomData<T>);

trait Name {
    const NAME: &'static str;
}

struct OpName;
struct MessageName;

impl Name for OpName {
    const NAME: &'static str = Op::CLASS;
}

impl Name for MessageName {
    const NAME: &'static str = Message::CLASS;
}

impl<T: Name> Serialize for Class<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(T::NAME)
    }
}

impl<'a, T: Name> Deserialize<'a> for Class<T> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        match <&str>::deserialize(deserializer)? {
            name if name == T::NAME => Ok(Self(std::marker::PhantomData)),
            _ => Err(D::Error::custom("another class")),
        }
    }
}

/// A byte string, which serde would take for a list.
struct SerdeBytes(Vec<u8>);

impl Serialize for SerdeBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'a> Deserialize<'a> for SerdeBytes {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.to_vec()))
    }
}

pub(crate) fn op() -> Op {
    Op {
        time: 1_700_000_000_000,
        author: IdentityId::of(b"Ana"),
        target: ReplicaId::of(b"chat"),
        parents: vec![OpId::of(b"before")],
        text: "hello, how are you".into(),
    }
}

pub(crate) fn message() -> Message {
    Message {
        tags: (0..20).map(|index| "tag".repeat(index % 7 + 1)).collect(),
        text: "A few words about the weather. ".repeat(10),
        re: Some(OpId::of(b"before")),
        stars: (0..60).map(|index: i64| (index - 30).pow(5) * 1000).collect(),
        photo: Bytes(vec![7; 512]),
    }
}

/// A document of any kind, as untyped code reads it: maps in lists, texts, numbers. About 20 KB.
pub(crate) fn document() -> Value {
    let row = |index: i64| {
        let words: Vec<Value> = (0..4).map(|word| Value::from("word".repeat(word + 1))).collect();
        let place: Map = [("x", Value::from(index as f64 + 0.5)), ("y", Value::from(-index))].into();
        Value::Map(
            [
                ("id", Value::from(index * 1_000_003)),
                ("name", Value::from(format!("row number {index}"))),
                ("done", Value::from(index % 2 == 0)),
                ("note", Value::Null),
                ("words", Value::List(words)),
                ("place", Value::Map(place)),
                ("link", Value::from(PayloadId::of(&index.to_be_bytes()).cid())),
            ]
            .into(),
        )
    };
    Value::List((0..100).map(row).collect())
}

/// The mirror of a value that has one, from its bytes.
pub(crate) fn mirror<T: for<'a> Deserialize<'a>>(value: &impl hhs_model::Encode) -> (Vec<u8>, T) {
    let bytes = encode(value).expect("samples have canonical bytes");
    let mirror = serde_ipld_dagcbor::from_slice(&bytes).expect("samples are as their mirrors");
    (bytes, mirror)
}
