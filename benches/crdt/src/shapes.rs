//! Histories that are as deep, or as wide, as any: a chain of a million ops and a fan of a hundred thousand concurrent ones. Each op
//! writes to a text, a set and a log.

use bench_harness::{Outcome, alone, milliseconds, timed};
use hhs_crdt::{Log, Replica, Set, Text};
use hhs_model::replay::Replay;

use crate::replica::History;

const DEEP: u64 = 1_000_000;
const WIDE: u64 = 100_000;

#[derive(Replica)]
#[replica(class = "bench/v1/Shape")]
struct Shape {
    text: Text,
    set: Set<u64>,
    log: Log<u64>,
}

/// Measures loading both from their ops, then from their checkpoints.
pub(crate) fn measure() -> Outcome<()> {
    let (load, open) = loaded(DEEP, |number| number.checked_sub(1).into_iter().collect())?;
    alone("chain of 1,000,000, loaded", load)?;
    alone("chain of 1,000,000, opened", open)?;
    let (load, open) = loaded(WIDE, |_| Vec::new())?;
    alone("fan of 100,000, loaded", load)?;
    alone("fan of 100,000, opened", open)
}

/// In milliseconds: from the ops, and from the checkpoint.
fn loaded(count: u64, parents: impl Fn(u64) -> Vec<u64>) -> Outcome<(f64, f64)> {
    let history = history(count, parents)?;
    let (replay, loading) = timed(|| history.replay::<Shape>());
    check(&replay, count)?;
    let saved = replay.save();
    drop(replay);
    let (opened, opening) = timed(|| Replay::<Shape>::load(&saved, &history.authority));
    check(&opened?.ok_or("it is outdated")?, count)?;
    Ok((milliseconds(loading), milliseconds(opening)))
}

fn history(count: u64, parents: impl Fn(u64) -> Vec<u64>) -> Outcome<History> {
    let mut history = History::new::<Shape>()?;
    let empty = Shape::new();
    for number in 0..count {
        let mut edit = empty.edit();
        edit.text.insert(0, "a");
        edit.set.insert(number);
        edit.log.append(number);
        history.push(number, &parents(number), Shape::finish(edit)?)?;
    }
    Ok(history)
}

fn check(replay: &Replay<Shape>, count: u64) -> Outcome<()> {
    let state = replay.state();
    let counts = [state.text.len(), state.set.len(), state.log.len()];
    if counts.iter().all(|there| *there as u64 == count) {
        Ok(())
    } else {
        Err(format!("of {count} ops, characters, elements and entries are {counts:?}").into())
    }
}
