//! Every reason for which bytes are refused, each with bytes written by hand.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;

use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPTH, MAX_LINKS};
use crate::codec::{Bytes, DecodeError, Decoder, Kind, Unknown, Value, decode};
use crate::id::{CidError, ObjectId};
use crate::{Decode, Encode, Identity, Object, object};

#[track_caller]
fn refused<T: Decode + std::fmt::Debug>(hex: &str, error: DecodeError) {
    let bytes = HEXLOWER.decode(hex.replace(' ', "").as_bytes()).expect("hexadecimal digits");
    assert_eq!(decode::<T>(&bytes).unwrap_err(), error, "{hex}");
}

/// Refused whether the type is known or not, and for the same reason.
#[track_caller]
fn never_canonical(hex: &str, error: DecodeError) {
    refused::<Value>(hex, error.clone());
    let bytes = HEXLOWER.decode(hex.replace(' ', "").as_bytes()).expect("hexadecimal digits");
    let mut decoder = Decoder::new(&bytes).unwrap();
    assert_eq!(decoder.skip().and_then(|_| decoder.finish()).unwrap_err(), error, "{hex} when read over");
}

fn expected(expected: &'static str, at: usize) -> DecodeError {
    DecodeError::Expected { expected, at }
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "test/v1/Note", validate = Note::check)]
struct Note {
    text: String,
    mood: Option<Mood>,
    #[hhs(unknown)]
    unknown: Unknown,
}

impl Note {
    fn check(&self) -> Result<(), &'static str> {
        if self.text.is_empty() { Err("a note has a text") } else { Ok(()) }
    }
}

#[derive(Encode, Decode, Debug, PartialEq)]
enum Mood {
    Glad,
    Because(String),
}

/// A download breaks off: what is there is a beginning and no value.
#[test]
fn bytes_that_end_too_early() {
    never_canonical("", DecodeError::Truncated(0));
    never_canonical("19 01", DecodeError::Truncated(2));
    never_canonical("61", DecodeError::Truncated(1));
    never_canonical("42 01", DecodeError::Truncated(2));
    never_canonical("82 01", DecodeError::Truncated(2));
    never_canonical("81", DecodeError::Truncated(1));
    never_canonical("a1 61 61", DecodeError::Truncated(3));
    never_canonical("fb 00 00", DecodeError::Truncated(3));
    never_canonical("d8 2a", DecodeError::Truncated(2));
}

/// A few bytes claim that quintillions follow. Allocating for them would abort the program.
#[test]
fn claimed_lengths_that_are_not_there() {
    for head in ["5b", "7b", "9b", "bb"] {
        for length in ["7fffffffffffffff", "ffffffffffffffff", "0000000100000000"] {
            never_canonical(&format!("{head} {length} 00"), DecodeError::Truncated(10));
            never_canonical(&format!("81 {head} {length} 00"), DecodeError::Truncated(11));
        }
    }
    refused::<Vec<u64>>("9b 7fffffffffffffff 00", DecodeError::Truncated(10));
    refused::<BTreeSet<u64>>("9b 7fffffffffffffff 00", DecodeError::Truncated(10));
    refused::<BTreeMap<String, u64>>("bb 7fffffffffffffff 60 00", DecodeError::Truncated(11));
    refused::<Bytes>("5b 7fffffffffffffff 00", DecodeError::Truncated(10));
    refused::<String>("7b 7fffffffffffffff 00", DecodeError::Truncated(10));
}

/// A second value, or rubbish, hangs on to a good one: it would change the id and not the value.
#[test]
fn bytes_after_the_value() {
    never_canonical("00 00", DecodeError::Trailing(1));
    never_canonical("80 f6 f6", DecodeError::Trailing(2));
    refused::<u8>("00 00", DecodeError::Trailing(1));
}

/// A block of 8 MiB and a byte is not even looked into.
#[test]
fn more_bytes_than_a_block_has() {
    let bytes = vec![0; MAX_BLOCK_BYTES + 1];
    assert_eq!(decode::<Value>(&bytes).unwrap_err(), DecodeError::TooLarge(MAX_BLOCK_BYTES + 1));
    assert_eq!(object::class_of(&bytes).unwrap_err(), DecodeError::TooLarge(MAX_BLOCK_BYTES + 1));
}

/// The same number in more bytes would give the same value a second id.
#[test]
fn integers_and_lengths_that_could_be_shorter() {
    for hex in ["18 17", "38 17", "19 00ff", "39 00ff", "1a 0000ffff", "1b 00000000ffffffff", "3b 00000000ffffffff"] {
        never_canonical(hex, DecodeError::NotShortest(0));
    }
    for hex in ["58 01 00", "78 01 61", "98 00", "b8 00", "99 0000", "d9 002a 40"] {
        never_canonical(hex, DecodeError::NotShortest(0));
    }
    never_canonical("a1 78 01 61 00", DecodeError::NotShortest(1));
    never_canonical("d8 2a 59 0001 00", DecodeError::NotShortest(2));
}

