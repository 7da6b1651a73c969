//! The registry: objects by the class that they name, and older classes as newer ones.

use hhs_model::bounds::MAX_UPGRADES;
use hhs_model::codec::{DecodeError, EncodeError, Unknown, encode};
use hhs_model::object::{self, Object};
use hhs_model::registry::{Decoded, ReadError, RegistryError};
use hhs_model::{Decode, Encode, Object as DeriveObject, Registry, Value};

#[derive(DeriveObject, Debug, PartialEq)]
#[object(class = "chat/v1/Message")]
struct MessageV1 {
    text: String,
}

#[derive(DeriveObject, Debug, PartialEq)]
#[object(class = "chat/v2/Message", upgrades = MessageV1)]
struct MessageV2 {
    text: String,
    loud: bool,
}

impl From<MessageV1> for MessageV2 {
    fn from(old: MessageV1) -> Self {
        Self { loud: old.text.ends_with('!'), text: old.text }
    }
}

#[derive(DeriveObject, Debug, PartialEq)]
#[object(class = "chat/v3/Message", validate = Message::check)]
struct Message {
    words: Vec<String>,
    #[hhs(unknown)]
    rest: Unknown,
}

impl Message {
    fn check(&self) -> Result<(), &'static str> {
        if self.words.iter().any(String::is_empty) { Err("a word has letters") } else { Ok(()) }
    }
}

