//! `derive(Encode)` and `derive(Decode)`: how types stand in bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::marker::PhantomData;

use hhs_model::codec::{DecodeError, Unknown, decode, encode};
use hhs_model::{Bytes, Decode, Encode, Link, Object, Value};

/// The value, as code sees it that does not know the type.
fn value(of: &impl Encode) -> Value {
    Value::of(of).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::List(items.into())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// Stands for that value, and is read from it.
#[track_caller]
fn stands_for<T: Encode + Decode + PartialEq + Debug>(typed: T, plain: Value) {
    assert_eq!(value(&typed), plain);
    assert_eq!(plain.to::<T>().unwrap(), typed);
}

#[track_caller]
fn refused<T: Decode + Debug>(plain: Value) -> DecodeError {
    decode::<T>(&encode(&plain).unwrap()).unwrap_err()
}

#[derive(Encode, Decode, Debug, Clone, PartialEq, Default)]
struct Address {
    street: String,
    no: u32,
    r#type: Option<String>,
    #[hhs(rename = "post code")]
    code: String,
}

fn address() -> Address {
    Address { street: "Kai".into(), no: 7, r#type: None, code: "1000".into() }
}

/// Keys are the fields' names, sorted by length: what an app developer writes first need not come first.
#[test]
fn structs_with_named_fields_are_maps() {
    stands_for(address(), map([("street", text("Kai")), ("no", Value::Int(7)), ("post code", text("1000"))]));
    let with_type = Address { r#type: Some("home".into()), ..address() };
    assert_eq!(
        encode(&with_type).unwrap(),
        [&[0xa4][..], b"\x62no\x07", b"\x64type\x64home", b"\x66street\x63Kai", b"\x69post code\x641000",].concat()
    );
    stands_for(Empty {}, map([]));
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Empty {}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Unit;

#[derive(Encode, Decode, Debug, PartialEq)]
struct Parens();

/// A type that says all by its being there: an empty map, however it is written, to which fields can be added later.
#[test]
fn structs_without_fields_are_empty_maps() {
    stands_for(Unit, map([]));
    stands_for(Parens(), map([]));
    assert_eq!(map([("later", Value::Int(1))]).to::<Unit>(), Ok(Unit));
}

/// A field that is not there is an empty option, and nothing else is.
#[test]
fn fields_that_are_missing_or_null() {
    let missing = refused::<Address>(map([("street", text("Kai")), ("no", Value::Int(7))]));
    assert_eq!(missing, DecodeError::MissingField("post code"));
    let full = [("street", text("Kai")), ("no", Value::Int(7)), ("post code", text("1000")), ("type", Value::Null)];
    let null = DecodeError::Invalid("an absent option is an absent field, not null");
    assert_eq!(refused::<Address>(map(full)), null);
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Settings {
    #[hhs(default)]
    muted: bool,
    #[hhs(default = Settings::usual_volume)]
    volume: u8,
    #[hhs(default, rename = "n")]
    names: Vec<String>,
}

impl Settings {
    fn usual_volume() -> u8 {
        80
    }
}

/// An older program wrote no volume. What is written now says it, so that a later default changes nothing.
#[test]
fn defaults_are_read_and_written() {
    let settings = Settings { muted: false, volume: 80, names: vec![] };
    assert_eq!(map([]).to::<Settings>().unwrap(), settings);
    stands_for(settings, map([("muted", Value::Bool(false)), ("volume", Value::Int(80)), ("n", list([]))]));
    assert_eq!(map([("volume", Value::Int(3))]).to::<Settings>().unwrap().volume, 3);
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Older {
    name: String,
    nick: Option<String>,
    #[hhs(unknown)]
    rest: Unknown,
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Careless {
    name: String,
}

/// A newer program adds fields that sort before, between and after the known ones. An older one changes the name and
/// writes the rest back as it was.
#[test]
fn unknown_fields_survive_a_round_trip() {
    let newer = |name| {
        let deep = map([("list", list([Value::Null, Value::Int(1)]))]);
        map([("a", Value::Null), ("name", text(name)), ("moods", deep), ("zzzz", Value::Bool(true)), ("n", text(""))])
    };
    let bytes = encode(&newer("Ana")).unwrap();
    let mut read: Older = decode(&bytes).unwrap();
    assert_eq!(encode(&read).unwrap(), bytes);
    assert_eq!(read.rest.0.keys().collect::<Vec<_>>(), ["a", "n", "zzzz", "moods"]);
    read.name = "Ben".into();
    assert_eq!(value(&read), newer("Ben"));
    stands_for(Older { name: String::new(), nick: None, rest: Unknown::default() }, map([("name", text(""))]));
}

/// A type that does not keep what it does not know reads over it, but not over what is not canonical.
#[test]
fn unknown_fields_that_are_not_kept() {
    let read = map([("a", map([])), ("name", text("Ana")), ("z", Value::Null)]).to::<Careless>().unwrap();
    assert_eq!(read, Careless { name: "Ana".into() });
    let bytes = [&[0xa2][..], b"\x61a\x18\x00", b"\x64name\x63Ana"].concat();
    assert_eq!(decode::<Careless>(&bytes).unwrap_err(), DecodeError::NotShortest(3));
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Meters(f64);

#[derive(Encode, Decode, Debug, PartialEq)]
struct Maybe(Option<u8>);

#[derive(Encode, Decode, Debug, PartialEq)]
struct Point(i32, i32, Option<String>);

#[derive(Encode, Decode, Debug, PartialEq)]
struct Walk {
    length: Meters,
    maybe: Maybe,
    boxed: Box<Maybe>,
    points: Vec<Point>,
}

/// A type of its own costs no bytes.
#[test]
fn structs_with_unnamed_fields_are_their_field_or_a_list() {
    stands_for(Meters(1.5), Value::Float(1.5));
    stands_for(Maybe(None), Value::Null);
    stands_for(Point(1, -2, None), list([Value::Int(1), Value::Int(-2), Value::Null]));
    let short = DecodeError::Expected { expected: "a list of 3 items", at: 0 };
    assert_eq!(refused::<Point>(list([Value::Int(1), Value::Int(-2)])), short);
}

/// A newtype is absent when what it wraps is.
#[test]
fn wrapped_options_are_absent_fields() {
    let walk = Walk { length: Meters(2.0), maybe: Maybe(None), boxed: Box::new(Maybe(None)), points: vec![] };
    stands_for(walk, map([("length", Value::Float(2.0)), ("points", list([]))]));
    let walk = Walk { length: Meters(2.0), maybe: Maybe(Some(1)), boxed: Box::new(Maybe(Some(2))), points: vec![] };
    let (one, two) = (Value::Int(1), Value::Int(2));
    stands_for(walk, map([("length", Value::Float(2.0)), ("points", list([])), ("maybe", one), ("boxed", two)]));
}

#[derive(Encode, Decode, Debug, PartialEq)]
enum Event {
    Opened,
    Closed(),
    Renamed(String),
    Labelled(Option<String>),
    Moved(i32, i32),
    #[hhs(rename = "said")]
    Said {
        text: String,
        #[hhs(rename = "re")]
        reply_to: Option<u64>,
        #[hhs(unknown)]
        rest: Unknown,
    },
}

/// Readable in any tool that shows the bytes.
#[test]
fn variants_are_their_names_and_their_content() {
    stands_for(Event::Opened, text("Opened"));
    stands_for(Event::Closed(), text("Closed"));
    stands_for(Event::Renamed("b".into()), map([("Renamed", text("b"))]));
    stands_for(Event::Labelled(None), map([("Labelled", Value::Null)]));
    stands_for(Event::Moved(1, 2), map([("Moved", list([Value::Int(1), Value::Int(2)]))]));
    let said = Event::Said { text: "hi".into(), reply_to: Some(3), rest: Unknown::default() };
    stands_for(said, map([("said", map([("text", text("hi")), ("re", Value::Int(3))]))]));
    let said = map([("said", map([("text", text("hi")), ("mood", Value::Int(3))]))]);
    assert_eq!(value(&said.to::<Event>().unwrap()), said);
}

/// A newer program wrote another variant, or somebody another shape.
#[test]
fn variants_that_are_none() {
    let expected = |expected| DecodeError::Expected { expected, at: 0 };
    let entry = expected("a variant: a text, or a map of one entry that holds its content");
    assert_eq!(refused::<Event>(map([])), entry);
    assert_eq!(refused::<Event>(map([("Renamed", text("b")), ("Other", Value::Null)])), entry);
    assert_eq!(refused::<Event>(Value::Int(0)), entry);
    assert_eq!(refused::<Event>(text("Said")), DecodeError::UnknownVariant("Said".into()));
    assert_eq!(refused::<Event>(text("said")), expected("the content of the variant \"said\""));
    let opened = expected("the variant \"Opened\" as a text, as it has no content");
    assert_eq!(refused::<Event>(map([("Opened", Value::Null)])), opened);
}

/// A page of anything, with where it goes on.
#[derive(Encode, Decode, Debug, PartialEq)]
struct Page<T, const N: usize = 4, L = u8>
where
    L: PartialEq,
{
    items: Vec<T>,
    next: Option<Box<Page<T, N, L>>>,
    label: L,
}

#[derive(Encode, Decode, Debug, PartialEq)]
enum Either<A, B: Ord> {
    Left(A),
    Right { items: BTreeSet<B> },
}

/// One parameter with a default, one constant, a bound, and a type that contains itself.
#[test]
fn generic_types() {
    let last = Page::<_> { items: vec![true], next: None, label: 1 };
    let first = Page { items: vec![], next: Some(Box::new(last)), label: 0 };
    let plain = map([("items", list([Value::Bool(true)])), ("label", Value::Int(1))]);
    stands_for(first, map([("items", list([])), ("label", Value::Int(0)), ("next", plain)]));
    stands_for(Either::<u8, u8>::Left(1), map([("Left", Value::Int(1))]));
    let right = Either::<u8, _>::Right { items: ["a".to_owned()].into() };
    stands_for(right, map([("Right", map([("items", list([text("a")]))]))]));
}

/// Neither encoded nor decoded: what it marks has no values in the bytes.
#[derive(Debug, PartialEq)]
struct Opaque;

#[derive(Encode, Decode, Debug, PartialEq)]
struct Marked<T> {
    link: Option<Link<T>>,
    by: PhantomMark<T>,
}

#[derive(Debug, PartialEq)]
struct PhantomMark<T>(PhantomData<T>);

impl<T> Encode for PhantomMark<T> {
    fn encode(&self, encoder: &mut hhs_model::codec::Encoder) {
        encoder.uint(0);
    }
}

impl<T> Decode for PhantomMark<T> {
    fn decode(decoder: &mut hhs_model::codec::Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.uint().map(|_| Self(PhantomData))
    }
}

trait Kind {
    type Label;
}

#[derive(Debug, PartialEq)]
struct Plain;

impl Kind for Plain {
    type Label = String;
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Labelled<K: Kind> {
    label: K::Label,
    more: Vec<K::Label>,
}

/// Only what stands in the bytes has to have bytes: not the target of a link, nor a type that names another.
#[test]
fn generic_types_whose_parameters_have_no_bytes() {
    let link = Link::<Opaque>::from_id(hhs_model::ObjectId::of(b""));
    let bytes = encode(&LinkOnly { link }).unwrap();
    assert_eq!(decode::<LinkOnly<Opaque>>(&bytes).unwrap().link.id(), link.id());
    stands_for(Labelled::<Plain> { label: "a".into(), more: vec![] }, map([("label", text("a")), ("more", list([]))]));
    stands_for(Marked::<u8> { link: None, by: PhantomMark(PhantomData) }, map([("by", Value::Int(0))]));
}

#[derive(Encode, Decode)]
struct LinkOnly<T> {
    link: Link<T>,
}

#[derive(Encode)]
struct Borrowed<'a, T: ?Sized> {
    text: &'a str,
    item: &'a T,
    more: Option<&'a str>,
}

/// What is only written may borrow.
#[test]
fn borrowed_fields() {
    let borrowed = Borrowed { text: "a", item: &[1_u8][..], more: None };
    assert_eq!(value(&borrowed), map([("text", text("a")), ("item", list([Value::Int(1)]))]));
}

#[derive(Encode, Decode, Debug, PartialEq, Default)]
struct Everything {
    bytes: Bytes,
    list: Vec<Option<u8>>,
    map: BTreeMap<String, Address>,
    set: BTreeSet<String>,
    pair: (u8, String),
    float: f64,
    any: Option<Link<Text>>,
    nested: Vec<Vec<Address>>,
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Text")]
struct Text(String);

/// Everything that derives can hold, in everything else.
#[test]
fn nested_types() {
    let everything = Everything {
        bytes: Bytes(vec![1, 2]),
        list: vec![None, Some(1)],
        map: [("home".to_owned(), address())].into(),
        set: ["b".to_owned(), "aa".to_owned()].into(),
        pair: (1, "a".into()),
        float: -1.0,
        any: Some(Link::to(&Text("hello".into())).unwrap()),
        nested: vec![vec![], vec![address()]],
    };
    let bytes = encode(&everything).unwrap();
    assert_eq!(decode::<Everything>(&bytes).unwrap(), everything);
    assert_eq!(encode(&decode::<Value>(&bytes).unwrap()).unwrap(), bytes);
    stands_for(Everything::default(), value(&Everything::default()));
}

/// A crate that re-exports `hhs_model` under another name, and hides the prelude's names.
mod elsewhere {
    pub(crate) mod model {
        pub(crate) use hhs_model::*;
    }

    #[allow(dead_code, reason = "they are there to be in the way")]
    mod names {
        pub(super) struct Option;
        pub(super) struct Result;
        pub(super) struct String;
        pub(super) struct Some;
        pub(super) struct Ok;
        pub(super) struct Default;
    }

    #[allow(unused_imports, reason = "they are there to be in the way")]
    use names::{Default, Ok, Option, Result, Some, String};

    #[derive(hhs_model::Encode, hhs_model::Decode)]
    #[hhs(crate = crate::derives::elsewhere::model)]
    pub(crate) struct Renamed {
        #[hhs(default)]
        pub(crate) encoder: u8,
        pub(crate) decoder: std::option::Option<u8>,
        #[hhs(unknown)]
        pub(crate) key: model::codec::Unknown,
    }

    #[derive(hhs_model::Object)]
    #[object(class = "test/v1/Choice")]
    #[hhs(crate = self::model)]
    pub(crate) enum Choice {
        None,
        Some(u8),
        Err { __map: u8 },
    }
}

/// The derives name everything by its full path.
#[test]
fn derives_among_other_names() {
    let renamed = map([("encoder", Value::Int(1)), ("decoder", Value::Int(2)), ("value", Value::Int(3))]);
    let read = renamed.to::<elsewhere::Renamed>().unwrap();
    assert_eq!((read.encoder, read.decoder, read.key.0.len()), (1, Some(2), 1));
    assert_eq!(value(&read), renamed);
    for choice in [elsewhere::Choice::None, elsewhere::Choice::Some(1), elsewhere::Choice::Err { __map: 1 }] {
        let bytes = encode(&choice).unwrap();
        assert_eq!(encode(&decode::<elsewhere::Choice>(&bytes).unwrap()).unwrap(), bytes);
    }
}
