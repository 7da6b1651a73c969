//! Checkpoints that are not what was saved: whatever they say, they are refused or are some state, and nothing panics.

use hhs_crdt::{Carried, Expand, Replica};
use hhs_model::Frontier;
use hhs_model::authority::{Authority, Seen};
use hhs_model::class::Changes;
use hhs_model::codec::Value;
use hhs_model::replay::{Kept, Replay};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Doc, Everything, EverythingEdit, author, doc, grant, reinstate, revoke, shown, sync, write};

/// Something in every field, on top of whatever is there.
fn scribble(edit: &mut EverythingEdit<'_>, number: usize) {
    let name = number.to_string();
    edit.name.set(name.clone());
    edit.status.set(name.clone());
    edit.tags.insert(name.clone());
    edit.tags.remove(&(number / 2).to_string());
    edit.kinds.insert(name.clone());
    edit.score.add(number as i64);
    edit.messages.append(name.clone());
    edit.pages.at(name.clone()).set(name.clone());
    edit.pages.remove(&(number / 2).to_string());
    edit.text.splice(number % 7, number % 3, "some words");
    edit.text.mark(0..number % 9, "bold", Some(Value::Bool(true)), Expand::End);
    edit.list.insert(number % 4, name.clone());
    edit.list.move_to(0, number % 5);
    edit.list.remove(number % 6);
    edit.order.insert(number % 4, name.clone());
    edit.order.move_to(0, number % 5);
    edit.order.remove_at(number % 6);
    edit.purse.append(5 - number as i64 % 9);
}

/// Ana and Ben write apart and together; Ben is removed and back, over and over, and both go on.
fn story() -> Doc {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let bens = grant(&mut here, &ana, ben.id());
    for number in 0..12 {
        sync(&mut here, &mut there);
        write(&mut there, &ben, |edit| scribble(edit, 2 * number));
        let removed = revoke(&mut here, &ana, bens);
        let wrote = write(&mut here, &ana, |edit| scribble(edit, 2 * number + 1));
        sync(&mut here, &mut there);
        write(&mut here, &ana, |edit| edit.text.push_str("!"));
        reinstate(&mut here, &ana, removed);
        if number % 3 == 2 {
            let draft = here.undo_draft(&wrote).expect("it can be saved");
            here.put(&ana, 1, draft).expect("she may");
        }
    }
    here
}

/// The ops of a document as a replay takes them.
struct History {
    ops: Vec<Carried>,
    parents: Vec<Vec<u64>>,
    seen: Vec<Seen>,
}

impl History {
    fn of(document: &Doc) -> Self {
        let mut history = Self { ops: document.beyond(&Frontier::default()), parents: Vec::new(), seen: Vec::new() };
        for position in 0..history.ops.len() as u64 {
            let parents = document.graph().parents(position).as_slice().to_vec();
            let above = parents.iter().map(|parent| history.above(*parent, document.authority())).collect::<Vec<_>>();
            history.seen.push(document.authority().join(&above));
            history.parents.push(parents);
        }
        history
    }

    fn above(&self, position: u64, authority: &Authority) -> Seen {
        let number = authority.number_of(&self.ops[position as usize].op.id());
        number.map_or_else(|| self.seen[position as usize].clone(), Seen::act)
    }

    fn kept(&self, position: u64) -> Kept<'_> {
        let at = position as usize;
        let Carried { op, payload } = &self.ops[at];
        Kept { op, position, parents: &self.parents[at], seen: &self.seen[at], payload: payload.as_deref() }
    }

    fn apply(&self, replay: &mut Replay<Everything>, end: usize, authority: &Authority) {
        for position in replay.applied()..end as u64 {
            replay.apply(self.kept(position), authority, &mut Changes::unwatched());
        }
    }
}

/// Does what can be done with a state.
fn use_it(mut replay: Replay<Everything>, history: &History, document: &Doc) {
    let authority = document.authority();
    let (_, _) = (shown(replay.state()), replay.state().text.blame(0..100));
    for number in [0, 3, 8] {
        let mut edit = replay.state().edit();
        scribble(&mut edit, number);
        drop(Everything::finish(edit));
    }
    for position in 0..replay.applied().min(history.ops.len() as u64) {
        drop(replay.undo(&history.kept(position), &Everything::new(), authority));
    }
    if replay.graph().heads().iter().all(|head| *head < history.ops.len() as u64) {
        history.apply(&mut replay, history.ops.len(), authority);
    }
    let mut changes = Changes::of(history.ops[0].op.id(), author("Ana").id());
    replay.diff(&Replay::new(authority), authority, &mut changes);
    let (_, _, _) = (shown(replay.state()), replay.save(), replay.void(0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    /// Bytes are changed here and there, or the end is missing.
    #[test]
    fn damaged_checkpoints(damage in vec((any::<Index>(), prop_oneof![any::<u8>(), 0..4_u8]), 1..4), cut in any::<Option<Index>>()) {
        thread_local! {
            static STORY: (Doc, History, Vec<u8>) = {
                let document = story();
                let history = History::of(&document);
                let mut replay = Replay::new(document.authority());
                history.apply(&mut replay, history.ops.len() * 2 / 3, document.authority());
                let saved = replay.save();
                (document, history, saved)
            };
        }
        STORY.with(|(document, history, saved)| {
            let mut bytes = saved.clone();
            for (at, byte) in damage {
                *at.get_mut(&mut bytes) = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(Some(replay)) = Replay::load(&bytes, document.authority()) {
                use_it(replay, history, document);
            }
        });
    }
}

/// What was not damaged goes on to the state of the document.
#[test]
fn what_was_saved() {
    let document = story();
    let history = History::of(&document);
    let mut replay = Replay::new(document.authority());
    history.apply(&mut replay, history.ops.len() * 2 / 3, document.authority());
    let mut loaded = Replay::<Everything>::load(&replay.save(), document.authority()).unwrap().unwrap();
    history.apply(&mut loaded, history.ops.len(), document.authority());
    assert_eq!(shown(loaded.state()), shown(document.state()));
    assert!(!loaded.voided().0.is_empty());
}