/// A stream of unknown length is good CBOR, and has as many encodings as it has cuts.
#[test]
fn indefinite_and_reserved_lengths() {
    for hex in ["5f ff", "7f ff", "9f ff", "bf ff", "1c", "1d", "1e", "1f", "3f", "df"] {
        never_canonical(hex, DecodeError::Indefinite(0));
    }
    never_canonical("a1 7f ff 00", DecodeError::Indefinite(1));
}

/// Other formats tag times, big numbers and much else. Here a tag is a link.
#[test]
fn tags_that_are_no_links() {
    // A time, a big integer, a tag of its own.
    never_canonical("c1 00", DecodeError::Tag(0));
    never_canonical("c2 41 01", DecodeError::Tag(0));
    never_canonical("d8 2b 40", DecodeError::Tag(0));
    // Tag 42 around a text, around no bytes, around bytes without the zero, around a link.
    never_canonical("d8 2a 60", DecodeError::Tag(0));
    never_canonical("d8 2a 40", DecodeError::Tag(0));
    never_canonical("d8 2a 41 01", DecodeError::Tag(0));
    never_canonical("d8 2a d8 2a 41 00", DecodeError::Tag(0));
}

/// Links as other IPLD systems write them: other hashes, other versions, other lengths.
#[test]
fn links_with_cids_of_other_kinds() {
    let hash = "22".repeat(32);
    let link = |source| DecodeError::Link { at: 0, source };
    never_canonical("d8 2a 41 00", link(CidError::Length { found: 0 }));
    never_canonical(&format!("d8 2a 5824 00 01711220 {}", &hash[2..]), link(CidError::Length { found: 35 }));
    // CIDv0; dag-pb; SHA-512 of 32 bytes; a hash length that is not 32; the version in a longer form.
    never_canonical(&format!("d8 2a 5823 00 1220 {hash}"), link(CidError::Length { found: 34 }));
    never_canonical(&format!("d8 2a 5825 00 01701220 {hash}"), link(CidError::Kind));
    never_canonical(&format!("d8 2a 5825 00 01711320 {hash}"), link(CidError::Kind));
    never_canonical(&format!("d8 2a 5825 00 0171121f {hash}"), link(CidError::Kind));
    never_canonical(&format!("d8 2a 5826 00 8100711220 {hash}"), link(CidError::Length { found: 37 }));
    // A link to any bytes where the type asks for one to an object.
    refused::<ObjectId>(&format!("d8 2a 5825 00 01551220 {hash}"), expected("a link to an object", 0));
}

/// Undefined, the unassigned ones, and a break where nothing is open.
#[test]
fn simple_values_that_the_format_does_not_have() {
    for hex in ["f7", "e0", "f3", "f8 18", "f8 ff", "fc", "ff"] {
        never_canonical(hex, DecodeError::Simple(0));
    }
}

/// NaN has many encodings, −0.0 equals 0.0, and infinities are no numbers that another program could be given.
#[test]
fn floats_that_are_short_or_not_finite() {
    for hex in ["f9 3c00", "fa 3f800000", "fb 7ff8000000000000", "fb 7ff0000000000001", "fb fff8000000000000"] {
        never_canonical(hex, DecodeError::Float(0));
    }
    for hex in ["fb 7ff0000000000000", "fb fff0000000000000", "fb 8000000000000000"] {
        never_canonical(hex, DecodeError::Float(0));
    }
    refused::<f64>("00", expected("a float", 0));
}

/// CBOR goes down to −2⁶⁴, which fits into no machine integer.
#[test]
fn integers_below_the_least() {
    never_canonical("3b 8000000000000000", DecodeError::Integer(0));
    never_canonical("3b ffffffffffffffff", DecodeError::Integer(0));
}

/// Text in another encoding, or cut in the middle of a letter.
#[test]
fn text_that_is_not_utf8() {
    never_canonical("61 ff", DecodeError::Utf8(0));
    // An overlong slash, half of a surrogate pair, and the first half of a letter.
    never_canonical("62 c0af", DecodeError::Utf8(0));
    never_canonical("63 eda080", DecodeError::Utf8(0));
    never_canonical("61 c3", DecodeError::Utf8(0));
    never_canonical("a1 61 ff 00", DecodeError::Utf8(1));
}

