//! A ledger in an entry of a map is the ledger that it would be outside.

use hhs_crdt::{Field, Ledger, Log, Map, Members, PositiveCounter, Replica};
use hhs_model::class::Changes;
use hhs_model::op::Capability;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::{History, Local, identity};

/// Everything is entered twice: outside, and in an account.
#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Accounts")]
struct Accounts {
    coins: Ledger<PositiveCounter>,
    accounts: Map<u8, Account>,
    notes: Log<String>,
    members: Members,
}

#[derive(Field, Debug, Clone, PartialEq)]
struct Account {
    coins: Ledger<PositiveCounter>,
}

const AUTHORS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Pull(usize, usize),
    Enter(usize, Vec<i64>),
    Note(usize),
    Grant(usize),
    Void(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        8 => (author(), author()).prop_map(|(to, from)| Step::Pull(to, from)),
        6 => (author(), vec(-5..7_i64, 1..3)).prop_map(|(author, amounts)| Step::Enter(author, amounts)),
        3 => author().prop_map(Step::Note),
        1 => author().prop_map(Step::Grant),
        1 => (author(), 0..30_usize).prop_map(|(author, op)| Step::Void(author, op)),
    ]
}

fn history(steps: &[Step]) -> History<Accounts> {
    let mut history = History::<Accounts>::new(AUTHORS);
    for step in steps {
        match step {
            Step::Pull(to, from) => history.pull(*to, *from),
            Step::Enter(author, amounts) => {
                history.edit(*author, |edit: &mut AccountsEdit<'_>| {
                    for amount in amounts {
                        edit.coins.append(*amount);
                        edit.accounts.at(1).coins.append(*amount);
                    }
                });
            }
            Step::Note(author) => drop(history.edit(*author, |edit| edit.notes.append("seen".into())).id()),
            Step::Grant(to) => {
                history.edit(0, |edit| edit.members.grant_capabilities(identity(*to), [Capability::write()]));
            }
            Step::Void(author, op) => {
                if *op < history.ops.len() {
                    history.void(*author, [*op]);
                }
            }
        }
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever order the ops come in, followed or not, saved in between or not.
    #[test]
    fn the_same_inside_as_outside(steps in vec(step(), 1..30), picks in vec(0..1000_usize, 1..40), ways in vec(0..3_u8, 1..9)) {
        let history = history(&steps);
        let mut local = Local::<Accounts>::new();
        for (op, way) in history.causal_order(&picks).into_iter().zip(ways.iter().cycle()) {
            match way {
                0 => drop(local.apply(op).expect("it means something")),
                _ => local.apply_with(op, &mut Changes::unwatched()).expect("it means something"),
            }
            if *way == 2 {
                local.save_and_load();
            }
            let (outside, inside) = (&local.state.coins, local.state.accounts.get(&1));
            let none = Ledger::default();
            let inside = inside.map_or(&none, |account| &account.coins);
            prop_assert_eq!(outside.settled_len(), inside.settled_len());
            prop_assert_eq!(outside.state(), inside.state());
            prop_assert_eq!(outside.settled_state(), inside.settled_state());
            let entries = |ledger: &Ledger<PositiveCounter>| -> Vec<_> {
                ledger.iter().map(|entry| (entry.op, *entry.value, entry.settled, entry.rejected.is_some())).collect()
            };
            prop_assert_eq!(entries(outside), entries(inside));
        }
    }
}

/// An account is closed, and everybody writes while it is. That it was closed is taken back: what was entered before is settled, as outside.
#[test]
fn an_account_that_was_closed_has_seen_what_was_written_meanwhile() {
    let mut history = History::<Accounts>::new(2);
    history.edit(0, |edit| edit.members.grant_capabilities(identity(1), [Capability::write()]));
    history.edit(0, |edit| {
        edit.coins.append(5);
        edit.accounts.at(1).coins.append(5);
    });
    history.pull_all();
    let closed = history.edit(0, |edit| edit.accounts.remove(&1)).number;
    history.pull_all();
    history.edit(1, |edit| edit.notes.append("seen".into()));
    history.pull_all();
    assert!(history.state(0).accounts.is_empty());
    history.undo(0, closed);
    history.pull_all();
    for author in 0..2 {
        let state = history.state(author);
        let inside = &state.accounts.get(&1).expect("it is open again").coins;
        assert_eq!((state.coins.settled_len(), inside.settled_len(), *inside.settled_state()), (1, 1, 5));
    }
}
