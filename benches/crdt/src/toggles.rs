//! One role that is switched on and off a thousand times, with a write by its holder each time: taken in as a whole, beside a tenth
//! of it.

use std::collections::BTreeSet;

use bench_harness::{Outcome, beside, median, timed};
use hhs_crdt::{Carried, Document, Register, Replica, Text};
use hhs_model::class::Draft;
use hhs_model::op::{Act, Capability, Cut, Founding};

use crate::replica::{History, writer};

const MANY: usize = 1_000;
const FEW: usize = 100;
const RUNS: usize = 5;

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

/// How the role is switched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    /// It is granted anew each time.
    Granted,
    /// The same, and the founder writes in between: what is hidden and what is not alternates.
    Between,
    /// One grant is revoked and reinstated, and the founder writes in between.
    Reinstated,
}

/// Measures all.
pub(crate) fn measure() -> Outcome<()> {
    let register = cost::<Switched>(Switch::Granted, |edit, number| edit.value.set(number))?;
    beside("toggles, register", register.many, "at 100 toggles", register.few)?;
    let text = |switch| cost::<SwitchedText>(switch, |edit, _| edit.text.insert(0, "a"));
    let granted = text(Switch::Granted)?;
    beside("toggles, text", granted.many, "at 100 toggles", granted.few)?;
    let between = text(Switch::Between)?;
    beside("toggles, text between", between.many, "at 100 toggles", between.few)?;
    let reinstated = text(Switch::Reinstated)?;
    beside("toggles, text reinstated", reinstated.many, "at 100 toggles", reinstated.few)
}

/// In microseconds for each toggle.
struct Cost {
    few: f64,
    many: f64,
}

fn cost<R: Replica>(switch: Switch, write: impl Fn(&mut R::Edit<'_>, u64)) -> Outcome<Cost> {
    let (founding, ops) = switched::<R>(switch, MANY, &write)?;
    let many = taken_in::<R>(&founding, &ops, 1)? / MANY as f64;
    let (founding, ops) = switched::<R>(switch, FEW, &write)?;
    let few = taken_in::<R>(&founding, &ops, MANY / FEW)? / MANY as f64;
    Ok(Cost { few, many })
}

/// A founder grants, a member writes, the founder revokes without having seen that; both see all of it before it begins again.
fn switched<R: Replica>(
    switch: Switch,
    toggles: usize,
    write: impl Fn(&mut R::Edit<'_>, u64),
) -> Outcome<(Founding, Vec<Carried>)> {
    const FOUNDER: u64 = 0;
    const MEMBER: u64 = 1;
    let mut history = History::new::<R>()?;
    let (empty, mut heads, mut last) = (R::new(), Vec::new(), None);
    let written = |number: u64| {
        let mut edit = empty.edit();
        write(&mut edit, number);
        R::finish(edit)
    };
    for number in 0..toggles as u64 {
        let act = |act| Draft { act: Some(act), ..Draft::default() };
        let reinstated = last.filter(|_| switch == Switch::Reinstated);
        let can = BTreeSet::from([Capability::write()]);
        let on = match reinstated {
            Some((_, revocation)) => Act::Reinstate { of: [revocation].into() },
            None => Act::Grant { to: writer(MEMBER), can },
        };
        let mut on = history.push(FOUNDER, &heads, act(on))?;
        let grant = reinstated.map_or(history.held[on as usize].op.id(), |(grant, _)| grant);
        if switch != Switch::Granted {
            on = history.push(FOUNDER, &[on], written(number)?)?;
        }
        let member = history.push_by_grants(MEMBER, &[on], vec![grant], written(number)?)?;
        let off = history.push(FOUNDER, &[on], act(Act::Revoke { grants: [grant].into(), cut: Cut::new() }))?;
        last = Some((grant, history.held[off as usize].op.id()));
        heads = vec![member, off];
    }
    let carried = history.held.into_iter().map(|held| Carried { op: held.op, payload: held.payload });
    Ok((history.authority.founding().clone(), carried.collect()))
}

/// How many microseconds it takes somebody to take all of it in, into so many documents. They stay until the end: what is given back and
/// taken again is nearer than new memory, so that short histories would look better than they are.
fn taken_in<R: Replica>(founding: &Founding, ops: &[Carried], documents: usize) -> Outcome<f64> {
    let times = (0..RUNS).map(|_| {
        let mut documents: Vec<_> =
            (0..documents).map(|_| (Document::<R>::trusting(founding.clone()), ops.to_vec())).collect();
        let take = |(document, ops): &mut (Document<R>, Vec<Carried>)| document.receive(std::mem::take(ops)).refused;
        let (refused, time) = timed(|| documents.iter_mut().flat_map(take).collect::<Vec<_>>());
        match refused.first() {
            None => Ok(time),
            Some((_, error)) => Err(error.to_string().into()),
        }
    });
    Ok(median(times.collect::<Outcome<_>>()?).as_secs_f64() * 1e6)
}
