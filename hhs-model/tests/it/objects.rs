//! `derive(Object)`, links, and the registry: values whose class is part of their bytes.

use std::fmt::Debug;

use hhs_model::codec::{DecodeError, EncodeError, Unknown, decode, encode};
use hhs_model::registry::Checked;
use hhs_model::runtime::BoxFuture;
use hhs_model::{Decode, Encode, Identity, Link, Nonce, Object, ObjectId, Registry, Runtime, Value, object};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

#[track_caller]
fn stands_for<T: Object + PartialEq + Debug>(object: T, plain: Value) {
    let bytes = object::to_bytes(&object).unwrap();
    assert_eq!(decode::<Value>(&bytes).unwrap(), plain);
    assert_eq!(object::from_bytes::<T>(&bytes).unwrap(), object);
    assert_eq!(object::class_of(&bytes).unwrap(), T::CLASS);
    assert_eq!(object::id(&object).unwrap(), ObjectId::of(&bytes));
}

#[track_caller]
fn refused<T: Object + Debug>(plain: Value) -> DecodeError {
    object::from_bytes::<T>(&encode(&plain).unwrap()).unwrap_err()
}

#[derive(Object, Debug, Clone, PartialEq)]
#[object(class = "chat/v1/Message", validate = Message::check)]
struct Message {
    text: String,
    re: Option<Link<Message>>,
    #[hhs(rename = "%")]
    share: u8,
    #[hhs(unknown)]
    rest: Unknown,
}

impl Message {
    fn new(text: &str) -> Self {
        Self { text: text.into(), re: None, share: 0, rest: Unknown::default() }
    }

    fn check(&self) -> Result<(), String> {
        match self.text.len() {
            0 => Err("a message has a text".into()),
            1..=100 => Ok(()),
            length => Err(format!("a message has 100 bytes at most, not {length}{}", "!".repeat(1000))),
        }
    }
}

/// The class comes first in the bytes, before a field with an equally short name too.
#[test]
fn structs_stand_beside_their_class() {
    let message = Message::new("hi");
    let bytes = [&[0xa3][..], b"\x61$\x6fchat/v1/Message", b"\x61%\x00", b"\x64text\x62hi"].concat();
    assert_eq!(object::to_bytes(&message).unwrap(), bytes);
    let class = ("$", text("chat/v1/Message"));
    stands_for(message.clone(), map([class.clone(), ("text", text("hi")), ("%", Value::Int(0))]));
    let re = Link::to(&message).unwrap();
    let answer = Message { re: Some(re), ..message };
    let link = Value::from(re.id().cid());
    stands_for(answer, map([class, ("text", text("hi")), ("%", Value::Int(0)), ("re", link)]));
}

/// What a later version adds does not change the object's id when an older one passes it on.
#[test]
fn unknown_fields_of_objects_survive() {
    let plain =
        map([("$", text("chat/v1/Message")), ("text", text("hi")), ("%", Value::Int(0)), ("mood", Value::Null)]);
    let message = object::from_bytes::<Message>(&encode(&plain).unwrap()).unwrap();
    assert_eq!(Value::of(&message).unwrap(), plain);
}

/// An unknown field may not take the place of the class.
#[test]
fn unknown_fields_before_the_class() {
    for key in ["$", "!", ""] {
        let mut message = Message::new("hi");
        message.rest.0.insert(key.to_owned(), text("other/v1/Class"));
        assert!(matches!(object::to_bytes(&message), Err(EncodeError::KeyOrder(_))), "{key:?}");
    }
    let bytes = [&[0xa2][..], b"\x61!\x00", b"\x61$\x6fchat/v1/Message"].concat();
    assert_eq!(object::from_bytes::<Message>(&bytes).unwrap_err(), DecodeError::MissingField("$"));
    assert_eq!(object::class_of(&bytes).unwrap_err(), DecodeError::MissingField("$"));
}

/// An app tries to save what its class refuses, by itself or inside something else; a peer sends it.
#[test]
fn objects_that_their_class_refuses() {
    let reason = "a message has a text".to_owned();
    let empty = Message::new("");
    assert_eq!(object::to_bytes(&empty).unwrap_err(), EncodeError::Validation(reason.clone()));
    assert_eq!(Link::to(&empty).unwrap_err(), EncodeError::Validation(reason.clone()));
    assert_eq!(encode(&vec![Some(empty)]).unwrap_err(), EncodeError::Validation(reason.clone()));
    let plain = map([("$", text("chat/v1/Message")), ("text", text("")), ("%", Value::Int(0))]);
    assert_eq!(refused::<Message>(plain), DecodeError::Validation(reason));
    // However long the reason is.
    let Err(EncodeError::Validation(reason)) = object::to_bytes(&Message::new(&"x".repeat(101))) else {
        panic!("a message of 101 bytes is not valid");
    };
    assert!(reason.starts_with("a message has 100 bytes at most, not 101!"));
    assert_eq!(reason.len(), 256);
}

