//! Replays the corpora and the crashers of the fuzz targets in `fuzz/`.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/targets.rs"]
mod targets;

/// Runs a target with every file of its corpus, and with every input that ever made it fail.
fn replay(name: &str, target: fn(&[u8])) {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz"));
    let mut seeds = 0;
    for folder in [fuzz.join("corpus").join(name), fuzz.join("crashes").join(name)] {
        // Most targets have no crashers.
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry.expect("the folder can be read").path();
            let bytes = fs::read(&path).expect("the file can be read");
            let caught = std::panic::catch_unwind(|| target(&bytes));
            assert!(caught.is_ok(), "{} fails", path.display());
            seeds += 1;
        }
    }
    assert!(seeds > 0, "{name} has no corpus");
}

/// What was found once is not to be found again.
#[test]
fn every_input_that_was_worth_keeping() {
    replay("value", targets::value);
    replay("typed", targets::typed);
    replay("big_integer", targets::big_integer);
    replay("identity", targets::identity);
    replay("genesis", targets::genesis);
    replay("header", targets::header);
    replay("act", targets::act);
    replay("cid", targets::cid);
    replay("links", targets::links);
}

/// The seeds of what is accepted are accepted: a corpus that is refused at the first byte would test nothing.
#[test]
fn corpora_that_reach_deep() {
    use hhs_model::codec::decode;
    let accepted = |name: &str, accepts: fn(&[u8]) -> bool| {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(name);
        let files = folder.read_dir().expect("the corpus is there");
        files.filter(|file| accepts(&fs::read(file.as_ref().expect("a file").path()).expect("it can be read"))).count()
    };
    assert!(accepted("value", |bytes| decode::<hhs_model::Value>(bytes).is_ok()) > 50);
    assert!(accepted("identity", |bytes| hhs_model::Identity::from_bytes(bytes).is_ok()) >= 4);
    assert!(accepted("genesis", |bytes| decode::<hhs_model::op::Genesis>(bytes).is_ok()) >= 7);
    assert!(accepted("header", |bytes| hhs_model::op::Op::from_bytes(bytes).is_ok()) >= 5);
    assert!(accepted("act", |bytes| decode::<hhs_model::op::Act>(bytes).is_ok()) >= 1);
    assert!(accepted("cid", |bytes| String::from_utf8_lossy(bytes).parse::<hhs_model::Cid>().is_ok()) >= 5);
    assert!(accepted("links", |bytes| hhs_model::object::links(bytes).is_ok_and(|links| !links.is_empty())) >= 3);
    assert!(accepted("big_integer", |bytes| decode::<hhs_model::BigInt>(bytes).is_ok()) >= 20);
    assert!(accepted("typed", |bytes| decode::<hhs_model::Value>(bytes).is_ok()) >= 3);
}
