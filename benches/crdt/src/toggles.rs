//! One role that is switched on and off a thousand times, with a write by its holder each time: taken in as a whole, beside a tenth
//! of it.

use std::collections::BTreeSet;

use hhs_crdt::{Carried, Document, Register, Replica, Text};
use hhs_model::class::Draft;
use hhs_model::op::{Act, Capability, Cut, Founding};

use crate::clock::{median, timed};
use crate::replica::{History, writer};
use crate::{Outcome, beside};

const MANY: usize = 1_000;
const FEW: usize = 100;
const RUNS_OF_MANY: usize = 3;
const RUNS_OF_FEW: usize = 15;

#[derive(Replica)]
#[replica(class = "bench/v1/Switched")]
struct Switched {
    value: Register<u64>,
}

/// Positions in a text mean what its author saw, so that verdicts of the past matter.
#[derive(Replica)]
#[replica(class = "bench/v1/SwitchedText")]
struct SwitchedText {
    text: Text,
}

/// Measures both.
pub(crate) fn measure() -> Outcome<()> {
    let register = cost::<Switched>(|edit, number| edit.value.set(number))?;
    beside("toggles, register", register.many, "at 100 toggles", register.few)?;
    let text = cost::<SwitchedText>(|edit, _| edit.text.insert(0, "a"))?;
    beside("toggles, text", text.many, "at 100 toggles", text.few)
}

/// In microseconds for each toggle.
struct Cost {
    few: f64,
    many: f64,
}

fn cost<R: Replica>(write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<Cost> {
    let (founding, ops) = switched::<R>(MANY, &write)?;
    let many = taken_in::<R>(&founding, &ops, RUNS_OF_MANY)? / MANY as f64;
    let (founding, ops) = switched::<R>(FEW, &write)?;
    let few = taken_in::<R>(&founding, &ops, RUNS_OF_FEW)? / FEW as f64;
    Ok(Cost { few, many })
}

/// A founder grants, a member writes, the founder revokes without having seen that; both see all of it before it begins again.
fn switched<R: Replica>(toggles: usize, write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<(Founding, Vec<Carried>)> {
    const FOUNDER: u64 = 0;
    const MEMBER: u64 = 1;
    let mut history = History::new::<R>()?;
    let (empty, mut heads) = (R::new(), Vec::new());
    for number in 0..toggles as u64 {
        let act = |act| Draft { act: Some(act), ..Draft::default() };
        let can = BTreeSet::from([Capability::write()]);
        let on = history.push(FOUNDER, &heads, act(Act::Grant { to: writer(MEMBER), can }))?;
        let grant = history.held[on as usize].op.id();
        let mut edit = empty.edit();
        write(&mut edit, number);
        let written = history.push_by_grants(MEMBER, &[on], vec![grant], R::finish(edit)?)?;
        let off = history.push(FOUNDER, &[on], act(Act::Revoke { grants: [grant].into(), cut: Cut::new() }))?;
        heads = vec![written, off];
    }
    let carried = history.held.into_iter().map(|held| Carried { op: held.op, payload: held.payload });
    Ok((history.authority.founding().clone(), carried.collect()))
}

/// How many microseconds it takes somebody to take all of it in.
fn taken_in<R: Replica>(founding: &Founding, ops: &[Carried], runs: usize) -> Outcome<f64> {
    let times = (0..runs).map(|_| {
        let (mut document, ops) = (Document::<R>::trusting(founding.clone()), ops.to_vec());
        let (received, time) = timed(|| document.receive(ops));
        match received.refused.first() {
            None => Ok(time),
            Some((_, error)) => Err(error.to_string().into()),
        }
    });
    Ok(median(times.collect::<Outcome<_>>()?).as_secs_f64() * 1e6)
}
