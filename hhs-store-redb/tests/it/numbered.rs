//! Batches with numbers, and the look into a store that says whether each is there whole.

use std::ops::Bound;

use futures::executor::block_on;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch, Limit, Order};

/// Batch `number`: some entries that name it, of sizes that differ, and the key `last`.
pub(crate) fn batch(number: u32) -> Batch {
    let mut batch = Batch::new();
    for position in 0..WRITES {
        batch.put(key(number, position), value(number, position));
    }
    batch.put("last", number.to_be_bytes());
    batch
}

/// How many batches the store holds: those with the numbers 0 to this, each whole, and nothing else.
///
/// # Errors
/// If the store cannot be read.
///
/// # Panics
/// If a batch is there in part or changed, or one is missing while a later one is there.
pub(crate) fn count(store: &impl Backend) -> Result<u32, BackendError> {
    let everything = (Bound::Unbounded, Bound::Unbounded);
    let no_limit = Limit { entries: usize::MAX, bytes: usize::MAX };
    let entries = block_on(store.scan(everything, Order::Ascending, no_limit))?;
    let Some(last) = block_on(store.get(b"last"))? else {
        assert!(entries.is_empty(), "there are {} entries and no last batch", entries.len());
        return Ok(0);
    };
    let count = u32::from_be_bytes(last.as_slice().try_into().unwrap()) + 1;
    let numbered = (0..count).flat_map(|number| (0..WRITES).map(move |position| (number, position)));
    let numbered = numbered.map(|(number, position)| (key(number, position), value(number, position)));
    let expected: Vec<_> = numbered.chain([(b"last".to_vec(), last.clone())]).collect();
    assert!(entries == expected, "the store does not hold exactly the batches before {count}");
    Ok(count)
}

const WRITES: u8 = 8;

fn key(number: u32, position: u8) -> Vec<u8> {
    [&[0], number.to_be_bytes().as_slice(), &[position]].concat()
}

fn value(number: u32, position: u8) -> Vec<u8> {
    // Now and then one that needs pages of its own.
    let length = if position == 3 && number % 16 == 5 { 20_000 } else { (number as usize * 37 + 11) % 300 };
    vec![position ^ number as u8; length]
}