fn words(old: MessageV2) -> Result<Message, String> {
    match old.text.as_str() {
        "" => Err("it says nothing".to_owned()),
        text => Ok(Message { words: text.split(' ').map(str::to_owned).collect(), rest: Unknown::default() }),
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.try_upgrade::<MessageV2, Message, _>(words).unwrap();
    registry
}

fn v1(text: &str) -> Vec<u8> {
    object::to_bytes(&MessageV1 { text: text.into() }).unwrap()
}

/// A room has messages of three versions; the program knows the last one, and how one leads to the next.
#[test]
fn older_versions_are_read_as_the_newest() {
    let registry = registry();
    let newest = Message { words: vec!["good".into(), "morning!".into()], rest: Unknown::default() };
    let bytes = v1("good morning!");
    let before = bytes.clone();
    assert_eq!(registry.read::<Message>(&bytes), Ok(newest));
    assert_eq!(bytes, before, "what is stored stays as it is");
    let second = MessageV2 { text: "good morning!".into(), loud: true };
    assert_eq!(registry.read::<MessageV2>(&bytes).as_ref(), Ok(&second));
    let second = object::to_bytes(&second).unwrap();
    assert_eq!(registry.read::<Message>(&second).unwrap().words, ["good", "morning!"]);
    let third = object::to_bytes(&registry.read::<Message>(&second).unwrap()).unwrap();
    assert_eq!(registry.read::<Message>(&third).unwrap().words.len(), 2);
    // Whatever is registered, an object is read as what it is.
    assert_eq!(Registry::new().read::<MessageV1>(&bytes).unwrap().text, "good morning!");
}

/// A derive says which older class a class upgrades; registering the newest is enough.
#[test]
fn upgrades_by_derive() {
    let mut registry = Registry::new();
    registry.register::<MessageV2>().register::<MessageV2>();
    assert!(registry.read::<MessageV2>(&v1("hello!")).unwrap().loud);
    assert!(matches!(registry.decode(&v1("hello!")), Ok(Decoded::Known(_))));
    assert_eq!(format!("{registry:?}"), r#"{"chat/v1/Message": Some("chat/v2/Message"), "chat/v2/Message": None}"#);
}

/// An upgrade does not take every object, and what it makes is not always valid: the app is told, and gets nothing.
#[test]
fn upgrades_that_fail() {
    let registry = registry();
    let (from, to, reason) = ("chat/v2/Message", "chat/v3/Message", "it says nothing".to_owned());
    assert_eq!(registry.read::<Message>(&v1("")), Err(ReadError::Failed { from, to, reason }));
    let error = EncodeError::Validation("a word has letters".into());
    assert_eq!(registry.read::<Message>(&v1("two  blanks")), Err(ReadError::Invalid { class: to, error }));
    let broken = [v1("x"), vec![0]].concat();
    assert_eq!(registry.read::<Message>(&broken), Err(ReadError::Decode(DecodeError::Trailing(1))));
}

/// A newer version than the program knows, and an older one than the object: nothing leads there.
#[test]
fn versions_that_nothing_leads_to() {
    let registry = registry();
    let newest = object::to_bytes(&registry.read::<Message>(&v1("hi")).unwrap()).unwrap();
    let no_upgrade = |found: &str, expected| ReadError::NoUpgrade { found: found.to_owned(), expected };
    assert_eq!(registry.read::<MessageV1>(&newest), Err(no_upgrade("chat/v3/Message", "chat/v1/Message")));
    let later = encode(&Value::Map([("$", Value::from("chat/v4/Message"))].into())).unwrap();
    assert_eq!(registry.read::<Message>(&later), Err(no_upgrade("chat/v4/Message", "chat/v3/Message")));
    assert_eq!(registry.read::<Message>(&[0xa0]), Err(ReadError::Decode(DecodeError::MissingField("$"))));
}

/// A class with a number in its type, so that there can be many.
macro_rules! versions {
    ($($name:ident $class:literal),*) => { $(
        #[derive(DeriveObject, Debug)]
        #[object(class = $class)]
        struct $name {}
    )* };
}
versions!(A "test/v1/A", B "test/v2/A", C "test/v3/A", D "test/v4/A");

/// Versions that lead in a circle, two newer versions of one, or one that is its own: refused, and the rest stays.
#[test]
fn upgrades_that_contradict_each_other() {
    let mut registry = Registry::new();
    registry.upgrade::<A, B>(|_| B {}).unwrap().upgrade::<B, C>(|_| C {}).unwrap();
    assert_eq!(registry.upgrade::<C, A>(|_| A {}).unwrap_err(), RegistryError::Cycle("test/v3/A"));
    assert_eq!(registry.upgrade::<D, D>(|old| old).unwrap_err(), RegistryError::Cycle("test/v4/A"));
    let (from, to) = ("test/v1/A", "test/v2/A");
    assert_eq!(registry.upgrade::<A, D>(|_| D {}).unwrap_err(), RegistryError::Taken { from, to });
    registry.read::<C>(&object::to_bytes(&A {}).unwrap()).unwrap();
    registry.upgrade::<C, D>(|_| D {}).unwrap();
    registry.read::<D>(&object::to_bytes(&A {}).unwrap()).unwrap();
}

#[derive(DeriveObject, Debug)]
#[object(class = "test/v1/A")]
struct Namesake {}

#[derive(DeriveObject, Debug)]
#[object(class = "test/v1/Egg", upgrades = Hen)]
struct Egg {}

#[derive(DeriveObject, Debug)]
#[object(class = "test/v1/Hen", upgrades = Egg)]
struct Hen {}

impl From<Hen> for Egg {
    fn from(_: Hen) -> Self {
        Self {}
    }
}

impl From<Egg> for Hen {
    fn from(_: Egg) -> Self {
        Self {}
    }
}

/// Two types under one name: an upgrade would hand one to the other's code.
#[test]
fn two_types_under_one_name() {
    let mut registry = Registry::new();
    registry.upgrade::<A, B>(|_| B {}).unwrap();
    let other = RegistryError::OtherType("test/v1/A");
    assert_eq!(registry.upgrade::<Namesake, C>(|_| C {}).unwrap_err(), other);
    assert_eq!(registry.upgrade::<C, Namesake>(|_| Namesake {}).unwrap_err(), other);
    // The later one counts, and has no upgrades of the earlier one.
    registry.register::<Namesake>();
    assert!(matches!(registry.read::<B>(&object::to_bytes(&A {}).unwrap()), Err(ReadError::NoUpgrade { .. })));
    assert!(matches!(registry.decode(&object::to_bytes(&A {}).unwrap()), Ok(Decoded::Known(object))
        if object.downcast_ref::<Namesake>().is_some() && object.downcast_ref::<A>().is_none()));
}

/// Two derives that upgrade each other's class are a mistake in the program, found when it starts.
#[test]
#[should_panic(expected = "upgrades would lead from the class \"test/v1/Egg\" back to itself")]
fn derives_that_contradict_each_other() {
    Registry::new().register::<Hen>();
}

/// Each number is a class of its own.
#[derive(Debug)]
struct Numbered<const N: usize>;

impl<const N: usize> Encode for Numbered<N>
where
    Self: Object,
{
    fn encode(&self, encoder: &mut hhs_model::codec::Encoder) {
        encoder.map(1).key(object::CLASS_KEY).text(Self::CLASS);
    }
}

impl<const N: usize> Decode for Numbered<N>
where
    Self: Object,
{
    fn decode(decoder: &mut hhs_model::codec::Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        object::expect_class(&mut map, decoder, Self::CLASS)?;
        map.next_key(decoder)?;
        Ok(Self)
    }
}

fn link<const FROM: usize, const TO: usize>(registry: &mut Registry) -> Result<(), RegistryError>
where
    Numbered<FROM>: Object,
    Numbered<TO>: Object,
{
    registry.upgrade::<Numbered<FROM>, Numbered<TO>>(|_| Numbered).map(drop)
}

/// The class of each number, and a function that says that each but the first and the last two becomes the next.
macro_rules! numbered {
    ($first:literal $($number:literal)* | $last:literal $beyond:literal) => {
        numbered!(class $first $($number)* $last $beyond);

        fn chain(registry: &mut Registry) {
            $(link::<$number, { $number + 1 }>(registry).unwrap();)*
        }
    };
    (class $($number:literal)*) => { $(
        impl Object for Numbered<$number> {
            const CLASS: &'static str = concat!("test/v", $number, "/Numbered");
        }
    )* };
}
numbered!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
    41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 | 65 66);

/// Versions upon versions: as many as there may be, in one chain, whichever end it grows from.
#[test]
fn chains_that_are_too_long() {
    let registry = &mut Registry::new();
    chain(registry);
    assert_eq!(MAX_UPGRADES, 64);
    registry.read::<Numbered<65>>(&object::to_bytes(&Numbered::<1>).unwrap()).unwrap();
    assert_eq!(link::<65, 66>(registry), Err(RegistryError::TooLong(Numbered::<1>::CLASS)));
    assert_eq!(link::<0, 1>(registry), Err(RegistryError::TooLong(Numbered::<0>::CLASS)));
    link::<0, 2>(registry).unwrap();
    registry.read::<Numbered<65>>(&object::to_bytes(&Numbered::<0>).unwrap()).unwrap();
}

/// A tool shows objects of all classes: those that it knows as what they are, others as what they say. What it writes back
/// is what it read.
#[test]
fn objects_of_any_class() {
    let registry = registry();
    let known = [("$", "chat/v3/Message".into()), ("later", Value::Int(1)), ("words", Value::List(vec!["hi".into()]))];
    let unknown = [("$", Value::from("todo/v1/Item")), ("due", Value::Null), ("of", Value::from(1))];
    for (value, class) in [(Value::Map(known.into()), "chat/v3/Message"), (Value::Map(unknown.into()), "todo/v1/Item")]
    {
        let bytes = encode(&value).unwrap();
        let decoded = registry.decode(&bytes).unwrap();
        assert_eq!((decoded.class(), decoded.to_bytes().unwrap()), (class, bytes));
        match decoded {
            Decoded::Known(object) => {
                assert_eq!(format!("{object:?}"), "AnyObject(chat/v3/Message)");
                let object = object.downcast::<MessageV1>().unwrap_err();
                assert_eq!(object.downcast::<Message>().unwrap().words, ["hi"]);
            }
            Decoded::Unknown(shown) => assert_eq!(shown, value),
        }
    }
    let empty_word = [("$", "chat/v3/Message".into()), ("words", Value::List(vec!["".into()]))];
    let refused = registry.decode(&encode(&Value::Map(empty_word.into())).unwrap()).unwrap_err();
    assert_eq!(refused, DecodeError::Validation("a word has letters".into()));
    assert_eq!(registry.decode(&[0xa0]).unwrap_err(), DecodeError::MissingField("$"));
}
