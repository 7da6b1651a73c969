//! Measures commits and reads on a server that runs already, in a schema of its own that it leaves behind:
//! `cargo run --release -p hhs-store-postgres --example measure -- CONNECTION-STRING [ENTRIES]` (default: 100,000).

use std::error::Error;
use std::ops::Bound;
use std::time::Instant;

use futures::future::join_all;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch, Limit, Order};
use hhs_store_postgres::{Options, PostgresBackend};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("give a connection string")?;
    let entries: u64 = arguments.next().map_or(Ok(100_000), |number| number.parse())?;
    let options = Options { schema: "hhs_measure".to_owned(), ..Options::default() };
    let store = PostgresBackend::open(&address, &options).await?;

    let start = now();
    for first in (0..entries).step_by(10_000) {
        let mut batch = Batch::new();
        for number in first..entries.min(first + 10_000) {
            batch.put(key(number), VALUE);
        }
        store.commit(batch).await?;
    }
    report("entries written, 10,000 a batch", entries, start);

    let start = now();
    for number in 0..COMMITS {
        put(&store, number).await?;
    }
    report("durable commits, one writer", COMMITS, start);
    let start = now();
    spread(&store, 64, COMMITS, async |store, number| put(store, number).await).await?;
    report("durable commits, 64 writers", COMMITS * 64, start);

    let start = now();
    for number in 0..GETS {
        get(&store, number % entries).await?;
    }
    report("gets, one reader", GETS, start);
    let start = now();
    spread(&store, 16, GETS, async |store, number| get(store, number % entries).await).await?;
    report("gets, 16 readers", GETS * 16, start);

    for (what, limit) in [("pages of 1,000", 1000), ("one scan", usize::MAX)] {
        let (start, mut first, mut count) = (now(), Bound::Unbounded, 0);
        loop {
            let limit = Limit { entries: limit, bytes: usize::MAX };
            let page = store.scan((first, Bound::Unbounded), Order::Ascending, limit).await?;
            count += page.len() as u64;
            let Some((last, _)) = page.into_iter().next_back() else { break };
            first = Bound::Excluded(last);
        }
        report(&format!("entries scanned, {what}"), count, start);
    }
    println!("{:?}", store.stats().await?);
    store.close().await;
    Ok(())
}

/// Does `work` in so many tasks at once, so many times each.
async fn spread<W>(store: &PostgresBackend, tasks: u64, times: u64, work: W) -> Result<(), BackendError>
where
    W: AsyncFn(&PostgresBackend, u64) -> Result<(), BackendError>,
{
    let work = &work;
    let task = async |task: u64| {
        for number in 0..times {
            work(store, task * times + number).await?;
        }
        Ok(())
    };
    join_all((0..tasks).map(task)).await.into_iter().collect()
}

async fn put(store: &PostgresBackend, number: u64) -> Result<(), BackendError> {
    let mut batch = Batch::new();
    batch.put(key(number), VALUE);
    store.commit(batch).await
}

async fn get(store: &PostgresBackend, number: u64) -> Result<(), BackendError> {
    store.get(&key(number)).await.map(drop)
}

fn report(what: &str, count: u64, start: Instant) {
    println!("{what}: {:.0}/s", count as f64 / start.elapsed().as_secs_f64());
}

/// Keys scattered like ids.
fn key(number: u64) -> [u8; 8] {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
}

#[expect(clippy::disallowed_methods, reason = "a native program that measures is itself the edge")]
fn now() -> Instant {
    Instant::now()
}

const COMMITS: u64 = 500;
const GETS: u64 = 5000;
const VALUE: [u8; 300] = [7; 300];