/// CBOR maps may have any keys; these are maps of text.
#[test]
fn map_keys_that_are_not_text() {
    never_canonical("a1 00 00", DecodeError::KeyKind(1));
    never_canonical("a1 41 61 00", DecodeError::KeyKind(1));
    never_canonical("a1 f6 00", DecodeError::KeyKind(1));
}

/// The same entries in another order would give the same map a second id.
#[test]
fn map_keys_and_set_items_out_of_order() {
    never_canonical("a2 61 61 00 61 61 00", DecodeError::KeyOrder(4));
    never_canonical("a2 61 62 00 61 61 00", DecodeError::KeyOrder(4));
    // Sorted bytewise, as the rule of RFC 7049 was not.
    never_canonical("a2 62 6161 00 61 62 00", DecodeError::KeyOrder(5));
    refused::<BTreeSet<u16>>("82 01 01", DecodeError::ItemOrder(2));
    refused::<BTreeSet<u16>>("82 18ff 01", DecodeError::ItemOrder(3));
    // By the numbers' own order −1 comes first; by their bytes 0 does.
    refused::<BTreeSet<i16>>("82 20 00", DecodeError::ItemOrder(2));
}

/// An item whose order ignores half of what it holds.
#[derive(Encode, Decode, Debug)]
struct Loose(u8, u8);

