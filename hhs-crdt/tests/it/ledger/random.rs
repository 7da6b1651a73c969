//! Random histories of ledgers, with writers that come later and ops that become void, delivered in random orders, with
//! checkpoints in between.

use std::collections::BTreeSet;

use hhs_model::class::{Action, Change, Changes};
use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::{self, Shown};
use super::{Purse, backdated};
use crate::harness::{History, Local, identity};

const AUTHORS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Enter { author: usize, amounts: Vec<i64> },
    Note { author: usize },
    Grant { author: usize, to: usize },
    Void { author: usize, op: usize },
    Backdate { author: usize, parent: usize, amount: i64 },
}

fn step(liars: u32) -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        8 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        6 => (author(), vec(-5..7_i64, 1..3)).prop_map(|(author, amounts)| Step::Enter { author, amounts }),
        3 => author().prop_map(|author| Step::Note { author }),
        1 => (author(), author()).prop_map(|(author, to)| Step::Grant { author, to }),
        1 => (author(), 0..40_usize).prop_map(|(author, op)| Step::Void { author, op }),
        liars => (author(), 0..40_usize, -5..7_i64)
            .prop_map(|(author, parent, amount)| Step::Backdate { author, parent, amount }),
    ]
}

fn history(steps: &[Step]) -> History<Purse> {
    let mut history = History::<Purse>::new(AUTHORS);
    for step in steps {
        match step {
            Step::Pull { to, from } => history.pull(*to, *from),
            Step::Enter { author, amounts } => {
                history.edit(*author, |purse| amounts.iter().for_each(|amount| purse.coins.append(*amount)));
            }
            Step::Note { author } => {
                history.edit(*author, |purse| purse.notes.append("seen".into()));
            }
            Step::Grant { author, to } => {
                history.edit(*author, |purse| purse.members.grant(identity(*to)));
            }
            Step::Void { author, op } => {
                if *op < history.ops.len() {
                    history.void(*author, [*op]);
                }
            }
            Step::Backdate { author, parent, amount } => {
                let parents: BTreeSet<usize> =
                    [*parent].into_iter().filter(|parent| *parent < history.ops.len()).collect();
                let op = backdated(&mut history, *author, parents.clone(), *amount);
                for replica in &mut history.replicas {
                    if parents.is_subset(&replica.known()) {
                        let _void = replica.apply(&op);
                    }
                }
            }
        }
    }
    history
}

