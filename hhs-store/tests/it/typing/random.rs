//! Whatever is typed, written, fetched, undone and lost: what is told is what is shown, and what is shown is what the ops give.

use futures::executor::block_on;
use hhs_model::Author;
use hhs_store::{AppendError, MemoryBackend, Policy, UndoStack};
use proptest::prelude::*;

use super::{Desk, drain, follow};
use crate::backends::Failing;
use crate::world::{author, open};

/// Something that happens. Numbers pick where, as far as there is anything.
#[derive(Debug, Clone)]
enum Step {
    /// Author 0 or 1 types on one of two that are open here.
    Type {
        window: usize,
        who: u8,
        at: usize,
        word: String,
    },
    /// The same in one op.
    Update {
        window: usize,
        who: u8,
        at: usize,
        word: String,
    },
    /// A range goes.
    Delete {
        window: usize,
        at: usize,
        count: usize,
    },
    /// Author 1 writes elsewhere.
    Elsewhere {
        at: usize,
        word: String,
    },
    FetchHere,
    FetchThere,
    Seal(usize),
    Undo(usize),
    Redo(usize),
    Checkpoint(usize),
    Tag,
    /// The next step finds a full disk.
    Full,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let word = || prop_oneof!["[a-f]{1,3}", "[é日😀]{1,2}"];
    let step = prop_oneof![
        8 => (0..2_usize, 0..2_u8, 0..20_usize, word()).prop_map(|(window, who, at, word)| Step::Type { window, who, at, word }),
        2 => (0..2_usize, 0..2_u8, 0..20_usize, word())
            .prop_map(|(window, who, at, word)| Step::Update { window, who, at, word }),
        3 => (0..2_usize, 0..20_usize, 1..4_usize).prop_map(|(window, at, count)| Step::Delete { window, at, count }),
        3 => (0..20_usize, word()).prop_map(|(at, word)| Step::Elsewhere { at, word }),
        2 => Just(Step::FetchHere),
        1 => Just(Step::FetchThere),
        1 => (0..2_usize).prop_map(Step::Seal),
        1 => (0..2_usize).prop_map(Step::Undo),
        1 => (0..2_usize).prop_map(Step::Redo),
        1 => (0..2_usize).prop_map(Step::Checkpoint),
        1 => Just(Step::Tag),
        1 => Just(Step::Full),
    ];
    prop::collection::vec(step, 1..40)
}

/// What happens here and elsewhere.
struct Play {
    backend: Failing,
    windows: [Desk; 2],
    there: Desk,
    stack: UndoStack,
    now: u64,
}

impl Play {
    async fn new() -> Self {
        let backend = Failing::default();
        let here = Desk::founded(backend.clone()).await;
        let there = here.with_guest().await;
        let other = Desk::of(here.store.clone(), here.page.id()).await;
        let policy = Policy { max_edits: 5, max_time: 12, pause: 6, ..Policy::default() };
        other.page.set_policy(policy);
        Self { backend, windows: [here, other], there, stack: UndoStack::new(), now: 0 }
    }

