//! A million ops on a log, a set and a map, from decoded ops, and what one costs at that size beside what it costs at ten thousand.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use bench_harness::{Outcome, alone, beside, median, timed};
use hhs_crdt::{Log, Map, Register, Replica, Set};
use hhs_model::class::{Changes, NoRights, OpContext, Unseen};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::{IdentityId, OpId};

use crate::replica::{parents, writer};

const MANY: u64 = 1_000_000;
const FEW: u64 = 10_000;
const AT_ONCE: u64 = 500;
const RUNS_OF_MANY: usize = 3;
const RUNS_OF_FEW: usize = 100;

#[derive(Replica)]
#[replica(class = "bench/v1/Log")]
struct Entries {
    log: Log<String>,
}

#[derive(Replica)]
#[replica(class = "bench/v1/Set")]
struct Elements {
    set: Set<String>,
}

#[derive(Replica)]
#[replica(class = "bench/v1/Map")]
struct Table {
    map: Map<String, Register<u64>>,
}

/// Measures all three.
pub(crate) fn measure() -> Outcome<()> {
    let log = cost::<Entries>(|edit, number| edit.log.append(format!("entry {number}")))?;
    alone("log, a million ops", 1e9 / log.many)?;
    beside("log, growing", log.many, "at 10,000 ops", log.few)?;
    let set = cost::<Elements>(|edit, number| edit.set.insert(format!("element {number}")))?;
    alone("set, a million ops", 1e9 / set.many)?;
    beside("set, growing", set.many, "at 10,000 ops", set.few)?;
    let map = cost::<Table>(|edit, number| edit.map.at(format!("key {number}")).set(number))?;
    beside("map, growing", map.many, "at 10,000 ops", map.few)?;
    let times = (0..RUNS_OF_MANY).map(|_| apply::<Elements>(MANY, insert_scattered));
    let scattered = median(times.collect::<Outcome<_>>()?).as_nanos() as f64 / MANY as f64;
    let alone = median((0..RUNS_OF_MANY).map(|_| standard_map()).collect()).as_nanos() as f64 / MANY as f64;
    beside("set, scattered", scattered, "the standard map alone", alone)
}

fn insert_scattered(edit: &mut <Elements as Replica>::Edit<'_>, number: u64) {
    edit.set.insert(scattered(number));
}

/// Elements that come in no order: each is put in where nothing is in the processor's cache any more.
fn scattered(number: u64) -> String {
    OpId::of(&number.to_be_bytes()).to_string()
}

/// What the same elements take in a map without a history: nothing that keeps them in order can be faster than the memory.
fn standard_map() -> Duration {
    let (mut map, mut total) = (BTreeMap::new(), Duration::ZERO);
    for first in (0..MANY).step_by(AT_ONCE as usize) {
        let elements: Vec<String> = (first..first + AT_ONCE).map(scattered).collect();
        let ((), time) = timed(|| map.extend(elements.into_iter().zip(first..)));
        total += time;
    }
    total
}

/// In nanoseconds for each op.
struct Cost {
    few: f64,
    many: f64,
}

fn cost<R: Replica>(write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<Cost> {
    let each = |count: u64, runs: usize| -> Outcome<f64> {
        let times = (0..runs).map(|_| apply::<R>(count, &write)).collect::<Outcome<Vec<Duration>>>()?;
        Ok(median(times).as_nanos() as f64 / count as f64)
    };
    Ok(Cost { few: each(FEW, RUNS_OF_FEW)?, many: each(MANY, RUNS_OF_MANY)? })
}

/// How long it takes to apply so many ops. They are decoded some hundreds at a time, off the clock: as they come from a peer or a disk,
/// and so few that they are still in the processor's cache, however scattered the memory is that they got.
fn apply<R: Replica>(count: u64, write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<Duration> {
    let mut replica = State { state: R::new(), graph: Graph::new(), authors: [writer(0), writer(1)] };
    let mut total = Duration::ZERO;
    for first in (0..count).step_by(AT_ONCE as usize) {
        let ops = decoded::<R>(first..first + AT_ONCE, &write)?;
        let ((), time) = timed(|| ops.into_iter().for_each(|op| replica.apply(op)));
        total += time;
    }
    Ok(total)
}

/// An op that was checked and decoded, and is going to be applied.
struct Decoded<R: Replica> {
    id: OpId,
    mutations: R::Mutations,
}

fn decoded<R: Replica>(numbers: Range<u64>, write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<Vec<Decoded<R>>> {
    let empty = R::new();
    let decode = |number: u64| {
        let mut edit = empty.edit();
        write(&mut edit, number);
        let payload = R::finish(edit)?.payload.ok_or("nothing was written")?;
        Ok(Decoded { id: OpId::of(&number.to_le_bytes()), mutations: R::decode(&payload)? })
    };
    numbers.map(decode).collect()
}

struct State<R> {
    state: R,
    graph: Graph,
    authors: [IdentityId; 2],
}

impl<R: Replica> State<R> {
    fn apply(&mut self, Decoded { id, mutations }: Decoded<R>) {
        let (number, hidden) = (self.graph.len(), SharedPositions::default());
        let position = self.graph.push(&parents(number));
        let op = OpContext {
            id,
            position,
            height: self.graph.height(position),
            author: self.authors[number as usize / 500 % 2],
            time: number,
            act: None,
            graph: &self.graph,
            hidden: &hidden,
            rights: &NoRights,
            unseen: Unseen::default(),
        };
        self.state.apply(mutations, &op, &mut Changes::unwatched());
        self.state.observe(&op, &mut Changes::unwatched());
    }
}
