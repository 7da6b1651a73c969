//! Tests of replay, with a class that writes down what it is shown.

mod graph;
mod history;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Policy, Replay, Typing, UndoStack, VersionBuilder, Voided, writes};
use crate::authority::Seen;
use crate::authority::definition::Definition;
use crate::class::{Changes, Draft, EditError, LoadError, Loader, OpContext, Replica, Saver, Void};
use crate::codec::{Value, encode};
use crate::id::OpId;
use crate::op::{Act, Capability};
use history::{History, Picks, histories};

/// What was done with each op, in the order in which it came.
#[derive(Debug, Default, PartialEq)]
struct Witness {
    shown: BTreeMap<OpId, Shown>,
    /// Which op stands where.
    order: Vec<OpId>,
    /// How many may write.
    holders: usize,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Shown {
    applied: bool,
    shadowed: bool,
    observed: bool,
    /// What was hidden of its past.
    hidden: BTreeSet<OpId>,
}

impl Replica for Witness {
    const CLASS: &'static str = "test/v1/Witness";
    const POSITIONAL: bool = true;

    type Edit<'a> = Draft;
    type Mutations = String;

    fn new() -> Self {
        Self::default()
    }

    fn decode(payload: &[u8]) -> Result<String, Void> {
        Ok(crate::codec::decode(payload)?)
    }

    fn accepts(text: &String, _: &OpContext<'_>) -> Result<(), Void> {
        match text.as_str() {
            "no" => Err(Void::NotAccepted { field: "text", reason: "it says no" }),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, _: String, op: &OpContext<'_>, changes: &mut Changes) {
        changes.report(|| crate::class::Action::Counted { old: 0, new: 1 });
        self.note(op).applied = true;
    }

    fn shadow(&mut self, _: String, op: &OpContext<'_>) {
        self.note(op).shadowed = true;
    }

    fn observe(&mut self, op: &OpContext<'_>, _: &mut Changes) {
        self.note(op).observed = true;
    }

    fn authorise(&mut self, holders: &crate::authority::Holders, _: &mut Changes) {
        self.holders = holders.of("write").count();
    }

    fn edit(&self) -> Draft {
        Draft::default()
    }

    fn finish(edit: Draft) -> Result<Draft, EditError> {
        Ok(edit)
    }

    fn undo(&self, text: &String, op: &OpContext<'_>, before: &Self) -> Result<Draft, EditError> {
        assert!(!before.shown.contains_key(&op.id));
        Ok(draft(&format!("not {text}")))
    }

    fn join(parts: Vec<String>) -> Result<Draft, EditError> {
        Ok(draft(&parts.join(" ")))
    }

    fn diff(&self, _: &Self, _: &mut Changes) {}

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.shown.len() as u64);
        for (id, shown) in &self.shown {
            let flags = [shown.applied, shown.shadowed, shown.observed];
            saver.op(id);
            flags.into_iter().for_each(|flag| _ = saver.uint(flag.into()));
            saver.uint(shown.hidden.len() as u64);
            shown.hidden.iter().for_each(|id| _ = saver.op(id));
        }
        saver.uint(self.order.len() as u64);
        self.order.iter().for_each(|id| _ = saver.op(id));
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut witness = Self::default();
        for _ in 0..loader.count(36)? {
            let id = loader.op()?;
            let [applied, shadowed, observed] = [loader.uint()? == 1, loader.uint()? == 1, loader.uint()? == 1];
            let hidden = (0..loader.count(32)?).map(|_| loader.op()).collect::<Result<_, _>>()?;
            witness.shown.insert(id, Shown { applied, shadowed, observed, hidden });
        }
        witness.order = (0..loader.count(32)?).map(|_| loader.op()).collect::<Result<_, _>>()?;
        Ok(witness)
    }
}

impl Witness {
    fn note(&mut self, op: &OpContext<'_>) -> &mut Shown {
        if self.order.len() as u64 == op.position {
            self.order.push(op.id);
        }
        // Never the op itself.
        let here = (0..=op.position).filter(|at| op.hidden.contains(*at));
        let hidden =
            here.filter(|at| *at == op.position || op.has_seen(*at)).map(|at| self.order[at as usize]).collect();
        let shown = self.shown.entry(op.id).or_default();
        shown.hidden = hidden;
        shown
    }
}