/// A link points at an object of another class, or at none.
#[test]
fn objects_of_other_classes() {
    let class = DecodeError::Class { expected: "chat/v1/Message", found: "chat/v2/Message".into() };
    assert_eq!(refused::<Message>(map([("$", text("chat/v2/Message")), ("text", Value::Null)])), class);
    assert_eq!(refused::<Message>(map([("text", text("hi"))])), DecodeError::MissingField("$"));
    assert_eq!(refused::<Message>(map([])), DecodeError::MissingField("$"));
    let number = DecodeError::Expected { expected: "a text", at: 3 };
    assert_eq!(refused::<Message>(map([("$", Value::Int(1))])), number);
    assert_eq!(refused::<Message>(text("chat/v1/Message")), DecodeError::Expected { expected: "a map", at: 0 });
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Event")]
enum Event {
    Opened,
    Renamed(String),
    Labelled(Option<String>),
    Moved(i32, i32),
    #[hhs(rename = "said")]
    Said {
        text: String,
    },
}

/// An object that is one of several kinds of event.
#[test]
fn enums_are_one_entry_beside_their_class() {
    let class = || ("$", text("test/v1/Event"));
    stands_for(Event::Opened, map([class(), ("Opened", Value::Null)]));
    stands_for(Event::Renamed("b".into()), map([class(), ("Renamed", text("b"))]));
    stands_for(Event::Labelled(None), map([class(), ("Labelled", Value::Null)]));
    let moved = Value::List(vec![Value::Int(1), Value::Int(-1)]);
    stands_for(Event::Moved(1, -1), map([class(), ("Moved", moved)]));
    let said = map([("text", text("hi"))]);
    stands_for(Event::Said { text: "hi".into() }, map([class(), ("said", said)]));

    assert_eq!(refused::<Event>(map([class(), ("Closed", Value::Null)])), DecodeError::UnknownVariant("Closed".into()));
    let one = DecodeError::Expected { expected: "one entry beside the class: the variant", at: 17 };
    assert_eq!(refused::<Event>(map([class()])), one);
    assert_eq!(refused::<Event>(map([class(), ("Opened", Value::Null), ("also", Value::Null)])), one);
    let content = DecodeError::Expected { expected: "null", at: 24 };
    assert_eq!(refused::<Event>(map([class(), ("Opened", Value::Int(0))])), content);
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Text")]
struct Text(String);

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Maybe")]
struct Maybe(Option<u8>);

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Pair")]
struct Pair(u8, Option<Text>);

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Empty")]
struct Empty {}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Unit")]
struct Unit;

/// A single value with a class.
#[test]
fn structs_without_names_have_a_value() {
    stands_for(Text("a".into()), map([("$", text("test/v1/Text")), ("value", text("a"))]));
    stands_for(Maybe(None), map([("$", text("test/v1/Maybe"))]));
    stands_for(Maybe(Some(1)), map([("$", text("test/v1/Maybe")), ("value", Value::Int(1))]));
    let pair = Value::List(vec![Value::Int(1), Value::Null]);
    stands_for(Pair(1, None), map([("$", text("test/v1/Pair")), ("value", pair)]));
    stands_for(Empty {}, map([("$", text("test/v1/Empty"))]));
    stands_for(Unit, map([("$", text("test/v1/Unit"))]));

    assert_eq!(refused::<Text>(map([("$", text("test/v1/Text"))])), DecodeError::MissingField("value"));
    assert_eq!(refused::<Pair>(map([("$", text("test/v1/Pair"))])), DecodeError::MissingField("value"));
    let null = DecodeError::Invalid("an absent option is an absent field, not null");
    assert_eq!(refused::<Maybe>(map([("$", text("test/v1/Maybe")), ("value", Value::Null)])), null);
    // Fields of a later version, on either side of the value.
    let pair = Value::List(vec![Value::Int(1), Value::Null]);
    let later = map([("$", text("test/v1/Pair")), ("a", Value::Null), ("value", pair), ("values", Value::Null)]);
    assert_eq!(later.to::<Pair>().unwrap(), Pair(1, None));
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Box", validate = small)]
struct Crate<T: Clone> {
    item: T,
    inner: Option<Box<Crate<T>>>,
}

fn small<T: Clone + Encode + Decode>(boxed: &Crate<T>) -> Result<(), EncodeError> {
    match encode(&boxed.item)?.len() {
        0..10 => Ok(()),
        count => Err(EncodeError::Bound { what: "bytes of an item", count, limit: 10 }),
    }
}

/// One class, whatever it holds: the item says by itself what it is.
#[test]
fn generic_objects() {
    let inner = Crate { item: Value::Int(1), inner: None };
    let outer = Crate { item: text("a"), inner: Some(Box::new(inner)) };
    let inner = map([("$", text("test/v1/Box")), ("item", Value::Int(1))]);
    stands_for(outer, map([("$", text("test/v1/Box")), ("item", text("a")), ("inner", inner)]));
    let large = Crate { item: "a".repeat(100), inner: None };
    let reason = EncodeError::Validation("bytes of an item: 102 is more than 10".into());
    assert_eq!(object::to_bytes(&large).unwrap_err(), reason);
}

/// A relay knows one class of three. It checks that one, passes objects of the others on, and refuses what is none.
#[test]
fn a_registry_checks_what_it_knows() {
    let mut registry = Registry::new();
    registry.register::<Message>().register::<Identity>();
    let known = object::to_bytes(&Message::new("hi")).unwrap();
    assert_eq!(registry.check(&known), Ok(Checked::Known));
    let unknown = object::to_bytes(&Event::Opened).unwrap();
    assert_eq!(registry.check(&unknown), Ok(Checked::Unknown));

    let empty = encode(&map([("$", text("chat/v1/Message")), ("text", text("")), ("%", Value::Int(0))])).unwrap();
    assert_eq!(registry.check(&empty), Err(DecodeError::Validation("a message has a text".into())));
    let trailing = [&unknown[..], &[0]].concat();
    assert_eq!(registry.check(&trailing), Err(DecodeError::Trailing(1)));
    let not_canonical = [&[0xa2][..], b"\x61$\x61x", b"\x61a\x18\x00"].concat();
    assert_eq!(registry.check(&not_canonical), Err(DecodeError::NotShortest(7)));
    assert_eq!(registry.check(&[0xa0]), Err(DecodeError::MissingField("$")));
    let nameless = encode(&map([("$", text(""))])).unwrap();
    assert_eq!(registry.check(&nameless), Err(DecodeError::Invalid("a class has a name of one byte at least")));
    assert_eq!(registry.check(&[]), Err(DecodeError::Truncated(0)));
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "poll/v1/Vote")]
struct Vote {
    says: String,
    nonce: Nonce,
}

/// Two people say "yes". With random bytes in it, that is two objects; without, it would be one.
#[test]
fn equal_content_with_ids_of_its_own() {
    let vote = |nonce: u8| Vote { says: "yes".into(), nonce: Nonce::from([nonce; 16]) };
    let nonce = Value::Bytes(vec![7; 16].into());
    stands_for(vote(7), map([("$", text("poll/v1/Vote")), ("says", text("yes")), ("nonce", nonce)]));
    assert_ne!(object::id(&vote(1)).unwrap(), object::id(&vote(2)).unwrap());
    assert_eq!(object::id(&vote(1)).unwrap(), object::id(&vote(1)).unwrap());
    assert_eq!(format!("{:?}", vote(7).nonce), "07".repeat(16));
    for length in [0, 15, 17] {
        let nonce = Value::Bytes(vec![7; length].into());
        let refused = refused::<Vote>(map([("$", text("poll/v1/Vote")), ("says", text("yes")), ("nonce", nonce)]));
        assert_eq!(refused, DecodeError::Expected { expected: "a nonce of 16 bytes", at: 31 });
    }
}

/// A runtime whose randomness counts.
struct Counting(std::sync::atomic::AtomicU8);

impl Runtime for Counting {
    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    fn wall_clock_ms(&self) -> u64 {
        0
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }

    fn sleep(&self, _: std::time::Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) {}
}

/// Randomness comes from where the program runs, all 16 bytes of it.
#[test]
fn nonces_are_drawn_from_the_runtime() {
    let runtime = Counting(7.into());
    assert_eq!([Nonce::random(&runtime), Nonce::random(&runtime)], [Nonce([7; 16]), Nonce([8; 16])]);
}
