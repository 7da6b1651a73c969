//! Random histories of several authors who write, grant, revoke, renounce and reinstate, and hand each other what they have in any
//! order, in parts, and again.

use std::collections::BTreeSet;

use hhs_crdt::{Carried, Expand, Replica};
use hhs_model::authority::definition::Definition;
use hhs_model::class::Draft;
use hhs_model::codec::{Value, decode};
use hhs_model::op::{Act, Capability};
use hhs_model::{Author, OpId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::follow::Follower;
use super::{Doc, Everything, author, doc, naive, shown};

/// What somebody does.
#[derive(Debug, Clone)]
enum Step {
    Write(usize, u8, Index),
    /// Writes on what is being typed.
    Type(usize, u8, Index),
    Act(usize, u8, Index),
    /// Takes back an op, of their own or not.
    Undo(usize, Index),
    /// Hands over some of what they have: in this order, and some of it twice.
    Hand(usize, usize, Vec<Index>),
    /// Everything.
    Sync(usize, usize),
    Reopen(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..NAMES.len();
    let step = prop_oneof![
        6 => (who(), any::<u8>(), any::<Index>()).prop_map(|(who, what, at)| Step::Write(who, what, at)),
        2 => (who(), any::<u8>(), any::<Index>()).prop_map(|(who, what, at)| Step::Type(who, what, at)),
        4 => (who(), any::<u8>(), any::<Index>()).prop_map(|(who, what, at)| Step::Act(who, what, at)),
        2 => (who(), any::<Index>()).prop_map(|(who, op)| Step::Undo(who, op)),
        2 => (who(), who(), vec(any::<Index>(), 1..12)).prop_map(|(from, to, picks)| Step::Hand(from, to, picks)),
        4 => (who(), who()).prop_map(|(from, to)| Step::Sync(from, to)),
        1 => who().prop_map(Step::Reopen),
    ];
    vec(step, 1..60)
}

const NAMES: [&str; 4] = ["Ana", "Ben", "Cleo", "Dan"];

struct World {
    authors: Vec<Author>,
    documents: Vec<Doc>,
}

impl World {
    /// Everybody may write, by grants that can be taken away; but Ana, by the genesis.
    fn new() -> Self {
        let authors: Vec<Author> = NAMES.map(author).into();
        let mut first = doc();
        for author in &authors[1..] {
            super::grant(&mut first, &authors[0], author.id());
        }
        let ops = first.beyond(&Default::default());
        let documents = authors.iter().map(|_| {
            let mut document = doc();
            document.receive(ops.clone());
            document
        });
        Self { documents: documents.collect(), authors }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Write(who, what, at) => {
                // Who may no more is refused, which is fine.
                let _refused = self.documents[who].write(&self.authors[who], 7, |edit| write(edit, what, &at));
            }
            Step::Type(who, what, at) => {
                let _refused = self.documents[who].type_in(&self.authors[who], 7, |edit| write(edit, what, &at));
            }
            Step::Act(who, what, at) => self.act(who, what, &at),
            Step::Undo(who, op) => {
                let document = &mut self.documents[who];
                let ops = document.beyond(&Default::default());
                let draft = document.undo_draft(&op.get(&ops).op.id()).expect("it can be saved");
                let _refused = document.put(&self.authors[who], 7, draft);
            }
            Step::Hand(from, to, picks) => {
                let ops = self.documents[from].beyond(&Default::default());
                let some = picks.iter().filter(|_| !ops.is_empty()).map(|pick| pick.get(&ops).clone());
                let some: Vec<Carried> = some.collect();
                self.documents[to].receive(some);
            }
            Step::Sync(from, to) => {
                let ops = self.documents[from].beyond(&self.documents[to].version());
                self.documents[to].receive(ops);
            }
            Step::Reopen(who) => {
                let document = &mut self.documents[who];
                let _lost = document.checkpoint();
                document.reopen().expect("nothing is being typed");
            }
        }
    }

    fn act(&mut self, who: usize, what: u8, at: &Index) {
        let (document, author) = (&mut self.documents[who], &self.authors[who]);
        let grants: Vec<OpId> = document.authority().grants().map(|grant| grant.id).collect();
        let mine = document.authority().grants_to(&author.id()).map(|grant| grant.id).next();
        let acts = document.beyond(&Default::default()).into_iter();
        let revocations: Vec<OpId> = acts
            .filter(|carried| matches!(carried.op.header().act, Some(Act::Revoke { .. })))
            .map(|carried| carried.op.id())
            .collect();
        let to = at.get(&self.authors).id();
        let act = match what % 8 {
            0 | 1 => Act::Grant { to, can: [Capability::write(), Capability::grant()].into() },
            2..=4 if !grants.is_empty() => Act::Revoke { grants: [*at.get(&grants)].into(), cut: Default::default() },
            5 | 6 if !revocations.is_empty() => Act::Reinstate { of: [*at.get(&revocations)].into() },
            7 if what > 200 => match mine {
                Some(grant) => Act::Renounce { grant, cut: Default::default() },
                None => return,
            },
            _ => return,
        };
        let _refused = document.put(author, 7, Draft { act: Some(act), ..Draft::default() });
    }

    /// Everybody comes to have everything.
    fn meet(&mut self) {
        for document in &mut self.documents {
            let _lost = document.seal();
        }
        for _ in 0..2 {
            for from in 0..self.documents.len() {
                for to in 0..self.documents.len() {
                    self.take(Step::Sync(from, to));
                }
            }
        }
    }
}

fn write(edit: &mut <Everything as Replica>::Edit<'_>, what: u8, at: &Index) {
    let word = format!("w{}", what / 16);
    match what % 18 {
        0 => edit.name.set(word),
        1 => edit.status.set(word),
        2 => edit.tags.insert(word),
        3 => edit.tags.remove(&word),
        4 => edit.kinds.insert(word),
        5 => edit.score.add(i64::from(what)),
        6 => edit.messages.append(word),
        7 => edit.pages.at(word.clone()).set(format!("{word} {what}")),
        8 => edit.pages.remove(&word),
        9 => {
            let count = edit.list.count();
            edit.list.insert(at.index(count + 1), word);
        }
        10 if edit.list.count() > 0 => {
            let (from, to) = (at.index(edit.list.count()), usize::from(what) % edit.list.count());
            match what % 4 {
                0 => edit.list.remove(from),
                1 => edit.list.set(from, word),
                _ => edit.list.move_to(from, to),
            };
        }
        11 => edit.order.insert(usize::from(what) % 3, word),
        12 => _ = edit.order.remove(&word),
        13 => edit.purse.append(i64::from(what) - 120),
        14 if !edit.text.is_empty() => {
            let from = at.index(edit.text.len());
            edit.text.mark(from..from + 4, "bold", Some(word.into()), Expand::End);
        }
        15 if !edit.text.is_empty() => {
            let from = at.index(edit.text.len());
            edit.text.delete(from..(from + 3).min(edit.text.len()));
        }
        _ => {
            let at = at.index(edit.text.len() + 1);
            edit.text.insert(at, &word);
            edit.score.add(1);
        }
    }
}

/// Everything void, with its reason.
fn voided(document: &Doc) -> Vec<(OpId, Option<hhs_model::replay::Voided>)> {
    let ops = document.beyond(&Default::default());
    let mut voided: Vec<_> = ops.iter().map(|carried| (carried.op.id(), document.void(&carried.op.id()))).collect();
    voided.sort_unstable_by_key(|(id, _)| *id);
    voided
}

/// The verdicts by the definition: from scratch, from the set of ops.
fn by_definition(document: &Doc) -> Vec<(OpId, bool)> {
    let ops = document.beyond(&Default::default());
    let definition = Definition::new(ops.iter().map(|carried| &carried.op));
    let verdict = |id: OpId| (id, definition.verdict(&id).is_some());
    let mut verdicts: Vec<(OpId, bool)> = ops.iter().map(|carried| verdict(carried.op.id())).collect();
    verdicts.sort_unstable();
    verdicts
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Whatever happens: all documents come to show the same, judge the same, and are what a document shows that is given the
    /// ops in another order, in one batch or one by one; the version that they have, made by itself, is that as well.
    #[test]
    fn all_ways_lead_to_the_same(steps in steps(), order in vec(any::<Index>(), 1..40)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        world.meet();
        let first = &world.documents[0];
        let (expected, verdicts) = (shown(first.state()), voided(first));
        for document in &world.documents[1..] {
            prop_assert_eq!(first.version(), document.version());
            prop_assert_eq!(&expected, &shown(document.state()));
            prop_assert_eq!(&verdicts, &voided(document));
            prop_assert_eq!(first.heads(), document.heads());
        }
        let void: Vec<(OpId, bool)> = verdicts.iter().map(|(id, void)| (*id, void.is_some())).collect();
        prop_assert_eq!(void, by_definition(first));
        prop_assert_eq!(&expected, &shown(&first.at(&first.version()).expect("all is here")));

        let mut ops = first.beyond(&Default::default());
        for pick in &order {
            let at = pick.index(ops.len());
            let op = ops.remove(at);
            ops.insert(0, op);
        }
        let mut batch = doc();
        prop_assert_eq!(batch.receive(ops.clone()).waiting, 0);
        prop_assert_eq!(&expected, &shown(batch.state()));
        let mut singly = doc();
        ops.into_iter().for_each(|op| drop(singly.receive([op])));
        prop_assert_eq!(&expected, &shown(singly.state()));
        prop_assert_eq!(&verdicts, &voided(&singly));
        singly.reopen().expect("nothing is being typed");
        prop_assert_eq!(&expected, &shown(singly.state()));
    }

    /// The state is what a naive reading of the ops gives, with the verdicts of the definition.
    #[test]
    fn the_state_is_that_of_the_definition(steps in steps()) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        for document in &mut world.documents {
            let _lost = document.seal();
            let ops = document.beyond(&Default::default());
            prop_assert_eq!(shown(document.state()), shown(&naive::state(&ops)));
        }
    }

    /// Following the changes of a document one comes to what it shows: nothing is told that is not so, whatever is made anew.
    #[test]
    fn changes_say_what_is_different(steps in steps()) {
        let mut world = World::new();
        world.documents[1].watch();
        let mut follower = Follower::of(world.documents[1].state());
        for step in steps {
            world.take(step);
            world.documents[1].take_changes().iter().for_each(|change| follower.follow(change));
            follower.knows(world.documents[1].state());
        }
    }

    /// Any version shows what its ops alone give; the difference of two leads from one to the other, and the history of
    /// everything to what is shown.
    #[test]
    fn any_version(steps in steps(), picks in vec((any::<Index>(), any::<Index>()), 1..4)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        world.meet();
        let all = &world.documents[0];
        let ops = all.beyond(&Default::default());
        let by_id = ops.iter().map(|carried| (carried.op.id(), &carried.op)).collect();
        let version = |heads: [&Index; 2]| {
            let heads: BTreeSet<OpId> = heads.iter().map(|head| head.get(&ops).op.id()).collect();
            let past: BTreeSet<OpId> = heads.iter().flat_map(|head| naive::past(&by_id, head)).collect();
            let part: Vec<Carried> = ops.iter().filter(|carried| past.contains(&carried.op.id())).cloned().collect();
            (heads.into_iter().collect::<hhs_model::Frontier>(), naive::state(&part))
        };
        let mut last: Option<hhs_model::Frontier> = None;
        for (one, other) in &picks {
            let (version, expected) = version([one, other]);
            let state = all.at(&version).expect("all is here");
            prop_assert_eq!(shown(&state), shown(&expected));
            let from = last.replace(version.clone()).unwrap_or_default();
            let mut follower = Follower::of(&all.at(&from).expect("all is here"));
            let changes = all.diff(&from, &version).expect("all is here");
            changes.iter().for_each(|change| follower.follow(change));
            follower.knows(&state);
        }
        let mut follower = Follower::default();
        all.history_of(&[]).iter().filter(|change| change.field() != Some("members")).for_each(|change| follower.follow(change));
        follower.knows_all_but_members(all.state());
        for field in ["name", "text", "pages"] {
            let wrote = |carried: &&Carried| match carried.payload.as_ref().map(|payload| decode(payload)) {
                Some(Ok(Value::Map(fields))) => fields.get(field).is_some(),
                _ => false,
            };
            let expected: BTreeSet<OpId> = ops.iter().filter(wrote).map(|carried| carried.op.id()).collect();
            let history = all.history(field);
            prop_assert_eq!(history.len(), expected.len());
            prop_assert_eq!(history.iter().map(|wrote| wrote.op).collect::<BTreeSet<_>>(), expected);
            prop_assert!(history.iter().all(|wrote| wrote.void == all.void(&wrote.op)));
        }
    }

    /// A version is what those saw who had it: made from its ops alone by somebody who never had more.
    #[test]
    fn versions_are_what_was_seen(steps in steps(), at in any::<Index>()) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        let document = at.get(&world.documents);
        let (version, mut all) = (document.version(), doc());
        world.documents.iter().for_each(|document| drop(all.receive(document.beyond(&all.version()))));
        let mut alone = doc();
        alone.receive(document.beyond(&Default::default()));
        let seen = all.at(&version).expect("all is here");
        prop_assert_eq!(shown(alone.state()), shown(&seen));
    }
}
