//! Typing on live replicas: keys show at once, are told at once, and become one op before anything else comes.

mod ending;
mod failing;
mod random;
mod several;
mod undo;

use futures::executor::block_on;
use hhs_crdt::{Counter, Expand, Log, Members, Register, Replica, Set, Text};
use hhs_model::class::{Action, Change};
use hhs_model::op::Capability;
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::{
    AppendError, Backend, Bundle, ChangeStream, IngestError, Live, MemoryBackend, Policy, ReadLimit, SignedOp, Store,
};

use crate::world::{author, dump, id_of, open};

/// A page that people write together.
#[derive(Replica)]
#[replica(class = "test/v1/Page")]
pub(crate) struct Page {
    pub(crate) text: Text,
    pub(crate) title: Register<String>,
    pub(crate) tags: Set<String>,
    pub(crate) score: Counter,
    pub(crate) log: Log<String>,
    pub(crate) members: Members,
}

/// A store with a page that author 0 founded, open.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) page: Live<Page>,
}

impl Desk {
    pub(crate) async fn founded(backend: impl Backend) -> Self {
        let store = open(backend).await;
        let id = store.found(Page::CLASS, [0; 16], &author(0)).await.unwrap();
        Self::of(store, id).await
    }

    pub(crate) async fn of(store: Store, id: ReplicaId) -> Self {
        let page = store.open_replica(id).await.unwrap();
        Self { store, page }
    }

    pub(crate) async fn type_at(&self, who: &Author, now: u64, at: usize, text: &str) -> Result<(), AppendError> {
        self.page.type_in(who, now, |edit| edit.text.insert(at, text)).await.map(drop)
    }

    /// Types letter by letter at the end, a millisecond each.
    pub(crate) async fn type_word(&self, who: &Author, now: u64, word: &str) {
        for (at, letter) in word.chars().enumerate() {
            let end = self.text().chars().count();
            self.type_at(who, now + at as u64, end, &letter.to_string()).await.unwrap();
        }
    }

    pub(crate) fn text(&self) -> String {
        self.page.read(|page| page.text.to_string())
    }

    pub(crate) async fn count(&self) -> u64 {
        self.store.count(self.page.id()).await.unwrap()
    }

    /// Takes in what another one has.
    pub(crate) async fn fetch(&self, other: &Self) {
        self.try_fetch(other).await.unwrap();
    }

    pub(crate) async fn try_fetch(&self, other: &Self) -> Result<(), IngestError> {
        let all = ReadLimit { ops: 10_000, bytes: 64 << 20 };
        let ops = other.store.ops(other.page.id(), 0..u64::MAX, all).await.unwrap();
        let sign = |stored: &hhs_store::StoredOp| SignedOp {
            header: stored.op.bytes().to_vec(),
            payload: stored.payload.clone(),
        };
        let identities = (0..4).map(|number| author(number).identity_bytes().to_vec()).collect();
        let bundle = Bundle { identities, ops: ops.iter().map(sign).collect() };
        self.store.ingest(self.page.id(), bundle).await.map(drop)
    }

    /// Another store with the page, in which author 1 may write.
    pub(crate) async fn with_guest(&self) -> Self {
        let can = [Capability::write(), Capability::grant()];
        self.store.put_identity(author(1).identity_bytes().to_vec()).await.unwrap();
        self.page.grant(&author(0), 0, id_of(1), can).await.unwrap().unwrap();
        let store = open(MemoryBackend::new()).await;
        let genesis = self.store.genesis(self.page.id()).await.unwrap();
        let id = store.create(&genesis, &[author(0).identity_bytes().to_vec()]).await.unwrap();
        assert_eq!(id, self.page.id());
        let guest = Self::of(store, id).await;
        guest.fetch(self).await;
        guest
    }
}

pub(crate) fn drain(changes: &mut ChangeStream) -> Vec<Change> {
    std::iter::from_fn(|| changes.next_ready()).map(Result::unwrap).collect()
}

/// What a text becomes by what was told.
pub(crate) fn follow(text: &mut String, changes: &[Change]) {
    for change in changes {
        if let Action::Edited { at, deleted, inserted } = &change.action {
            let mut chars: Vec<char> = text.chars().collect();
            let (at, deleted) = (*at as usize, *deleted as usize);
            chars.splice(at..at + deleted, inserted.chars());
            *text = chars.into_iter().collect();
        }
    }
}

