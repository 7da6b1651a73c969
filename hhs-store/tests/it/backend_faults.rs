//! The conformance suite itself: a backend with any one of these faults does not pass it.

use std::collections::BTreeMap;
use std::future;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use futures::executor::block_on;
use hhs_model::seam;
use hhs_store::backend::{
    Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, MemoryBackend, Order, Write,
};
use hhs_store::test_kit;

/// Authors of backends make mistakes; the suite finds each of these, alone in a backend that is right otherwise.
#[test]
fn the_suite_finds_every_fault() {
    for fault in FAULTS {
        let places = Mutex::new(BTreeMap::<String, MemoryBackend>::new());
        let open = |name: String| {
            let memory = match fault {
                Fault::ForgetsWhenClosed => MemoryBackend::new(),
                _ => places.lock().unwrap().entry(name).or_default().clone(),
            };
            future::ready(Faulty { memory, fault, held_back: Mutex::default() })
        };
        let verdict = catch_unwind(AssertUnwindSafe(|| block_on(test_kit::conformance(open))));
        assert!(verdict.is_err(), "the suite passed a backend with this fault: {fault:?}");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ForgetsWhenClosed,
    KeepsDeleted,
    FirstWriteCounts,
    ForgetsGuards,
    ForgetsGuardsOfAbsentKeys,
    LosesEmptyValues,
    CutsBigValues,
    TakesAnySize,
    AppliesBeforeTheCheck,
    WritesOneByOne,
    CommitsLate,
    CommitsInAnotherOrder,
    AnswersSorted,
    ReadsManyAtSeveralMoments,
    AlwaysAscending,
    IncludesTheStart,
    IncludesTheEnd,
    IgnoresEntries,
    IgnoresBytes,
    MayReturnNothing,
    CountsKeysOnly,
}

const FAULTS: [Fault; 21] = [
    Fault::ForgetsWhenClosed,
    Fault::KeepsDeleted,
    Fault::FirstWriteCounts,
    Fault::ForgetsGuards,
    Fault::ForgetsGuardsOfAbsentKeys,
    Fault::LosesEmptyValues,
    Fault::CutsBigValues,
    Fault::TakesAnySize,
    Fault::AppliesBeforeTheCheck,
    Fault::WritesOneByOne,
    Fault::CommitsLate,
    Fault::CommitsInAnotherOrder,
    Fault::AnswersSorted,
    Fault::ReadsManyAtSeveralMoments,
    Fault::AlwaysAscending,
    Fault::IncludesTheStart,
    Fault::IncludesTheEnd,
    Fault::IgnoresEntries,
    Fault::IgnoresBytes,
    Fault::MayReturnNothing,
    Fault::CountsKeysOnly,
];

struct Faulty {
    memory: MemoryBackend,
    fault: Fault,
    held_back: Mutex<Batch>,
}

#[seam]
impl Backend for Faulty {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let mut value = self.memory.get(key).await?;
        match (self.fault, &mut value) {
            (Fault::LosesEmptyValues, Some(bytes)) if bytes.is_empty() => value = None,
            (Fault::CutsBigValues, Some(bytes)) => bytes.truncate(1 << 20),
            _ => {}
        }
        Ok(value)
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let mut keys = keys.to_vec();
        match self.fault {
            Fault::AnswersSorted => keys.sort(),
            Fault::ReadsManyAtSeveralMoments => {
                let mut values = Vec::new();
                for key in keys {
                    values.push(self.memory.get(&key).await?);
                    pause().await;
                }
                return Ok(values);
            }
            _ => {}
        }
        self.memory.get_many(&keys).await
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        let (mut start, mut end) = range;
        let (mut order, mut limit) = (order, limit);
        match (self.fault, &start, &end) {
            (Fault::IncludesTheStart, Bound::Excluded(key), _) => start = Bound::Included(key.clone()),
            (Fault::IncludesTheEnd, _, Bound::Excluded(key)) => end = Bound::Included(key.clone()),
            (Fault::AlwaysAscending, ..) => order = Order::Ascending,
            (Fault::IgnoresEntries, ..) => limit.entries = usize::MAX,
            (Fault::IgnoresBytes, ..) => limit.bytes = usize::MAX,
            (Fault::MayReturnNothing, ..) if limit.bytes == 0 => limit.entries = 0,
            _ => {}
        }
        self.memory.scan((start, end), order, limit).await
    }

    async fn commit(&self, mut batch: Batch) -> Result<(), BackendError> {
        let bounds = batch.check_bounds();
        let too_large = |write: &Write| Batch { writes: vec![write.clone()], guard: None }.check_bounds().is_err();
        match self.fault {
            Fault::TakesAnySize if bounds.is_err() => {
                batch.writes.retain(|write| !too_large(write));
                return self.memory.commit(batch).await;
            }
            Fault::AppliesBeforeTheCheck if bounds.is_err() => {
                let good = batch.writes.iter().position(too_large).unwrap();
                batch.writes.truncate(good);
                self.memory.commit(batch).await?;
                return bounds;
            }
            _ => bounds?,
        }
        match self.fault {
            Fault::KeepsDeleted => batch.writes.retain(|write| matches!(write, Write::Put(..))),
            Fault::FirstWriteCounts => batch.writes.reverse(),
            Fault::ForgetsGuards => batch.guard = None,
            Fault::ForgetsGuardsOfAbsentKeys => drop(batch.guard.take_if(|guard| guard.expected.is_none())),
            Fault::CommitsLate => std::mem::swap(&mut batch, &mut self.held_back.lock().unwrap()),
            Fault::WritesOneByOne => {
                let mut guard = batch.guard;
                for write in batch.writes {
                    self.memory.commit(Batch { writes: vec![write], guard: guard.take() }).await?;
                    pause().await;
                }
                return Ok(());
            }
            _ => {}
        }
        if self.fault == Fault::CommitsInAnotherOrder {
            // Large numbers overtake small ones.
            if let Some(Write::Put(_, value)) = batch.writes.first() {
                for _ in value.first().copied().unwrap_or(0)..200 {
                    pause().await;
                }
            }
        }
        self.memory.commit(batch).await
    }

    fn is_shared(&self) -> bool {
        self.memory.is_shared()
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        let mut stats = self.memory.stats().await?;
        if self.fault == Fault::CountsKeysOnly {
            stats.stored_bytes = stats.entries;
        }
        Ok(stats)
    }
}

/// Lets the tasks beside this one go on.
async fn pause() {
    let mut paused = false;
    let pause = future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    pause.await;
}
