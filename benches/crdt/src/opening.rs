//! A set of a hundred thousand elements, each put in by an op of its own, from its checkpoint.

use bench_harness::{Outcome, alone, median, milliseconds, timed};
use hhs_crdt::{Replica, Set};
use hhs_model::replay::Replay;

use crate::replica::{History, parents};

const ELEMENTS: u64 = 100_000;
const RUNS: usize = 9;

#[derive(Replica)]
#[replica(class = "bench/v1/Elements")]
struct Elements {
    set: Set<String>,
}

/// Measures opening it, up to the first look at it.
pub(crate) fn measure() -> Outcome<()> {
    let mut history = History::new::<Elements>()?;
    let empty = Elements::new();
    for number in 0..ELEMENTS {
        let mut edit = empty.edit();
        edit.set.insert(format!("element {number}"));
        history.push(number / 500 % 2, &parents(number), Elements::finish(edit)?)?;
    }
    let saved = history.replay::<Elements>().save();
    let open = || {
        let replay = Replay::<Elements>::load(&saved, &history.authority)?.ok_or("it is outdated")?;
        let count = replay.state().set.len() as u64;
        if count == ELEMENTS { Ok(replay) } else { Err(format!("{count} elements are left").into()) }
    };
    let times = (0..RUNS).map(|_| {
        let (opened, time) = timed(open);
        opened.map(|_: Replay<Elements>| time)
    });
    alone("set, opened", milliseconds(median(times.collect::<Outcome<_>>()?)))
}
