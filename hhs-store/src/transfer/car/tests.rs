//! What is written is what is read, and nothing else is read.

use futures::executor::block_on;
use hhs_model::Cid;
use hhs_model::codec::{Value, encode};

use super::{CarError, MAX_HEADER_BYTES, Reader, Writer};

/// A file with these blocks, whose root is the first.
fn file(blocks: &[&str]) -> Vec<u8> {
    let mut file = Vec::new();
    let blocks: Vec<Vec<u8>> = blocks.iter().map(|text| encode(*text).unwrap()).collect();
    let write = async {
        let mut writer = Writer::new(&mut file, Cid::of_object(&blocks[0])).await?;
        for block in &blocks {
            writer.block(Cid::of_object(block), block).await?;
        }
        writer.finish().await
    };
    let (count, bytes) = block_on(write).unwrap();
    assert_eq!((count, bytes), (blocks.len() as u64, file.len() as u64));
    file
}

/// Where the hash of the root lies in a file.
const ROOT_AT: usize = 1 + 13 + 4;

/// The texts in a file, or why it cannot be read.
fn read(file: &[u8]) -> Result<Vec<String>, CarError> {
    block_on(async {
        let (mut reader, roots) = Reader::new(file).await?;
        let mut texts = Vec::new();
        while let Some(block) = reader.next().await? {
            assert_eq!(roots.len(), 1);
            texts.push(hhs_model::codec::decode(&block.bytes).unwrap());
        }
        Ok(texts)
    })
}

/// What is written is what is read, blocks whose length takes several bytes among them.
#[test]
fn a_file_is_read_as_it_was_written() {
    let long = "long ".repeat(10_000);
    assert_eq!(read(&file(&["one", &long, ""])).unwrap(), ["one", &long, ""]);
}

/// The bytes of a small file are those of the specification.
#[test]
fn the_bytes_of_a_file() {
    let cid = "01711220961b6dd3ede3cb8ecbaacbd68de040cd78eb2ed5889130cceb4c49268ea4d506";
    let header = format!("3aa265726f6f747381d82a582500{cid}6776657273696f6e01");
    let expected = format!("{header}26{cid}6161");
    assert_eq!(data_encoding::HEXLOWER.encode(&file(&["a"])), expected);
}

/// A copy that stopped in the midst of a block is cut off; one that stopped between blocks reads as a file of fewer, which
/// the manifest of an exported space tells from a whole one.
#[test]
fn a_file_that_was_cut_off() {
    let whole = file(&["one", "two", "three"]);
    let ends: Vec<usize> = [&["one"][..], &["one", "two"]].iter().map(|blocks| file(blocks).len()).collect();
    let header = ends[0] - (1 + Cid::BYTES + 4);
    for length in 0..whole.len() {
        match read(&whole[..length]) {
            Ok(texts) => assert!(length == header && texts.is_empty() || ends.contains(&length), "{length}: {texts:?}"),
            Err(CarError::Truncated(at)) => assert_eq!(at, length as u64),
            Err(error) => panic!("{length}: {error}"),
        }
    }
}

/// A disk has turned a bit: wherever it was, the file is not read as another one.
#[test]
fn a_file_with_one_bit_turned() {
    let whole = file(&["one", "two"]);
    for at in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        let is_root = (ROOT_AT * 8..(ROOT_AT + 32) * 8).contains(&at);
        // Another root is a file of another space, as far as framing goes.
        assert!(is_root || read(&damaged).is_err(), "bit {at}");
    }
}

/// Somebody claims a block of an exabyte, or a length without end: refused before anything is read for it.
#[test]
fn lengths_that_no_block_has() {
    let header = || file(&["one"])[..0x3b].to_vec();
    for length in [&[0xff; 12][..], &[0xff, 0xff, 0xff, 0xff, 0x7f], &[5, 0, 0, 0, 0, 0]] {
        let mut claims = header();
        claims.extend_from_slice(length);
        assert!(matches!(read(&claims), Err(CarError::Section { at: 0x3b, .. })), "{length:?}");
    }
    let claims = [0xff, 0xff, 0x7f];
    let too_large = u64::from(0x001f_ffff_u32);
    assert!(too_large > MAX_HEADER_BYTES as u64);
    assert!(matches!(read(&claims), Err(CarError::Section { at: 0, size }) if size == too_large));
}

/// Files of other kinds, and of another version.
#[test]
fn what_is_no_car_file_of_version_1() {
    let header = |value: Value| {
        let bytes = encode(&value).unwrap();
        [&[bytes.len() as u8][..], &bytes].concat()
    };
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let roots = || ("roots", Value::List(vec![]));
    let good = header(map(vec![roots(), ("version", Value::Int(1))]));
    assert!(read(&good).unwrap().is_empty());
    for value in [
        map(vec![roots(), ("version", Value::Int(2))]),
        map(vec![roots()]),
        map(vec![("version", Value::Int(1))]),
        map(vec![("roots", Value::List(vec![Value::Null])), ("version", Value::Int(1))]),
        Value::Text("CAR".into()),
    ] {
        let refused = read(&header(value.clone()));
        assert!(matches!(refused, Err(CarError::Header(_))), "{value:?}: {refused:?}");
    }
    assert!(matches!(read(b""), Err(CarError::Truncated(0))));
    assert!(read(b"PK\x03\x04 and so on, as other archives begin, for a while").is_err());
}
