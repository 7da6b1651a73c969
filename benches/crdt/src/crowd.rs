//! One key of a map, one element of a set and one register that show conflicts, which every op of a history writes to, and every
//! second one removes: by who has seen nothing of the others, by who has seen all, and on two branches whose ops come in turn.

use bench_harness::{Outcome, alone, milliseconds, timed};
use hhs_crdt::{Map, MultiRegister, Register, Replica, Set};
use hhs_model::class::Draft;

use crate::replica::History;

const MANY: u64 = 100_000;
const IN_TURN: u64 = 10_000;

#[derive(Replica)]
#[replica(class = "bench/v1/Crowd")]
struct Crowd {
    map: Map<u64, Register<u64>>,
    set: Set<u64>,
    values: MultiRegister<u64>,
}

/// Measures loading all three from their ops.
pub(crate) fn measure() -> Outcome<()> {
    alone("one key, fan of 100,000", loaded(MANY, |_| Vec::new())?)?;
    alone("one key, chain of 100,000", loaded(MANY, |number| number.checked_sub(1).into_iter().collect())?)?;
    alone("one key, two branches in turn", loaded(IN_TURN, |number| number.checked_sub(2).into_iter().collect())?)
}

/// In milliseconds.
fn loaded(count: u64, parents: impl Fn(u64) -> Vec<u64>) -> Outcome<f64> {
    let mut history = History::new::<Crowd>()?;
    let there = there()?;
    for number in 0..count {
        history.push(number % 2, &parents(number), write(&there, number)?)?;
    }
    let (replay, time) = timed(|| history.replay::<Crowd>());
    match replay.state().values.get_all().count() {
        0 => Err("nothing is left of what was written".into()),
        _ => Ok(milliseconds(time)),
    }
}

/// A state in which the key and the element are, so that they can be removed.
fn there() -> Outcome<Crowd> {
    let mut history = History::new::<Crowd>()?;
    history.push(0, &[], write(&Crowd::new(), 0)?)?;
    Ok(history.replay().into_state())
}

/// Of four ops that follow each other the first two write and the others remove, so that on each of two branches both take turns.
fn write(there: &Crowd, number: u64) -> Outcome<Draft> {
    let mut edit = there.edit();
    if (number / 2).is_multiple_of(2) {
        edit.map.at(0).set(number);
        edit.set.insert(0);
    } else {
        edit.map.remove(&0);
        edit.set.remove(&0);
    }
    edit.values.set(number);
    Ok(Crowd::finish(edit)?)
}