    /// Does a step; it may fail.
    async fn step(&mut self, step: &Step) -> Result<(), AppendError> {
        self.now += 1;
        let (now, ana, ben): (u64, Author, Author) = (self.now, author(0), author(1));
        let place = |desk: &Desk, at: usize| at % (desk.text().chars().count() + 1);
        match step {
            Step::Type { window, who, at, word } => {
                let desk = &self.windows[*window];
                desk.type_at(&author(*who), now, place(desk, *at), word).await?;
            }
            Step::Update { window, who, at, word } => {
                let desk = &self.windows[*window];
                let at = place(desk, *at);
                desk.page.update(&author(*who), now, |edit| edit.text.insert(at, word)).await?;
            }
            Step::Delete { window, at, count } => {
                let desk = &self.windows[*window];
                let at = place(desk, *at);
                desk.page.type_in(&ana, now, |edit| edit.text.delete(at..at + count)).await?;
            }
            Step::Elsewhere { at, word } => {
                let at = place(&self.there, *at);
                self.there.page.type_in(&ben, now, |edit| edit.text.insert(at, word)).await?;
            }
            Step::FetchHere => {
                self.there.page.seal().await?;
                // A full disk here is no error of the other side.
                self.windows[0].try_fetch(&self.there).await.ok();
            }
            Step::FetchThere => self.there.fetch(&self.windows[0]).await,
            Step::Seal(window) => drop(self.windows[*window].page.seal().await?),
            Step::Undo(window) => drop(self.windows[*window].page.undo(&mut self.stack, &ana, now).await?),
            Step::Redo(window) => drop(self.windows[*window].page.redo(&mut self.stack, &ana, now).await?),
            Step::Checkpoint(window) => self.windows[*window].page.checkpoint().await?,
            Step::Tag => {
                self.windows[0].page.type_in(&ana, now, |edit| edit.tags.insert(now.to_string())).await?;
            }
            Step::Full => {}
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Two windows on one replica, and another store. After every step who follows the changes knows exactly what is shown, be it that the
    /// disk was full; in the end everybody shows the same, as who opens the store anew.
    #[test]
    fn what_is_told_is_what_is_shown(steps in steps()) {
        block_on(async {
            let mut play = Play::new().await;
            let mut followed: Vec<_> =
                play.windows.iter().map(|desk| (desk.page.changes(), desk.text())).collect();
            let mut full = false;
            for step in &steps {
                play.backend.fill_disk(full);
                let outcome = play.step(step).await;
                play.backend.fill_disk(false);
                if let (false, Err(error), Step::FetchThere | Step::Elsewhere { .. }) = (full, outcome, step) {
                    panic!("nothing fails there: {error}");
                }
                full = matches!(step, Step::Full);
                for (desk, (changes, told)) in play.windows.iter().zip(&mut followed) {
                    follow(told, &drain(changes));
                    prop_assert_eq!(&*told, &desk.text(), "after {:?}", step);
                }
            }
            for window in &play.windows {
                // What was lost before is said now.
                window.page.seal().await.ok();
                prop_assert_eq!(window.page.due_at(), None);
            }
            let [one, other] = &play.windows;
            prop_assert_eq!(one.text(), other.text());
            let again = Desk::of(open(play.backend.memory.clone()).await, one.page.id()).await;
            prop_assert_eq!(again.text(), one.text());
            play.there.page.seal().await.unwrap();
            one.fetch(&play.there).await;
            play.there.fetch(one).await;
            prop_assert_eq!(one.text(), play.there.text());
            prop_assert_eq!(other.text(), play.there.text());
            Ok(())
        })?;
    }

    /// What is typed reads the same as if every key were an op, with whatever policy.
    #[test]
    fn keys_as_one_op_and_as_one_each(
        keys in prop::collection::vec((0..20_usize, 0..3_usize, "[a-f]{0,2}"), 1..40),
        max_edits in 1..8_usize,
    ) {
        block_on(async {
            let (typed, written) = (Desk::founded(MemoryBackend::new()).await, Desk::founded(MemoryBackend::new()).await);
            typed.page.set_policy(Policy { max_edits, ..Policy::default() });
            let ana = author(0);
            for (now, (at, count, word)) in (0..).zip(&keys) {
                let length = typed.text().chars().count();
                let (at, end) = ((*at).min(length), (*at + count).min(length).max((*at).min(length)));
                let replaced = at..end;
                typed.page.type_in(&ana, now, |edit| edit.text.replace(replaced.clone(), word)).await.unwrap();
                written.page.update(&ana, now, |edit| edit.text.replace(replaced, word)).await.unwrap();
                prop_assert_eq!(typed.text(), written.text());
            }
            typed.page.seal().await.unwrap();
            prop_assert_eq!(typed.text(), written.text());
            prop_assert!(typed.count().await <= written.count().await);
            Ok(())
        })?;
    }
}
