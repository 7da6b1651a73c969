//! The last fifty entries of a log of a million, each appended by an op of its own, from a store on disk that was just opened.

use std::path::Path;

use bench_harness::{Outcome, alone, median, milliseconds, timed};
use futures::executor::block_on;
use hhs_crdt::{Log, Replica};
use hhs_model::op::{Genesis, Header, Op, PayloadRef};
use hhs_model::{Author, OpId, Registry, ReplicaId};
use hhs_store::{Bundle, SignedOp, Store};
use hhs_store_redb::RedbBackend;

const ENTRIES: u64 = 1_000_000;
const LAST: usize = 50;
const BATCH: u64 = 2_000;
const RUNS: usize = 9;

#[derive(Replica)]
#[replica(class = "bench/v1/Entries")]
struct Entries {
    log: Log<String>,
}

/// Measures reading them; opening the store is on the account of `cargo xtask bench store`.
pub(crate) fn measure() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("store");
    let replica = build(&path)?;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let store = block_on(Store::open(RedbBackend::open(&path)?, Registry::new()))?;
        let (tail, time) = timed(|| block_on(store.log_tail::<Entries, String>(replica, "log", LAST)));
        let entries = tail?.entries;
        let last = entries.last().map(|entry| entry.value.as_str());
        if entries.len() != LAST || last != Some(entry(ENTRIES - 1).as_str()) {
            return Err(format!("{} entries up to {last:?} are not the last ones", entries.len()).into());
        }
        times.push(time);
    }
    alone("log, the last 50", milliseconds(median(times)))
}

fn entry(number: u64) -> String {
    format!("entry {number}")
}

fn build(path: &Path) -> Outcome<ReplicaId> {
    let author = Author::from_seed("author", &[1; 32])?;
    let store = block_on(Store::open(RedbBackend::open(path)?, Registry::new()))?;
    let genesis = Genesis::with_writers(Entries::CLASS, [0; 16], [author.id()].into());
    let replica = block_on(store.create(&genesis, &[author.identity_bytes().to_vec()]))?;
    let (empty, mut head) = (Entries::new(), None);
    for first in (0..ENTRIES).step_by(BATCH as usize) {
        let ops = (first..first + BATCH).map(|number| op(&author, replica, &empty, &mut head, number));
        let bundle = Bundle { identities: Vec::new(), ops: ops.collect::<Outcome<_>>()? };
        if block_on(store.ingest(replica, bundle))?.added != BATCH {
            return Err("the store took only some of the ops".into());
        }
    }
    Ok(replica)
}

/// The next op of a chain.
fn op(author: &Author, target: ReplicaId, empty: &Entries, head: &mut Option<OpId>, number: u64) -> Outcome<SignedOp> {
    let mut edit = empty.edit();
    edit.log.append(entry(number));
    let payload = Entries::finish(edit)?.payload;
    let header = Header {
        target,
        parents: head.iter().copied().collect(),
        deps: Vec::new(),
        grants: Vec::new(),
        act: None,
        author: author.id(),
        time: number,
        payload: payload.as_deref().map(PayloadRef::to),
    };
    let op = Op::sign(header, &**author.signer())?;
    *head = Some(op.id());
    Ok(SignedOp { header: op.bytes().to_vec(), payload })
}
