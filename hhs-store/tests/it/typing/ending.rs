//! The end of a program in an orderly way, and what the next one finds.

use futures::executor::block_on;
use hhs_crdt::{Counter, Log, Members, Register, Replica, Set, Text};
use hhs_store::backend::Entry;
use hhs_store::{Live, MemoryBackend, StoreError};

use super::{Desk, Page};
use crate::backends::{Failing, abandon};
use crate::world::{author, dump, open};

fn checkpoints(memory: &MemoryBackend) -> Vec<Entry> {
    dump(memory).into_iter().filter(|(key, _)| [29, 30].contains(&key[0])).collect()
}

/// A program ends: what is typed in two replicas becomes ops, a write that was given up is durable, and where much has come since the
/// last checkpoint there is one. With little there is none, and once more nothing changes.
#[test]
fn an_orderly_end() {
    block_on(async {
        let memory = MemoryBackend::new();
        let one = Desk::founded(memory.clone()).await;
        let id = one.store.found(Page::CLASS, [1; 16], &author(0)).await.unwrap();
        let other = Desk::of(one.store.clone(), id).await;
        one.type_word(&author(0), 1, "typed").await;
        other.type_word(&author(0), 1, &"x".repeat(100)).await;
        abandon(one.page.update(&author(0), 2, |edit| edit.score.add(1)), 1).await;
        one.store.flush().await.unwrap();
        assert_eq!((one.page.due_at(), other.page.due_at()), (None, None));
        assert_eq!(checkpoints(&memory), [], "little is read again as fast");
        for _ in 0..20 {
            one.page.update(&author(0), 3, |edit| edit.title.set("y".repeat(5_000))).await.unwrap();
        }
        assert_eq!(checkpoints(&memory), []);
        one.store.flush().await.unwrap();
        let written = checkpoints(&memory);
        assert_eq!(written.len(), 2);
        one.store.flush().await.unwrap();
        assert_eq!(checkpoints(&memory), written);
        let store = open(memory).await;
        let (one, other) = (Desk::of(store.clone(), one.page.id()).await, Desk::of(store, id).await);
        assert_eq!((one.text().as_str(), other.text().len()), ("typed", 100));
        assert_eq!(one.page.read(|page| page.score.get()), 1);
    });
}

/// The disk is full when the program ends: it is told.
#[test]
fn an_end_on_a_full_disk() {
    block_on(async {
        let backend = Failing::default();
        let here = Desk::founded(backend.clone()).await;
        here.type_word(&author(0), 1, "lost").await;
        backend.fill_disk(true);
        here.store.flush().await.unwrap_err();
        backend.fill_disk(false);
        assert_eq!(here.text(), "");
        here.store.flush().await.unwrap();
    });
}

mod later {
    use super::*;

    /// The page as a later version of the program has it: the class has the name that it had, and it accepts less.
    #[derive(Replica)]
    #[replica(class = "test/v1/Page")]
    pub(super) struct Page {
        pub(super) text: Text,
        pub(super) title: Register<String>,
        pub(super) tags: Set<String>,
        #[replica(accept = small)]
        pub(super) score: Counter,
        pub(super) log: Log<String>,
        pub(super) members: Members,
    }

    fn small(score: &i64) -> Result<(), &'static str> {
        if *score < 10 { Ok(()) } else { Err("too much at once") }
    }
}

/// A program is replaced by one whose class of the same name accepts less. The checkpoint of the old one is not read, as ops in it would
/// count that do not any more.
#[test]
fn a_class_that_has_changed_under_its_name() {
    block_on(async {
        let memory = MemoryBackend::new();
        let here = Desk::founded(memory.clone()).await;
        for score in [5, 50] {
            here.page.update(&author(0), 1, |edit| edit.score.add(score)).await.unwrap();
        }
        here.page.checkpoint().await.unwrap();
        let store = open(memory).await;
        let same: Live<Page> = store.open_replica(here.page.id()).await.unwrap();
        assert_eq!(same.read(|page| page.score.get()), 55);
        let later: Result<Live<later::Page>, StoreError> = store.open_replica(here.page.id()).await;
        assert_eq!(later.unwrap().read(|page| page.score.get()), 5);
    });
}
