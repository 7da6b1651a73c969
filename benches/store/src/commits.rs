//! Durable writes of one's own: one writer beside raw redb, and many at once.

use std::path::Path;
use std::time::Duration;

use bench_harness::{Outcome, beside, rate, timed};
use futures::executor::block_on;
use futures::future::join_all;
use hhs_model::authority::Holders;
use hhs_model::class::{Changes, Draft, EditError, LoadError, Loader, OpContext, Replica, Saver, Void};
use hhs_model::{Author, Registry};
use hhs_store::backend::Batch;
use hhs_store::{AppendError, Live, Store};
use hhs_store_redb::RedbBackend;

use crate::floor::Raw;

/// Measures both bars, in turns with their floors.
pub(crate) fn measure(directory: &Path) -> Outcome<()> {
    let author = Author::from_seed("author", &[1; 32])?;
    let store = block_on(Store::open(RedbBackend::open(directory.join("commits"))?, Registry::new()))?;
    let replica = block_on(store.found(Counter::CLASS, [0; 16], &author))?;
    let live: Live<Counter> = block_on(store.open_replica(replica))?;
    let raw = Raw::create(&directory.join("raw-commits"))?;
    let (mut single, mut floor, mut many) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut number = 0;
    for _ in 0..ROUNDS {
        let (done, time) = timed(|| block_on(write(&live, &author, COMMITS)));
        done?;
        single += time;
        let (done, time) = timed(|| {
            (0..COMMITS).try_for_each(|_| {
                number += 1;
                let mut batch = Batch::new();
                batch.put((number as u64).to_be_bytes(), [7; 500]);
                raw.write(&batch)
            })
        });
        done?;
        floor += time;
        let (done, time) = timed(|| block_on(join_all((0..WRITERS).map(|_| write(&live, &author, EACH)))));
        done.into_iter().collect::<Result<(), _>>()?;
        many += time;
    }
    assert_eq!(live.applied() as usize, ROUNDS * (COMMITS + WRITERS * EACH));
    let (single, floor) = (rate(ROUNDS * COMMITS, single), rate(ROUNDS * COMMITS, floor));
    beside("single commit", single, "raw redb, one insert each", floor)?;
    beside("64 writers", rate(ROUNDS * WRITERS * EACH, many), "one writer", single)
}

async fn write(live: &Live<Counter>, author: &Author, count: usize) -> Result<(), AppendError> {
    for time in 0..count as u64 {
        live.update(author, time, |edit| edit.payload = Some(vec![7; 80])).await?;
    }
    Ok(())
}

/// A class that counts its ops: what an op means costs nothing.
struct Counter(u64);

impl Replica for Counter {
    const CLASS: &'static str = "bench/v1/Counter";
    const POSITIONAL: bool = false;

    type Edit<'a> = Draft;
    type Mutations = ();

    fn new() -> Self {
        Self(0)
    }

    fn decode(_: &[u8]) -> Result<(), Void> {
        Ok(())
    }

    fn accepts((): &(), _: &OpContext<'_>) -> Result<(), Void> {
        Ok(())
    }

    fn apply(&mut self, (): (), _: &OpContext<'_>, _: &mut Changes) {
        self.0 += 1;
    }

    fn shadow(&mut self, (): (), _: &OpContext<'_>) {}

    fn observe(&mut self, _: &OpContext<'_>, _: &mut Changes) {}

    fn authorise(&mut self, _: &Holders, _: &mut Changes) {}

    fn edit(&self) -> Draft {
        Draft::default()
    }

    fn finish(edit: Draft) -> Result<Draft, EditError> {
        Ok(edit)
    }

    fn join(_: Vec<()>) -> Result<Draft, EditError> {
        Ok(Draft::default())
    }

    fn undo(&self, (): &(), _: &OpContext<'_>, _: &Self) -> Result<Draft, EditError> {
        Ok(Draft::default())
    }

    fn diff(&self, _: &Self, _: &mut Changes) {}

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.0);
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self(loader.uint()?))
    }
}

const ROUNDS: usize = 10;
/// Commits of one writer in a round.
const COMMITS: usize = 200;
const WRITERS: usize = 64;
/// Commits of each of many writers in a round.
const EACH: usize = 20;
