//! Checks of single entries: what is put is got, whatever its size.

use super::Open;
use super::fixture::{Dice, commit, everything, get, get_many, put};
use crate::backend::{Backend, BackendError, BackendStats, Batch, MAX_KEY_BYTES, MAX_VALUE_BYTES};

/// A key has no value until it is put, then the value put last, and none after it was deleted; its neighbours are not
/// touched, and deleting what is not there is no error.
pub async fn a_value_is_there_from_its_put_to_its_delete(open: &impl Open) {
    let store = &open.open("put_and_delete").await;
    assert_eq!(get(store, "key").await, None, "a new store is empty");

    put(store, "ke", "shorter").await;
    put(store, "key", "first").await;
    put(store, "key\0", "longer").await;
    assert_eq!(get(store, "key").await.as_deref(), Some(b"first".as_slice()));
    put(store, "key", "second").await;
    assert_eq!(get(store, "key").await.as_deref(), Some(b"second".as_slice()));

    let mut deletion = Batch::new();
    deletion.delete("key").delete("never there");
    commit(store, deletion).await;
    assert_eq!(get(store, "key").await, None, "it was deleted");
    assert_eq!(get(store, "ke").await.as_deref(), Some(b"shorter".as_slice()));
    assert_eq!(get(store, "key\0").await.as_deref(), Some(b"longer".as_slice()));
}

/// A reader asks for many keys at once, out of order, some twice, some absent, some too long to be there at all: the
/// answers stand where the keys stood.
pub async fn many_values_come_in_the_order_of_their_keys(open: &impl Open) {
    let store = &open.open("many_values").await;
    let mut batch = Batch::new();
    for number in 0..500_u32 {
        batch.put(number.to_be_bytes(), number.to_le_bytes());
    }
    commit(store, batch).await;

    let keys: Vec<u32> = vec![499, 3, 500, 3, 0, u32::MAX, 250];
    let expected: Vec<_> = keys.iter().map(|key| (*key < 500).then(|| key.to_le_bytes().to_vec())).collect();
    let keys: Vec<_> = keys.iter().map(|key| key.to_be_bytes().to_vec()).collect();
    assert_eq!(get_many(store, &keys).await, expected);
    assert_eq!(get_many(store, &[]).await, Vec::<Option<Vec<u8>>>::new());
    assert_eq!(get_many(store, &[vec![7; 2 * MAX_KEY_BYTES]]).await, [None]);
}

/// An index entry often has no value and the first key of all is the empty one: both are entries like others.
pub async fn empty_values_and_the_empty_key_are_entries(open: &impl Open) {
    let store = &open.open("empty_values").await;
    let mut batch = Batch::new();
    batch.put("", "at the empty key").put("empty", "");
    commit(store, batch).await;
    assert_eq!(get(store, "").await.as_deref(), Some(b"at the empty key".as_slice()));
    assert_eq!(get(store, "empty").await.as_deref(), Some(b"".as_slice()));
    let entries = everything(store).await;
    assert_eq!(entries, [(b"".to_vec(), b"at the empty key".to_vec()), (b"empty".to_vec(), b"".to_vec())]);

    let mut deletion = Batch::new();
    deletion.delete("").delete("empty");
    commit(store, deletion).await;
    assert_eq!(everything(store).await, []);
}

/// A picture of 4 MiB is stored between small entries, replaced by a smaller one, then by a larger one: each comes back
/// byte for byte and the neighbours stay.
pub async fn big_values_come_back_byte_for_byte(open: &impl Open) {
    let store = &open.open("big_values").await;
    let mut dice = Dice::new(4);
    put(store, "a", "before").await;
    put(store, "c", "behind").await;
    for size in [4 << 20, 70_000, 9 << 20, 4095, 4096, 4097] {
        let picture = dice.bytes(size);
        put(store, "b", picture.clone()).await;
        assert!(get(store, "b").await == Some(picture), "a value of {size} bytes comes back as it was");
    }
    assert_eq!(get(store, "a").await.as_deref(), Some(b"before".as_slice()));
    assert_eq!(get(store, "c").await.as_deref(), Some(b"behind".as_slice()));
}

/// Keys and values of exactly the stated bounds are stored; one byte more is refused, named, and nothing of the batch is
/// there.
pub async fn the_largest_key_and_value_pass_and_one_byte_more_does_not(open: &impl Open) {
    let store = &open.open("bounds").await;
    let (key, value) = (vec![0xff; MAX_KEY_BYTES], vec![0x5a; MAX_VALUE_BYTES]);
    put(store, key.clone(), value.clone()).await;
    assert!(get(store, &key).await == Some(value), "the largest entry comes back as it was");

    let long_key = vec![0xff; MAX_KEY_BYTES + 1];
    let mut batches = [Batch::new(), Batch::new(), Batch::new()];
    batches[0].put("beside", "1").put(long_key.clone(), "2");
    batches[1].put("beside", "1").put("key", vec![0; MAX_VALUE_BYTES + 1]);
    batches[2].put("beside", "1").delete(long_key.clone());
    for batch in batches {
        let refusal = store.commit(batch).await;
        assert!(matches!(refusal, Err(BackendError::TooLarge { .. })), "got {refusal:?}");
    }
    assert_eq!(get(store, "beside").await, None, "a refused batch leaves nothing");
    assert_eq!(get(store, &long_key).await, None, "no such key can be there, and asking is no error");
}

/// A person looks at how much a store holds, as entries come, are replaced, and go.
pub async fn stats_count_what_is_stored(open: &impl Open) {
    let store = &open.open("stats").await;
    expect_stats(store, 0, 0).await;
    let mut batch = Batch::new();
    for number in 0..1000_u16 {
        batch.put(number.to_be_bytes(), [0; 10]);
    }
    batch.put("big", vec![1; 100_000]);
    commit(store, batch).await;
    expect_stats(store, 1001, 1000 * 12 + 100_003).await;

    let mut change = Batch::new();
    change.put(0_u16.to_be_bytes(), "").delete(1_u16.to_be_bytes()).delete("big").delete("absent");
    commit(store, change).await;
    expect_stats(store, 999, 998 * 12 + 2).await;
}

async fn expect_stats(store: &impl Backend, entries: u64, stored_bytes: u64) {
    let found = store.stats().await.expect("the backend counts");
    let disk_bytes = found.disk_bytes;
    assert_eq!(found, BackendStats { entries, stored_bytes, disk_bytes });
}
