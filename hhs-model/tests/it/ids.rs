//! Ids: the text forms that IPLD tools show.

use hhs_model::codec::encode;
use hhs_model::id::{CidError, Codec};
use hhs_model::{Cid, Hash, ObjectId, OpId, Value};

/// The CIDs that the IPLD project's own tools print for these.
const EMPTY_MAP: &str = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
const HELLO_WORLD: &str = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae";
const NO_BYTES: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

/// Someone looks an object up with another tool.
#[test]
fn ids_are_the_cids_of_other_tools() {
    assert_eq!(ObjectId::of(&encode(&Value::Map(Default::default())).unwrap()).to_string(), EMPTY_MAP);
    let hello = Value::Map([("hello".to_owned(), Value::Text("world".into()))].into());
    assert_eq!(Cid::of_object(&encode(&hello).unwrap()).to_string(), HELLO_WORLD);
    assert_eq!(Cid { codec: Codec::Raw, hash: Hash::of(b"") }.to_string(), NO_BYTES);
}

/// An id is printed, sent by mail and typed in again.
#[test]
fn texts_are_read_as_they_were_written() {
    for text in [EMPTY_MAP, HELLO_WORLD, NO_BYTES] {
        let cid: Cid = text.parse().unwrap();
        assert_eq!(cid.to_string(), text);
        assert_eq!(Cid::from_bytes(&cid.to_bytes()).unwrap(), cid);
        assert_eq!(format!("{cid:?}"), text);
    }
    let id: OpId = EMPTY_MAP.parse().unwrap();
    assert_eq!((id.to_string(), id.cid()), (EMPTY_MAP.to_owned(), EMPTY_MAP.parse().unwrap()));
    assert_eq!(ObjectId::from(id).as_bytes(), id.as_bytes());
}

/// Bytes of any kind have no class: an object's id is never one of them.
#[test]
fn the_id_of_an_object_is_of_canonical_bytes() {
    assert_eq!(NO_BYTES.parse::<ObjectId>(), Err(CidError::Kind));
}

/// Someone mistypes an id, or copies one that another system made.
#[test]
fn texts_that_are_no_ids() {
    let text = |text: &str| text.parse::<Cid>();
    assert_eq!(text(""), Err(CidError::Text));
    assert_eq!(text("b"), Err(CidError::Text));
    assert_eq!(text(&EMPTY_MAP[..58]), Err(CidError::Text));
    assert_eq!(text(&format!("{EMPTY_MAP}a")), Err(CidError::Text));
    assert_eq!(text(&format!(" {}", &EMPTY_MAP[..58])), Err(CidError::Text));
    assert_eq!(text(&EMPTY_MAP.to_uppercase()), Err(CidError::Text));
    assert_eq!(text(&format!("b{}", EMPTY_MAP[1..].to_uppercase())), Err(CidError::Text));
    assert_eq!(text(&EMPTY_MAP.replace('4', "1")), Err(CidError::Text));
    assert_eq!(text(&format!("b{}é", &EMPTY_MAP[1..57])), Err(CidError::Text));
    // The last digit stands for two bits that are not part of the hash: they have to be zero.
    assert_eq!(text(&format!("{}b", &EMPTY_MAP[..58])), Err(CidError::Text));
    // A CIDv0, and the CID of a directory of files.
    assert_eq!(text("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"), Err(CidError::Text));
    assert_eq!(text("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"), Err(CidError::Kind));
}

/// A megabyte where an id should be is refused before anything is made of it.
#[test]
fn texts_of_any_length() {
    assert_eq!("b".repeat(1 << 20).parse::<Cid>(), Err(CidError::Text));
    assert_eq!(Cid::from_bytes(&vec![1; 1 << 20]), Err(CidError::Length { found: 1 << 20 }));
}
