//! The memory backend under the conformance suite, and what the helpers of the backend trait promise.

use std::collections::BTreeMap;
use std::future;
use std::ops::Bound;
use std::sync::Mutex;

use futures::executor::block_on;
use hhs_store::backend::{Backend, Batch, MemoryBackend, is_empty_range, prefix_range};
use hhs_store::test_kit;

/// The reference backend is held to the same suite as every other one.
#[test]
fn the_memory_backend_conforms() {
    let places = Mutex::new(BTreeMap::<String, MemoryBackend>::new());
    let open = |name: String| future::ready(places.lock().unwrap().entry(name).or_default().clone());
    block_on(test_kit::conformance(open));
}

/// Two handles on one memory backend are one store, two backends made anew are two.
#[test]
fn a_clone_of_a_memory_backend_shares_its_data() {
    let store = MemoryBackend::new();
    let mut batch = Batch::new();
    batch.put("key", "value");
    block_on(store.clone().commit(batch)).unwrap();
    assert_eq!(block_on(store.get(b"key")).unwrap().as_deref(), Some(b"value".as_slice()));
    assert_eq!(block_on(MemoryBackend::new().get(b"key")).unwrap(), None);
}

/// The range of a prefix ends at the next prefix of the same length, or shorter where that would overflow, or nowhere.
#[test]
fn a_prefix_range_ends_where_the_prefix_does() {
    let from = |start: &[u8], end| (Bound::Included(start.to_vec()), end);
    assert_eq!(prefix_range(b"ab"), from(b"ab", Bound::Excluded(b"ac".to_vec())));
    assert_eq!(prefix_range(b"a\xff\xff"), from(b"a\xff\xff", Bound::Excluded(b"b".to_vec())));
    assert_eq!(prefix_range(b"\xff"), from(b"\xff", Bound::Unbounded));
    assert_eq!(prefix_range(b""), from(b"", Bound::Unbounded));
}

/// A range that is turned over, or leaves out the one key it spans, is empty; one that spans a single key is not.
#[test]
fn only_ranges_without_any_key_are_empty() {
    let (a, b) = (b"a".to_vec(), b"b".to_vec());
    assert!(is_empty_range(&(Bound::Included(b.clone()), Bound::Included(a.clone()))));
    assert!(is_empty_range(&(Bound::Excluded(a.clone()), Bound::Excluded(a.clone()))));
    assert!(is_empty_range(&(Bound::Included(a.clone()), Bound::Excluded(a.clone()))));
    assert!(!is_empty_range(&(Bound::Included(a.clone()), Bound::Included(a.clone()))));
    assert!(!is_empty_range(&(Bound::Excluded(a.clone()), Bound::Excluded(b))));
    assert!(!is_empty_range(&(Bound::Unbounded, Bound::Excluded(a))));
}
