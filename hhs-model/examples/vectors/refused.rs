//! Bytes that are refused: our reason, and what others make of them.

use hhs_model::Value;
use hhs_model::codec::{DecodeError, decode};
use ipld_core::ipld::Ipld;
use serde_json::{Value as Json, json};

/// Beside the reasons of refusal, who accepts: `serde_ipld_dagcbor` is asked when the file is written, `@ipld/dag-cbor`
/// by `vectors/oracle.mjs` whenever the file is checked.
pub(super) fn all() -> Vec<Json> {
    let vector = |(name, hex, javascript): (&str, String, bool)| {
        let hex = hex.replace(' ', "");
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("the table holds hexadecimal digits");
        let error = decode::<Value>(&bytes).expect_err("all of these are refused");
        let refused_by = json!({
            "serde_ipld_dagcbor": serde_ipld_dagcbor::from_slice::<Ipld>(&bytes).is_err(),
            "@ipld/dag-cbor": javascript,
        });
        json!({ "name": name, "hex": hex, "reason": reason(&error), "refused_by": refused_by })
    };
    table().into_iter().map(vector).collect()
}

/// The name of a reason, as `docs/format.md` has it.
pub(crate) fn reason(error: &DecodeError) -> String {
    let shown = format!("{error:?}");
    shown.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Names, bytes, and whether `@ipld/dag-cbor` refuses them.
pub(crate) fn table() -> Vec<(&'static str, String, bool)> {
    let fixed = [
        ("nothing", "", true),
        ("a head that is cut off", "19 01", true),
        ("a text that is cut off", "62 61", true),
        ("a byte string that is cut off", "42 01", true),
        ("a list with an item too few", "82 01", true),
        ("a map without its last value", "a1 61 61", true),
        ("a float that is cut off", "fb 00 00", true),
        ("a tag without content", "d8 2a", true),
        ("a text that claims 2^63 bytes", "7b 8000000000000000 61", true),
        ("a list that claims 2^63 items", "9b 8000000000000000 00", true),
        ("a map that claims 2^63 entries", "bb 8000000000000000 60 00", true),
        ("two values", "00 00", true),
        ("a value and a break", "80 ff", true),
        ("23 in two bytes", "18 17", true),
        ("255 in three bytes", "19 00ff", true),
        ("65535 in five bytes", "1a 0000ffff", true),
        ("4294967295 in nine bytes", "1b 00000000ffffffff", true),
        ("-24 in two bytes", "38 17", true),
        ("the length of a byte string in two bytes", "58 01 00", true),
        ("the length of a text in two bytes", "78 01 61", true),
        ("the length of a list in two bytes", "98 00", true),
        ("the length of a map in two bytes", "b8 00", true),
        ("the length of a key in two bytes", "a1 78 01 61 00", true),
        (
            "tag 42 in three bytes",
            "d9 002a 5825 00 01711220 1111111111111111111111111111111111111111111111111111111111111111",
            true,
        ),
        ("an indefinite byte string", "5f 41 00 ff", true),
        ("an indefinite text", "7f 61 61 ff", true),
        ("an indefinite list", "9f 00 ff", true),
        ("an indefinite map", "bf 61 61 00 ff", true),
        ("a reserved length", "1c", true),
        ("a date", "c0 60", true),
        ("a time", "c1 00", true),
        ("a big integer of CBOR", "c2 49 010000000000000000", true),
        ("tag 43", "d8 2b 40", true),
        ("a link around a text", "d8 2a 60", true),
        ("a link around nothing", "d8 2a 40", true),
        (
            "a link without the zero",
            "d8 2a 5824 01711220 1111111111111111111111111111111111111111111111111111111111111111",
            true,
        ),
        (
            "a link to CIDv0",
            "d8 2a 5823 00 1220 1111111111111111111111111111111111111111111111111111111111111111",
            false,
        ),
        (
            "a link of codec dag-pb",
            "d8 2a 5825 00 01701220 1111111111111111111111111111111111111111111111111111111111111111",
            false,
        ),
        (
            "a link with a SHA-512 hash cut to 32 bytes",
            "d8 2a 5825 00 01711320 1111111111111111111111111111111111111111111111111111111111111111",
            false,
        ),
        ("a link with a hash of 20 bytes", "d8 2a 5819 00 01711214 1111111111111111111111111111111111111111", false),
        ("undefined", "f7", false),
        ("the simple value 0", "e0", true),
        ("the simple value 32", "f8 20", true),
        ("a break", "ff", true),
        ("1.0 in 16 bits", "f9 3c00", false),
        ("1.0 in 32 bits", "fa 3f800000", false),
        ("NaN", "fb 7ff8000000000000", true),
        ("infinity", "fb 7ff0000000000000", true),
        ("minus infinity", "fb fff0000000000000", true),
        ("minus zero", "fb 8000000000000000", false),
        ("-2^63 - 1", "3b 8000000000000000", false),
        ("-2^64", "3b ffffffffffffffff", false),
        ("a text that is not UTF-8", "61 ff", false),
        ("half of a surrogate pair", "63 eda080", false),
        ("a slash in two bytes", "62 c0af", false),
        ("a key that is a number", "a1 00 00", true),
        ("a key that is a byte string", "a1 41 61 00", true),
        ("a doubled key", "a2 61 61 00 61 61 01", true),
        ("keys out of order", "a2 61 62 00 61 61 00", false),
        ("keys in the order of the alphabet", "a2 62 6161 00 61 62 00", false),
        ("keys out of order in a nested map", "81 a1 61 61 a2 61 62 00 61 61 00", false),
    ];
    let deep = [
        ("lists, 65 deep", format!("{}80", "81".repeat(64)), false),
        ("maps, 65 deep", format!("{}a0", "a160".repeat(64)), false),
    ];
    fixed.into_iter().map(|(name, hex, javascript)| (name, hex.to_owned(), javascript)).chain(deep).collect()
}
