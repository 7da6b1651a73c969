//! A file of the first format of the store, as the first version of this program left it.

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::{Depth, Query, Store};
use hhs_store_redb::RedbBackend;

/// Somebody opens a space that was written by the first version: it gets its indexes, and is sound, then and when it is
/// opened again.
#[test]
fn a_file_of_the_first_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("space.redb");
    std::fs::write(&path, include_bytes!("../fixtures/format-1.redb")).unwrap();
    for _ in 0..2 {
        block_on(async {
            let store = Store::open(RedbBackend::open(&path).unwrap(), Registry::new()).await.unwrap();
            let mut found = Vec::new();
            let checked = store.check(Depth::Signatures, |finding| found.push(finding.to_string())).await.unwrap();
            assert!(checked.is_sound(), "{found:?}");
            assert_eq!((checked.objects, checked.replicas, checked.ops), (10, 2, 48));
            assert_eq!(store.query(&Query::class("test/v1/Album")).await.unwrap().len(), 2);
            assert_eq!(store.local("name").await.unwrap().as_deref(), Some(b"thin".as_slice()));
        });
    }
}