fn shown(purse: &Purse) -> Shown {
    let entries = purse.coins.iter().map(|entry| (entry.op, *entry.value, entry.rejected.is_none())).collect();
    let (settled, state, settled_state) =
        (purse.coins.settled_len(), *purse.coins.state(), *purse.coins.settled_state());
    assert_eq!(purse.coins.iter().filter(|entry| entry.settled).count(), settled);
    Shown { entries, settled, state, settled_state }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Two replicas get the ops in different orders, one of them with somebody who listens, the other one by way of
    /// checkpoints and asked only now and then: they show the same, and what the definition says.
    #[test]
    fn every_causal_order_gives_the_ledger_of_the_definition(
        steps in vec(step(1), 1..40),
        some in vec(0..1000_usize, 1..40),
        other in vec(0..1000_usize, 1..40),
        picks in vec(0..4_u8, 1..10),
    ) {
        let history = history(&steps);
        let (mut one, mut two) = (Local::<Purse>::new(), Local::<Purse>::new());
        for op in history.causal_order(&some) {
            one.apply(op).expect("it means something");
        }
        for (op, pick) in history.causal_order(&other).into_iter().zip(picks.iter().cycle()) {
            two.apply_with(op, &mut Changes::unwatched()).expect("it means something");
            match pick {
                0 => two.save_and_load(),
                1 => prop_assert_eq!(shown(&two.state), reference::shown(&two.ops)),
                _ => {}
            }
        }
        prop_assert_eq!(&one.state, &two.state);
        prop_assert_eq!(shown(&one.state), reference::shown(&history.ops));
    }

    /// At every moment every author sees what the definition says of the ops that they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in vec(step(1), 1..40)) {
        for replica in &history(&steps).replicas {
            prop_assert_eq!(shown(&replica.state), reference::shown(&replica.ops));
        }
    }

    /// Nobody lies, nothing is void and nobody is admitted: what is settled stays what it is, whatever arrives.
    #[test]
    fn what_is_settled_stays(steps in vec(step(0), 1..40), picks in vec(0..1000_usize, 1..40)) {
        let writers = |author| Step::Grant { author: 0, to: author };
        let calm = steps.into_iter().filter(|step| !matches!(step, Step::Void { .. } | Step::Grant { .. }));
        let admit = (1..AUTHORS).map(writers);
        let share = (1..AUTHORS).map(|to| Step::Pull { to, from: 0 });
        let history = history(&admit.chain(share).chain(calm).collect::<Vec<_>>());
        let mut local = Local::<Purse>::new();
        let mut settled = Vec::new();
        for op in history.causal_order(&picks) {
            local.apply(op).expect("it means something");
            // Before everybody is admitted, fewer decide.
            if op.number >= AUTHORS - 1 && local.known().is_superset(&(0..AUTHORS - 1).collect()) {
                let Shown { entries, settled: count, .. } = shown(&local.state);
                prop_assert!(entries.starts_with(&settled), "{settled:?} is no longer the start of {entries:?}");
                settled = entries[..count].to_vec();
            }
        }
    }

    /// One writer is honest, the others write what they like, dated as they like: what arrives later never comes to stand before
    /// what is settled.
    #[test]
    fn what_arrives_later_stands_behind_what_is_settled(
        steps in vec(step(4), 1..40),
        picks in vec(0..1000_usize, 1..40),
    ) {
        let honest = |step: &Step| match step {
            Step::Void { .. } | Step::Grant { .. } => false,
            Step::Backdate { author, .. } => *author != 0,
            _ => true,
        };
        let admit = (1..AUTHORS).map(|to| Step::Grant { author: 0, to });
        let history = history(&admit.chain(steps.into_iter().filter(honest)).collect::<Vec<_>>());
        let mut local = Local::<Purse>::new();
        let (mut settled, mut known) = (BTreeSet::new(), BTreeSet::new());
        for op in history.causal_order(&picks) {
            local.apply(op).expect("it means something");
            if local.known().is_superset(&(0..AUTHORS - 1).collect()) {
                let coins = &local.state.coins;
                let last = coins.iter().rposition_of(|op| settled.contains(op));
                let late = coins.iter().map(|entry| entry.op).take(last).find(|op| !known.contains(op));
                prop_assert!(late.is_none(), "{late:?} came late, and stands before what was settled");
                settled = coins.iter().filter(|entry| entry.settled).map(|entry| entry.op).collect();
            }
            known.insert(op.id());
        }
    }

    /// Somebody who listens hears when entries come to stand elsewhere, and when more are settled.
    #[test]
    fn changes_tell_when_the_order_changes(steps in vec(step(1), 1..40), picks in vec(0..1000_usize, 1..40)) {
        let history = history(&steps);
        let mut local = Local::<Purse>::new();
        for op in history.causal_order(&picks) {
            let before = shown(&local.state);
            let changes = local.apply(op).expect("it means something");
            let after = shown(&local.state);
            let heard = |wanted: fn(&Change) -> Option<u64>| changes.iter().filter_map(wanted).collect::<Vec<_>>();
            let reordered = heard(|change| match change.action { Action::Reordered { from } => Some(from), _ => None });
            let same = before.entries.iter().zip(&after.entries).take_while(|(a, b)| a == b).count();
            prop_assert!(same == before.entries.len() || reordered.iter().any(|from| *from <= same as u64));
            let settled = heard(|change| match change.action { Action::Settled { count } => Some(count), _ => None });
            prop_assert!(before.settled == after.settled || settled.last() == Some(&(after.settled as u64)));
        }
    }
}

trait Entries {
    /// How many entries there are up to the last one of such an op.
    fn rposition_of(self, is: impl Fn(&hhs_model::OpId) -> bool) -> usize;
}

impl<'a, I: Iterator<Item = hhs_crdt::LedgerEntry<'a, i64>>> Entries for I {
    fn rposition_of(self, is: impl Fn(&hhs_model::OpId) -> bool) -> usize {
        self.enumerate().filter(|(_, entry)| is(&entry.op)).last().map_or(0, |(place, _)| place + 1)
    }
}