/// Ana types "hello". Each key shows and is told at once; the store has nothing of it until it is sealed, and then one op, with the
/// time of the first key. What nobody has read by then goes by the name of the op.
#[test]
fn a_word_is_one_op() {
    block_on(async {
        let memory = MemoryBackend::new();
        let here = Desk::founded(memory.clone()).await;
        let (ana, before) = (author(0), dump(&memory));
        let mut changes = here.page.changes();
        let mut told = String::new();
        let mut names: Vec<OpId> = Vec::new();
        for (at, letter) in "hell".chars().enumerate() {
            here.type_at(&ana, 1_000 + at as u64, at, &letter.to_string()).await.unwrap();
            let news = drain(&mut changes);
            follow(&mut told, &news);
            names.extend(news.iter().map(|change| change.op));
            assert_eq!((here.text(), &told), ("hello"[..at + 1].to_owned(), &told));
            assert_eq!(told, here.text());
            assert_eq!(here.page.due_at(), Some(1_400 + at as u64));
        }
        here.type_at(&ana, 1_004, 4, "o").await.unwrap();
        assert_eq!((dump(&memory), here.page.applied()), (before, 0), "nothing of it is in the store");
        let id = here.page.seal().await.unwrap().unwrap();
        assert_eq!((here.count().await, here.page.applied(), here.page.due_at()), (1, 1, None));
        assert!(!names.contains(&id));
        let news = drain(&mut changes);
        assert_eq!(news.iter().map(|change| change.op).collect::<Vec<_>>(), [id], "each is told once");
        follow(&mut told, &news);
        assert_eq!((told.as_str(), here.text().as_str()), ("hello", "hello"));
        let stored = here.store.op_at(here.page.id(), 0).await.unwrap().unwrap();
        assert_eq!((stored.op.header().time, stored.op.id()), (1_000, id));
        assert_eq!(here.page.seal().await.unwrap(), None);

        let again = Desk::of(open(memory).await, here.page.id()).await;
        assert_eq!(again.text(), "hello");
    });
}

/// Ben writes while Ana types. His op comes in the middle: what she has typed becomes an op beside his, as she has not seen it,
/// and what she types then stands on both. Both read the same, and no word is torn.
#[test]
fn somebody_writes_in_between() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let there = here.with_guest().await;
        let (ana, ben) = (author(0), author(1));
        here.page.update(&ana, 1, |edit| edit.text.insert(0, "garden")).await.unwrap();
        there.fetch(&here).await;
        let mut changes = here.page.changes();
        let mut told = here.text();
        here.type_at(&ana, 2, 0, "he").await.unwrap();
        there.page.update(&ben, 2, |edit| edit.text.insert(6, " gate")).await.unwrap();
        here.fetch(&there).await;
        assert_eq!((here.text().as_str(), here.count().await), ("hegarden gate", 4));
        let id = here.page.id();
        assert_eq!(here.store.frontier(id).await.unwrap().heads.len(), 2, "they stand beside each other");
        here.type_at(&ana, 3, 2, "llo ").await.unwrap();
        let last = here.page.seal().await.unwrap().unwrap();
        let stored = here.store.op_at(id, 4).await.unwrap().unwrap();
        assert_eq!((stored.op.id(), stored.op.header().parents.len()), (last, 2));
        there.fetch(&here).await;
        assert_eq!((here.text(), there.text()), ("hello garden gate".into(), "hello garden gate".into()));
        follow(&mut told, &drain(&mut changes));
        assert_eq!(told, here.text());
    });
}

/// A word is typed and marked in the same breath. A mark names the characters under it, which have lasting names only once the word is
/// an op: so that is sealed first, and the mark holds on every side.
#[test]
fn a_mark_on_what_was_just_typed() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        here.type_word(&author(0), 1, "bold word").await;
        let bold =
            |edit: &mut <Page as Replica>::Edit<'_>| edit.text.mark(0..4, "bold", Some(true.into()), Expand::End);
        here.page.type_in(&author(0), 20, bold).await.unwrap();
        let spans = here.page.read(|page| page.text.spans());
        assert_eq!(spans.iter().map(|span| (span.range.start, span.range.end)).collect::<Vec<_>>(), [(0, 4)]);
        here.page.seal().await.unwrap().unwrap();
        assert_eq!((here.page.read(|page| page.text.spans()), here.count().await), (spans.clone(), 2));
        let again = Desk::of(here.store.clone(), here.page.id()).await;
        assert_eq!(again.page.read(|page| page.text.spans()), spans);
    });
}

/// What is open is sealed before anything else is written: an update, an act, what somebody else types, an act that is typed, a key
/// for which there is no room; and once it is due.
#[test]
fn what_seals() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let there = here.with_guest().await;
        drop(there);
        let (ana, ben) = (author(0), author(1));
        let key = async |who: &Author, now| {
            here.page.type_in(who, now, |edit| edit.score.add(1)).await.unwrap();
        };
        let is = async |ops: u64, score: i64| {
            assert_eq!((here.count().await, here.page.read(|page| page.score.get())), (ops, score));
        };
        key(&ana, 1).await;
        here.page.update(&ana, 2, |edit| edit.score.add(1)).await.unwrap().unwrap();
        is(3, 2).await;
        key(&ana, 3).await;
        here.store.put_identity(author(2).identity_bytes().to_vec()).await.unwrap();
        here.page.grant(&ana, 3, id_of(2), [Capability::write()]).await.unwrap();
        is(5, 3).await;
        key(&ana, 4).await;
        key(&ben, 4).await;
        is(6, 5).await;
        here.page.type_in(&author(3), 5, |edit| edit.members.grant(id_of(2))).await.unwrap_err();
        is(7, 5).await;
        here.page.type_in(&ana, 5, |edit| edit.members.grant(id_of(2))).await.unwrap();
        is(8, 5).await;
        assert_eq!(here.page.due_at(), None);
        here.page.set_policy(Policy { max_edits: 3, max_time: 100, ..Policy::default() });
        for _ in 0..7 {
            key(&ana, 6).await;
        }
        is(10, 12).await;
        assert_eq!(here.page.due_at(), Some(106));
        key(&ana, 200).await;
        is(11, 13).await;
        assert_eq!(here.page.update(&ana, 201, |_| {}).await.unwrap(), None);
        is(11, 13).await;
    });
}