impl PartialEq for Loose {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Loose {}

impl PartialOrd for Loose {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Loose {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// Two items differ in their bytes only: keeping one of them would change the set's bytes.
#[test]
fn set_items_that_their_order_does_not_tell_apart() {
    refused::<BTreeSet<Loose>>("82 82 01 01 82 01 02", DecodeError::ItemOrder(4));
}

/// Reading a value must not use up the stack.
#[test]
fn nesting_one_level_too_deep() {
    let deep = |levels: usize| format!("{} 00", "81".repeat(levels));
    decode::<Value>(&HEXLOWER.decode(deep(MAX_DEPTH).replace(' ', "").as_bytes()).unwrap()).unwrap();
    never_canonical(&deep(MAX_DEPTH + 1), DecodeError::TooDeep(MAX_DEPTH + 1));
    never_canonical(&deep(100_000), DecodeError::TooDeep(MAX_DEPTH + 1));
    never_canonical(&format!("{} 00", "a160".repeat(MAX_DEPTH + 1)), DecodeError::TooDeep(2 * MAX_DEPTH + 1));
    // What has been left counts no longer.
    never_canonical(&format!("82 {0}00 {0}0000", "81".repeat(MAX_DEPTH - 1)), DecodeError::Trailing(1));
}

/// A peer sends an object that would make its reader ask for a hundred thousand others.
#[test]
fn more_links_than_an_object_may_have() {
    let link = format!("d82a58250001711220{}", "33".repeat(32));
    let list = |count: usize| format!("9a{count:08x}{}", link.repeat(count));
    never_canonical(&list(MAX_LINKS + 1), DecodeError::TooManyLinks);
    decode::<Value>(&HEXLOWER.decode(list(MAX_LINKS).as_bytes()).unwrap()).unwrap();
}

/// Bytes are canonical and stand for something else than the type asks for.
#[test]
fn values_of_another_kind() {
    refused::<u64>("60", expected("an integer", 0));
    refused::<u8>("19 0100", expected("an integer that fits into u8", 0));
    refused::<u64>("20", expected("an integer that fits into u64", 0));
    refused::<i8>("18 80", expected("an integer that fits into i8", 0));
    refused::<bool>("f6", expected("true or false", 0));
    refused::<()>("f4", expected("null", 0));
    refused::<Bytes>("60", expected("a byte string", 0));
    refused::<String>("40", expected("a text", 0));
    refused::<Vec<u8>>("40", expected("a list", 0));
    refused::<BTreeMap<String, u8>>("80", expected("a map", 0));
    refused::<ObjectId>("40", expected("a link", 0));
    refused::<(u8, u8)>("81 00", expected("a list of 2 items", 0));
    refused::<Option<u8>>("60", expected("an integer", 0));
    refused::<Mood>("00", expected("a variant: a text, or a map of one entry that holds its content", 0));
}

/// The class is missing or not the first entry, or a field is missing or of another kind.
#[test]
fn objects_without_what_their_class_asks_for() {
    refused::<Note>("a0", DecodeError::MissingField("$"));
    refused::<Note>("a1 64 74657874 61 68", DecodeError::MissingField("$"));
    refused::<Note>("a1 61 24 6c 746573742f76312f4e6f7465", DecodeError::MissingField("text"));
    refused::<Note>("a2 61 24 6c 746573742f76312f4e6f7465 64 74657874 00", expected("a text", 21));
    refused::<Identity>("a1 61 24 6f 6868732f76312f4964656e74697479", DecodeError::MissingField("key"));
}

/// A link said that there is a note; there is something else.
#[test]
fn objects_of_another_class() {
    let found = "test/v2/Note".to_owned();
    let class = DecodeError::Class { expected: Note::CLASS, found };
    refused::<Note>("a1 61 24 6c 746573742f76322f4e6f7465", class);
    // A class name of 70,000 letters is not repeated in full.
    let long = format!("a1 61 24 7a 00011170 {}", "61".repeat(70_000));
    refused::<Note>(&long, DecodeError::Class { expected: Note::CLASS, found: "a".repeat(256) });
}

/// A newer program knows a mood that this one does not.
#[test]
fn variants_that_the_type_does_not_have() {
    refused::<Mood>("63 536164", DecodeError::UnknownVariant("Sad".into()));
    refused::<Mood>("a1 63 536164 00", DecodeError::UnknownVariant("Sad".into()));
    refused::<Mood>(&format!("7a 00011170 {}", "61".repeat(70_000)), DecodeError::UnknownVariant("a".repeat(256)));
    refused::<Mood>("67 42656361757365", expected("the content of the variant \"Because\"", 0));
    let glad = "the variant \"Glad\" as a text, as it has no content";
    refused::<Mood>("a1 64 476c6164 f6", expected(glad, 0));
}

/// An absent option written as null, and a public key that everybody can sign for.
#[test]
fn values_that_their_type_does_not_allow() {
    let null = DecodeError::Invalid("an absent option is an absent field, not null");
    refused::<Note>("a3 61 24 6c 746573742f76312f4e6f7465 64 6d6f6f64 f6 64 74657874 61 68", null);
    let key = DecodeError::Invalid("the public key is of small order");
    refused::<crate::PublicKey>(&format!("5820 01{}", "00".repeat(31)), key);
}

/// The bytes are a note; a note like that is not allowed.
#[test]
fn objects_that_their_class_refuses() {
    let reason = DecodeError::Validation("a note has a text".into());
    refused::<Note>("a2 61 24 6c 746573742f76312f4e6f7465 64 74657874 60", reason.clone());
    // Nested ones too.
    refused::<Vec<Note>>("81 a2 61 24 6c 746573742f76312f4e6f7465 64 74657874 60", reason);
}

/// A class name that would fill a screen.
#[test]
fn objects_over_a_bound_of_their_own() {
    let class = format!("a1 61 24 79 0101 {}", "61".repeat(257)).replace(' ', "");
    let bytes = HEXLOWER.decode(class.as_bytes()).unwrap();
    let bound = DecodeError::Bound { what: "bytes of a class name", count: 257, limit: 256 };
    assert_eq!(object::class_of(&bytes).unwrap_err(), bound);
}

/// A reason that is added has to be added to the tests above.
#[test]
fn every_reason_has_its_test() {
    fn tested(error: &DecodeError) {
        match error {
            DecodeError::Truncated(_)
            | DecodeError::Trailing(_)
            | DecodeError::TooLarge(_)
            | DecodeError::NotShortest(_)
            | DecodeError::Indefinite(_)
            | DecodeError::Tag(_)
            | DecodeError::Link { .. }
            | DecodeError::Simple(_)
            | DecodeError::Float(_)
            | DecodeError::Integer(_)
            | DecodeError::Utf8(_)
            | DecodeError::KeyKind(_)
            | DecodeError::KeyOrder(_)
            | DecodeError::ItemOrder(_)
            | DecodeError::TooDeep(_)
            | DecodeError::TooManyLinks
            | DecodeError::Expected { .. }
            | DecodeError::MissingField(_)
            | DecodeError::UnknownVariant(_)
            | DecodeError::Class { .. }
            | DecodeError::Invalid(_)
            | DecodeError::Validation(_)
            | DecodeError::Bound { .. } => {}
        }
    }
    tested(&DecodeError::TooManyLinks);
}

/// What comes next can be asked without reading it.
#[test]
fn kinds_of_items() {
    let kinds = [
        ("00", Kind::Integer),
        ("20", Kind::Integer),
        ("40", Kind::Bytes),
        ("60", Kind::Text),
        ("80", Kind::List),
        ("a0", Kind::Map),
        ("d82a", Kind::Link),
        ("f4", Kind::Bool),
        ("f6", Kind::Null),
        ("fb", Kind::Float),
    ];
    for (hex, kind) in kinds {
        let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
        let decoder = Decoder::new(&bytes).unwrap();
        assert_eq!((decoder.peek().unwrap(), decoder.position(), decoder.remaining()), (kind, 0, bytes.len()));
    }
}
