//! `Ledger`: situations with their stories.

mod nested;
mod random;
mod reference;

use std::collections::BTreeSet;

use hhs_crdt::{Ledger, Log, Members, PositiveCounter, Replica};
use hhs_model::class::{Action, Change};

use crate::harness::{History, TestOp, identity};

/// The class that the tests are about.
#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Purse")]
pub(crate) struct Purse {
    pub(crate) coins: Ledger<PositiveCounter>,
    pub(crate) notes: Log<String>,
    pub(crate) members: Members,
}

/// A purse with some coins, which its founder and others may write to.
fn purse(writers: usize, coins: i64) -> History<Purse> {
    let mut history = History::<Purse>::new(writers);
    for writer in 1..writers {
        history.edit(0, |purse| purse.members.grant(identity(writer)));
    }
    history.edit(0, |purse| purse.coins.append(coins));
    history.pull_all();
    history
}

fn enter(history: &mut History<Purse>, author: usize, amount: i64) -> usize {
    history.edit(author, |purse| purse.coins.append(amount)).number
}

fn note(history: &mut History<Purse>, author: usize) {
    history.edit(author, |purse| purse.notes.append("seen".into()));
}

/// Amounts in their order, those without effect with a minus of their own.
fn shown(history: &History<Purse>, author: usize) -> Vec<String> {
    let entries = history.state(author).coins.iter();
    entries.map(|entry| format!("{}{}", if entry.rejected.is_some() { "not " } else { "" }, entry.value)).collect()
}

/// An op that an author writes on a version of their choice, as a liar does, and that nobody has so far.
fn backdated(history: &mut History<Purse>, author: usize, parents: BTreeSet<usize>, amount: i64) -> TestOp {
    let state = history.state(author);
    let mut edit = state.edit();
    edit.coins.append(amount);
    let draft = Purse::finish(edit).expect("it can be saved");
    let number = history.ops.len();
    let height = parents.iter().map(|parent| history.ops[*parent].height + 1).max().unwrap_or(0);
    let op = TestOp { number, parents, height, author, draft, voids: BTreeSet::new() };
    history.ops.push(op.clone());
    op
}

fn everybody_agrees(history: &mut History<Purse>) {
    history.pull_all();
    for author in 1..history.replicas.len() {
        assert_eq!(history.state(author).coins, history.state(0).coins);
    }
}

/// Situation 7. Ana spends fifty times two coins of a hundred, one after the other, while Ben, who has not heard of it, spends
/// fifty at once. Both cannot be. The longer chain stands first everywhere, and what Ben spent has no effect. They write on with
/// all of it before them, and it is settled. Then Ben brings out entries that he has dated back, in a chain that is longer than
/// that of Ana, so that he would have spent first: they come to stand behind what is settled, for everybody.
#[test]
fn fifty_entries_in_a_row_against_one_that_would_overdraw() {
    let mut history = purse(2, 100);
    let fork = history.replicas[1].heads.clone();
    for _ in 0..50 {
        enter(&mut history, 0, -2);
    }
    enter(&mut history, 1, -50);
    assert_eq!(*history.state(1).coins.state(), 50);
    everybody_agrees(&mut history);
    let coins = &history.state(1).coins;
    assert_eq!((*coins.state(), coins.settled_len()), (0, 1), "both know of the hundred");
    let last = coins.iter().next_back().expect("there are entries");
    assert_eq!((*last.value, last.author), (-50, identity(1)));
    let reason = last.rejected.expect("it has no effect").to_string();
    assert_eq!(reason, "the entry has no effect: 0 and -50 is no number from 0 to 2⁶⁴ − 1");

    note(&mut history, 0);
    note(&mut history, 1);
    everybody_agrees(&mut history);
    let settled = shown(&history, 0);
    assert_eq!(history.state(0).coins.settled_len(), 52);

    let mut parents = fork;
    for _ in 0..60 {
        let op = backdated(&mut history, 1, parents, -1);
        parents = BTreeSet::from([op.number]);
        for replica in &mut history.replicas {
            replica.apply(&op).expect("it means something");
        }
    }
    everybody_agrees(&mut history);
    let coins = &history.state(0).coins;
    assert_eq!(shown(&history, 0)[..52], settled);
    assert!(shown(&history, 0)[52..].iter().all(|entry| entry == "not -1"));
    assert_eq!((*coins.state(), *coins.settled_state(), coins.settled_len()), (0, 0, 52));
}

/// Without being settled the same chain would come first: what is not settled can change.
#[test]
fn what_is_not_settled_can_change_and_the_app_is_told() {
    let mut history = purse(2, 10);
    note(&mut history, 1);
    history.pull_all();
    assert_eq!(history.state(0).coins.settled_len(), 1);
    enter(&mut history, 0, -10);
    let ops = [enter(&mut history, 1, -4), enter(&mut history, 1, -4)];
    let mut changes = Vec::new();
    for op in ops {
        let op = history.ops[op].clone();
        changes.extend(history.replicas[0].apply(&op).expect("it means something"));
    }
    assert_eq!(shown(&history, 0), ["10", "-4", "-4", "not -10"]);
    let actions: Vec<&Action> = changes.iter().map(|change: &Change| &change.action).collect();
    assert!(actions.contains(&&Action::Reordered { from: 1 }), "{actions:?}");
}

/// Everybody writes with the entries before them: they are settled, and the app is told how many.
#[test]
fn what_everybody_has_seen_is_settled() {
    let mut history = purse(3, 10);
    enter(&mut history, 1, -1);
    assert_eq!(history.state(1).coins.settled_len(), 0);
    history.pull_all();
    note(&mut history, 0);
    history.pull_all();
    let op = history.edit(2, |purse| purse.notes.append("seen".into())).clone();
    let changes = history.replicas[0].apply(&op).expect("it means something");
    assert!(changes.iter().any(|change| change.action == Action::Settled { count: 2 }), "{changes:?}");
    assert_eq!(*history.state(0).coins.settled_state(), 9);
}