fn draft(text: &str) -> Draft {
    Draft { payload: Some(encode(&Value::Text(text.to_owned())).unwrap()), ..Draft::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Each op is applied or shown as void as the definition judges the whole history, and what was hidden from its author is what the
    /// definition judges void in the op's past alone.
    #[test]
    fn what_a_class_is_shown(picks in histories()) {
        let history = History::new(&picks);
        let replay = history.replay();
        let definition = Definition::new(history.ops());
        for (position, op) in history.ops().enumerate() {
            let void = definition.verdict(&op.id()).is_some();
            let shown = replay.state().shown.get(&op.id()).cloned().unwrap_or_default();
            prop_assert_eq!(replay.void(position as u64).is_some_and(|void| void == Voided::ByAuthority), void);
            prop_assert_eq!((shown.applied, shown.shadowed, shown.observed), (!void, void, !void));
            let past = Definition::new(history.past(position));
            let hidden: BTreeSet<OpId> =
                history.past(position).filter(|op| past.verdict(&op.id()).is_some()).map(|op| op.id()).collect();
            prop_assert_eq!(shown.hidden, hidden);
        }
    }

    /// Op by op, made anew where a verdict has changed: the same as with all verdicts known from the start; and so from every
    /// saved state that is still right. Those that are not are not loaded.
    #[test]
    fn op_by_op_and_from_saved_states(picks in histories()) {
        let history = History::new(&picks);
        let mut replay = history.begin();
        let mut saved: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut authority = history.authority_of(0);
        for position in 0..history.len() {
            history.tell(&mut authority, position);
            if let Some(outdated) = replay.outdated(&authority) {
                prop_assert!(outdated < position);
                saved.retain(|(applied, _)| *applied <= outdated);
                replay = match saved.last() {
                    Some((_, bytes)) => Replay::load(bytes, &authority).unwrap().expect("nothing in it has changed"),
                    None => Replay::new(&authority),
                };
            }
            prop_assert_eq!(replay.outdated(&authority), None);
            for position in replay.applied()..=position {
                replay.apply(history.kept(position), &authority, &mut Changes::unwatched());
            }
            let fresh = history.replay_with(&authority, position + 1);
            prop_assert_eq!(replay.state(), fresh.state());
            saved.push((position + 1, replay.save()));
        }
        for (applied, bytes) in &saved {
            let loaded = Replay::<Witness>::load(bytes, &authority).unwrap();
            prop_assert!(loaded.is_some_and(|loaded| loaded.applied() == *applied && loaded.save() == *bytes));
        }
        // Bytes that were damaged are refused or give some state, and nothing panics.
        if let Some((_, bytes)) = saved.last() {
            for at in (0..bytes.len()).step_by(7) {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x55;
                let _any: Result<Option<Replay<Witness>>, LoadError> = Replay::load(&damaged, &authority);
                prop_assert!(Replay::<Witness>::load(&bytes[..at], &authority).is_err());
            }
        }
    }

    /// A version is what somebody shows who has those ops and no others.
    #[test]
    fn versions(picks in histories(), head in any::<Index>()) {
        let history = History::new(&picks);
        prop_assume!(history.len() > 0);
        let head = head.index(history.len() as usize) as u64;
        let alone = Picks::below(&picks, &history, head);
        let alone = History::new(&alone);
        let expected = alone.replay();
        let replay = history.replay();
        let seen = history.above(head);
        let (version, _) = replay.graph().difference(&[head], &[]);
        let mut builder = VersionBuilder::<Witness>::new(&version, seen.clone(), history.authority());
        while let Some(range) = builder.wants() {
            range.for_each(|position| builder.feed(history.kept(position), history.authority()));
        }
        let version = builder.finish();
        prop_assert_eq!(&version.shown, &expected.state().shown);
        prop_assert_eq!(version.holders, expected.state().holders);
    }
}

/// An op that its class does not accept is void for good, and says why; its act counts, and it was there.
#[test]
fn void_by_class() {
    let mut history = History::founded();
    let no = history.write(0, None, "no");
    let act = Act::Grant { to: history::identity(1), can: [Capability::write()].into() };
    history.write(0, Some(act), "no");
    let replay = history.replay();
    assert_eq!((replay.void(0), replay.void(1)), (Some(Voided::ByClass), Some(Voided::ByClass)));
    let shown = &replay.state().shown[&no];
    assert!(!shown.applied && !shown.shadowed && shown.observed);
    assert_eq!(replay.state().holders, 2);
    let why = replay.why(&history.kept(0), history.authority()).unwrap();
    assert_eq!(why.to_string(), "the class does not accept what it writes to `text`: it says no");
    let undone = replay.undo(&history.kept(0), &Witness::new(), history.authority()).unwrap();
    assert!(undone.is_empty());
}

/// Keys are pressed: the edits are one op when its author pauses, when it is full, when it is old.
#[test]
fn typing_is_due() {
    let policy = Policy { max_edits: 3, max_bytes: 40, max_time: 100, pause: 30 };
    let mut typing = Typing::<Witness>::new(policy);
    assert_eq!((typing.due_at(), typing.is_due(u64::MAX)), (None, false));
    typing.add(draft("a"), 1_000).unwrap();
    assert_eq!(typing.due_at(), Some(1_030), "after a pause");
    typing.add(draft("b"), 1_020).unwrap();
    assert_eq!(typing.due_at(), Some(1_050));
    assert!(!typing.is_due(1_049) && typing.is_due(1_050));
    typing.add(draft("c"), 1_021).unwrap();
    assert_eq!((typing.edits(), typing.due_at()), (3, Some(1_000)), "as it is full");
    assert_eq!(typing.seal().unwrap(), draft("a b c"));
    assert!(typing.is_empty());

    typing.add(draft("a"), 1_000).unwrap();
    typing.add(draft("b"), 1_090).unwrap();
    assert_eq!(typing.due_at(), Some(1_100), "as it is old");
    assert!(!typing.takes(&draft(&"long".repeat(10))), "it would be too large");
    assert!(typing.add(Draft { payload: Some(vec![0xff]), ..Draft::default() }, 1_091).is_err());
    assert_eq!(typing.seal().unwrap(), draft("a b"));
    let long = draft(&"long".repeat(10));
    assert!(typing.takes(&long), "a single edit may be");
    let grant = Act::Grant { to: history::identity(1), can: [Capability::write()].into() };
    assert!(!typing.takes(&Draft { act: Some(grant), ..Draft::default() }), "an act is an op by itself");
}

/// What was written, undone and redone, as a stack of ids; a new op ends what could be redone.
#[test]
fn a_stack_of_undo_and_redo() {
    let [a, b, c, not_b, again] = ["a", "b", "c", "not b", "b again"].map(|name| OpId::of(name.as_bytes()));
    let mut stack = UndoStack::new();
    assert_eq!((stack.next_undo(), stack.next_redo()), (None, None));
    stack.wrote(a);
    stack.wrote(b);
    assert_eq!(stack.next_undo(), Some(b));
    stack.undone(not_b);
    assert_eq!((stack.next_undo(), stack.next_redo()), (Some(a), Some(not_b)));
    stack.redone(again);
    assert_eq!((stack.next_undo(), stack.next_redo()), (Some(again), None));
    stack.undone(not_b);
    stack.wrote(a);
    assert_eq!((stack.next_undo(), stack.next_redo()), (Some(a), Some(not_b)), "it knows of that op");
    stack.wrote(c);
    assert_eq!((stack.next_undo(), stack.next_redo()), (Some(c), None));
    stack.skip_undo();
    stack.skip_redo();
    assert_eq!(stack.next_undo(), Some(a));
}

/// Whether a payload writes to a field is seen without its class.
#[test]
fn fields_of_a_payload() {
    let map = |fields: &[&str]| {
        let entry = |field: &&str| ((*field).to_owned(), Value::List(vec![Value::from(1_u64)]));
        encode(&Value::Map(fields.iter().map(entry).collect())).unwrap()
    };
    let payload = map(&["name", "tags"]);
    assert!(writes(&payload, "name") && writes(&payload, "tags") && !writes(&payload, "text"));
    assert!(!writes(&[0xff], "name") && !writes(&[], "name") && !writes(&payload[..3], "name"));
}

/// Nobody has seen anything: nothing is hidden, whoever asks.
#[test]
fn nothing_is_seen() {
    let history = History::founded();
    assert!(!history.authority().withdraws(&Seen::default()));
    assert_eq!(history.replay().applied(), 0);
}