/// Who may not write is told with the first key: nothing shows, and nothing is open. So with what cannot be saved, and with what
/// comes to nothing.
#[test]
fn keys_without_effect() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let mut changes = here.page.changes();
        let refused = here.type_at(&author(3), 1, 0, "my").await;
        assert!(matches!(refused, Err(AppendError::NotAllowed { capability, .. }) if capability == "write"));
        here.page.type_in(&author(0), 1, |_| {}).await.unwrap();
        let huge = "x".repeat(9 << 20);
        here.page.type_in(&author(0), 1, |edit| edit.title.set(huge.clone())).await.unwrap_err();
        assert_eq!((here.text().as_str(), here.page.due_at()), ("", None));
        assert_eq!((drain(&mut changes), here.count().await), (Vec::new(), 0));
        // With something open it stays so.
        here.type_at(&author(0), 2, 0, "a").await.unwrap();
        here.page.type_in(&author(0), 2, |edit| edit.title.set("x".repeat(9 << 20))).await.unwrap_err();
        here.type_at(&author(0), 3, 1, "b").await.unwrap();
        assert_eq!((here.text().as_str(), here.count().await), ("ab", 0));
        here.page.seal().await.unwrap().unwrap();
        assert_eq!(here.count().await, 1);
    });
}

/// The program ends in the middle of a word: what was sealed is there, what was not is not, and a checkpoint that was written
/// meanwhile has nothing of it.
#[test]
fn a_crash_before_the_seal() {
    block_on(async {
        let memory = MemoryBackend::new();
        let here = Desk::founded(memory.clone()).await;
        here.type_word(&author(0), 1, "sealed").await;
        here.page.seal().await.unwrap();
        here.type_word(&author(0), 9, " and not").await;
        here.page.checkpoint().await.unwrap();
        assert_eq!(here.text(), "sealed and not");
        let again = Desk::of(open(memory.clone()).await, here.page.id()).await;
        assert_eq!((again.text().as_str(), again.count().await, again.page.applied()), ("sealed", 1, 1));
        assert!(again.store.check(hhs_store::Depth::Signatures, |_| {}).await.unwrap().is_sound());
    });
}

/// Versions, the history of a field and why an op has no effect are about ops: what is open is in none of them.
#[test]
fn what_is_open_is_in_no_version() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let ana = author(0);
        let id = here.page.update(&ana, 1, |edit| edit.text.insert(0, "one")).await.unwrap().unwrap();
        here.type_at(&ana, 2, 3, " two").await.unwrap();
        let version = here.store.frontier(here.page.id()).await.unwrap();
        assert_eq!(version.heads, [id].into());
        assert_eq!(here.page.at(&version).await.unwrap().text.to_string(), "one");
        assert_eq!(here.page.history("text").await.unwrap().len(), 1);
        assert_eq!((here.page.explain(id).await.unwrap(), here.page.applied()), (None, 1));
        assert_eq!(here.text(), "one two");
    });
}

/// The replica is deleted while somebody types: nothing more can be typed or sealed, and nothing is left.
#[test]
fn a_replica_that_is_deleted() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        here.type_at(&author(0), 1, 0, "gone").await.unwrap();
        here.store.delete_replica(here.page.id()).await.unwrap();
        here.type_at(&author(0), 2, 0, "?").await.unwrap_err();
        here.page.seal().await.unwrap_err();
        assert!(!here.store.has_replica(here.page.id()).await.unwrap());
    });
}

/// What an app awaits in a task of its own can be sent there.
#[test]
fn futures_can_be_sent() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let (ana, mut stack) = (author(0), hhs_store::UndoStack::new());
        sent(here.page.type_in(&ana, 1, |edit| edit.score.add(1))).await.unwrap();
        sent(here.page.seal()).await.unwrap();
        sent(here.page.undo(&mut stack, &ana, 2)).await.unwrap().unwrap();
        sent(here.page.redo(&mut stack, &ana, 2)).await.unwrap().unwrap();
        assert_eq!(here.count().await, 3);
    });
}