/// Two enter something at once, and go on with both before them: both are settled, in an order that is the same for both.
#[test]
fn entries_that_compete_are_settled_together() {
    let mut history = purse(2, 10);
    note(&mut history, 1);
    history.pull_all();
    enter(&mut history, 0, -7);
    enter(&mut history, 1, -8);
    history.pull_all();
    assert_eq!(history.state(0).coins.settled_len(), 1);
    note(&mut history, 0);
    note(&mut history, 1);
    everybody_agrees(&mut history);
    assert_eq!(history.state(0).coins.settled_len(), 3);
}

/// They write in turns, each on top of what the other one wrote: it is settled as they go.
#[test]
fn who_write_in_turns_settle_as_they_go() {
    let mut history = purse(3, 100);
    for round in 0..30 {
        let author = round % 3;
        enter(&mut history, author, -1);
        history.pull_all();
    }
    assert_eq!(*history.state(0).coins.state(), 70);
    assert_eq!(history.state(2).coins.settled_len(), 31 - 2);
}

/// Somebody is admitted: nothing is settled any more until they have written, and then all is.
#[test]
fn a_new_writer_has_to_write_before_anything_is_settled() {
    let mut history = purse(1, 10);
    assert_eq!(history.state(0).coins.settled_len(), 1);
    history.replicas.push(crate::harness::Local::new());
    history.edit(0, |purse| purse.members.grant(identity(1)));
    assert_eq!(history.state(0).coins.settled_len(), 0);
    enter(&mut history, 0, -1);
    history.pull_all();
    note(&mut history, 1);
    everybody_agrees(&mut history);
    assert_eq!(history.state(0).coins.settled_len(), 2);
}

/// An entry whose op becomes void is gone, and what it had made impossible is possible.
#[test]
fn what_a_void_entry_stood_in_the_way_of_has_its_effect() {
    let mut history = purse(2, 10);
    let bad = enter(&mut history, 1, -10);
    history.pull_all();
    enter(&mut history, 0, -4);
    assert_eq!(shown(&history, 0), ["10", "-10", "not -4"]);
    history.void(0, [bad]);
    everybody_agrees(&mut history);
    assert_eq!(shown(&history, 1), ["10", "-4"]);
}

/// Who asks first is told, before there is an op.
#[test]
fn an_edit_can_ask_whether_an_entry_would_be_rejected() {
    let mut history = purse(1, 10);
    history.edit(0, |purse| {
        purse.coins.try_append(-6, &identity(0)).expect("there is enough");
        assert!(purse.coins.try_append(-6, &identity(0)).is_err());
    });
    assert_eq!(shown(&history, 0), ["10", "-6"]);
}

/// Ana and Ben write on without each other for long, and what they write arrives by turns, so that now hers is the heavier branch and
/// now his: each time everything is in another order. In the end all is as for somebody who gets one branch after the other.
#[test]
fn long_branches_that_overtake_each_other() {
    let mut history = purse(2, 1_000);
    let mut branches = [Vec::new(), Vec::new()];
    for number in 0..200 {
        // Some of them are too much where they stand.
        let author = number % 2;
        let amount = if number % 7 < 2 { -400 } else { 100 - number as i64 };
        branches[author].push(enter(&mut history, author, amount));
    }
    let shared = history.ops[..branches[0][0]].to_vec();
    let (mut by_turns, mut by_branch) = (crate::harness::Local::<Purse>::new(), crate::harness::Local::<Purse>::new());
    for op in &shared {
        by_turns.apply(op).expect("it means something");
        by_branch.apply(op).expect("it means something");
    }
    let mut left = branches.clone();
    // Three of one, then five of the other, and so on: the heavier one changes each time.
    for (turn, count) in [3, 5, 7, 9, 11, 13, 15, 17, 100, 100].into_iter().enumerate() {
        let branch = &mut left[turn % 2];
        for op in branch.drain(..count.min(branch.len())) {
            by_turns.apply(&history.ops[op]).expect("it means something");
        }
    }
    for op in branches.iter().flatten() {
        by_branch.apply(&history.ops[*op]).expect("it means something");
    }
    assert_eq!(by_turns.state.coins, by_branch.state.coins);
    assert_eq!(by_turns.state.coins.state(), by_branch.state.coins.state());
    let effects = |local: &crate::harness::Local<Purse>| -> Vec<_> {
        local.state.coins.iter().map(|entry| (entry.op, entry.rejected.is_some())).collect()
    };
    assert_eq!(effects(&by_turns), effects(&by_branch));
    assert_eq!((*by_turns.state.coins.state(), by_turns.state.coins.len()), folded(&by_turns.state));

    // They meet, and go apart for a moment: the end alone is in another order then.
    history.pull_all();
    let apart = [(0, -7), (1, 500), (1, -450)].map(|(author, amount)| enter(&mut history, author, amount));
    for op in apart {
        by_turns.apply(&history.ops[op]).expect("it means something");
    }
    assert_eq!((*by_turns.state.coins.state(), by_turns.state.coins.len()), folded(&by_turns.state));
}

/// What the machine makes of the entries in their order.
fn folded(purse: &Purse) -> (u64, usize) {
    let add = |sum: u64, amount: &i64| sum.checked_add_signed(*amount).unwrap_or(sum);
    (purse.coins.iter().fold(0, |sum, entry| add(sum, entry.value)), purse.coins.iter().count())
}
