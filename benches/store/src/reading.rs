//! Reading a large store: page by page, and by id.

use std::hint::black_box;

use bench_harness::{Outcome, alone, beside, rate, timed};
use futures::executor::block_on;
use hhs_model::{ObjectId, OpId};
use hhs_store::{ReadLimit, StoreError};

use crate::ingest::Built;
use crate::memory;

/// Measures paging and look-ups.
pub(crate) fn measure(built: &Built) -> Outcome<()> {
    // The first time fills the cache.
    page_through(built)?;
    let mut times = Vec::new();
    let growth = memory::growth(|| {
        for _ in 0..3 {
            let (read, time) = timed(|| page_through(built));
            read?;
            times.push(time);
        }
        Ok(())
    })?;
    times.sort();
    alone("paging", rate(built.ids.len(), times[1]))?;
    // Never 0, which the harness takes for a mistake.
    alone("paging memory", growth.max(0.01))?;
    look_up(built)
}

fn page_through(built: &Built) -> Outcome<()> {
    let mut next = 0;
    loop {
        let page = block_on(built.store.ops(built.replica, next..u64::MAX, PAGE))?;
        let Some(last) = page.last() else { break };
        next = last.position + 1;
        black_box(page);
    }
    assert_eq!(next as usize, built.ids.len());
    Ok(())
}

fn look_up(built: &Built) -> Outcome<()> {
    let table = built.raw.table()?;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let ids = picked(&built.ids, round);
        let find = |id: &OpId| -> Result<(), StoreError> {
            let found = block_on(built.store.get_bytes(ObjectId(id.0)))?;
            assert!(black_box(found).is_some());
            Ok(())
        };
        let (found, time) = timed(|| ids.iter().try_for_each(find));
        found?;
        ours.push(time);
        let get = |id: &OpId| -> Result<(), redb::StorageError> {
            let mut key = [1; 33];
            key[1..].copy_from_slice(id.as_bytes());
            let found = table.get(key.as_slice())?;
            assert!(black_box(found.map(|value| value.value().to_vec())).is_some());
            Ok(())
        };
        let (found, time) = timed(|| ids.iter().try_for_each(get));
        found?;
        raw.push(time);
    }
    ours.sort();
    raw.sort();
    let middle = ROUNDS / 2;
    beside("look-up", rate(LOOK_UPS, ours[middle]), "raw redb get", rate(LOOK_UPS, raw[middle]))
}

/// Ids from all over the history, others in every round.
fn picked(ids: &[OpId], round: usize) -> Vec<OpId> {
    let mut state = round as u64 + 1;
    let mut next = || {
        // The generator of Knuth's MMIX.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ids[(state >> 33) as usize % ids.len()]
    };
    (0..LOOK_UPS).map(|_| next()).collect()
}

const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
const ROUNDS: usize = 7;
const LOOK_UPS: usize = 20_000;
