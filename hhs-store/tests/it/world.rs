//! What the tests write about: authors, ops made by hand, and a class of replicas that remembers all that it was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use futures::FutureExt;
use hhs_model::authority::Holders;
use hhs_model::class::{
    Action, Changes, Draft, EditError, LoadError, Loader, OpContext, PathSegment, Replica, Saver, Void,
};
use hhs_model::codec::{DecodeError, Value, decode, encode};
use hhs_model::op::{Act, Capability, Header, Op, PayloadRef};
use hhs_model::{Author, IdentityId, OpId, Registry, ReplicaId};
use hhs_store::backend::{Backend, Entry, Limit, Order};
use hhs_store::{Bundle, MemoryBackend, SignedOp, Store};

/// The authors of the tests: number 0 is the founder.
pub(crate) fn author(number: u8) -> Author {
    Author::from_seed(&format!("author {number}"), &[number + 1; 32]).unwrap()
}

pub(crate) fn id_of(number: u8) -> IdentityId {
    author(number).id()
}

pub(crate) fn grant(to: u8, names: &[&str]) -> Act {
    let can: BTreeSet<Capability> = names.iter().map(|name| name.parse().unwrap()).collect();
    Act::Grant { to: id_of(to), can }
}

/// An op that is to be signed. What is not said is empty.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    pub(crate) author: u8,
    pub(crate) header: Header,
    pub(crate) payload: Option<Vec<u8>>,
}

pub(crate) fn op(author: u8, replica: ReplicaId, parents: &[OpId]) -> Making {
    let header = Header {
        target: replica,
        parents: sorted(parents),
        deps: vec![],
        grants: vec![],
        act: None,
        author: id_of(author),
        time: 0,
        payload: None,
    };
    Making { author, header, payload: None }
}

fn sorted(ids: &[OpId]) -> Vec<OpId> {
    ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

impl Making {
    pub(crate) fn by(mut self, grants: &[OpId]) -> Self {
        self.header.grants = sorted(grants);
        self
    }

    pub(crate) fn depending(mut self, deps: &[OpId]) -> Self {
        self.header.deps = sorted(deps);
        self
    }

    pub(crate) fn granting(mut self, to: u8, names: &[&str]) -> Self {
        self.header.act = Some(grant(to, names));
        self
    }

    /// What makes ops distinct that are equal otherwise.
    pub(crate) fn at(mut self, time: u64) -> Self {
        self.header.time = time;
        self
    }

    pub(crate) fn saying(self, text: &str) -> Self {
        self.carrying(note(text))
    }

    pub(crate) fn carrying(mut self, payload: Vec<u8>) -> Self {
        self.header.payload = Some(PayloadRef::to(&payload));
        self.payload = Some(payload);
        self
    }

    pub(crate) fn sign(self) -> Made {
        let op = Op::sign(self.header, &**author(self.author).signer()).unwrap();
        Made { op, payload: self.payload }
    }
}

/// A signed op with its payload.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) op: Op,
    pub(crate) payload: Option<Vec<u8>>,
}

impl Made {
    pub(crate) fn id(&self) -> OpId {
        self.op.id()
    }

    pub(crate) fn signed(&self) -> SignedOp {
        SignedOp { header: self.op.bytes().to_vec(), payload: self.payload.clone() }
    }
}

/// A bundle of ops, with the identities of these authors.
pub(crate) fn bundle<'a>(ops: impl IntoIterator<Item = &'a Made>, authors: &[u8]) -> Bundle {
    let identities = authors.iter().map(|number| author(*number).identity_bytes().to_vec()).collect();
    Bundle { identities, ops: ops.into_iter().map(Made::signed).collect() }
}

/// A store in memory, what is under it, and a replica in it that author 0 founded.
pub(crate) struct World {
    pub(crate) memory: MemoryBackend,
    pub(crate) store: Store,
    pub(crate) replica: ReplicaId,
}

impl World {
    pub(crate) async fn new() -> Self {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let replica = store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        Self { memory, store, replica }
    }

    /// The same store, opened again from what is in the backend.
    pub(crate) async fn reopened(&self) -> Store {
        open(self.memory.clone()).await
    }

    pub(crate) fn op(&self, author: u8, parents: &[OpId]) -> Making {
        op(author, self.replica, parents)
    }

    /// Takes in ops, with the identities of authors 0 to 3.
    pub(crate) async fn ingest(&self, ops: &[&Made]) -> hhs_store::Ingested {
        self.store.ingest(self.replica, bundle(ops.iter().copied(), &[0, 1, 2, 3])).await.unwrap()
    }

    pub(crate) async fn heads(&self) -> BTreeSet<OpId> {
        self.store.frontier(self.replica).await.unwrap().heads
    }
}

pub(crate) async fn open(backend: impl Backend) -> Store {
    Store::open(backend, Registry::new()).await.unwrap()
}

/// Everything that a backend holds. The one in memory never waits.
pub(crate) fn dump(backend: &MemoryBackend) -> Vec<Entry> {
    let all = Limit { entries: usize::MAX, bytes: usize::MAX };
    let entries = backend.scan((Bound::Unbounded, Bound::Unbounded), Order::Ascending, all);
    entries.now_or_never().unwrap().unwrap()
}

/// The payload of a note.
pub(crate) fn note(text: &str) -> Vec<u8> {
    encode(text).unwrap()
}

/// Notes that anybody may add. It remembers every op that it was shown, so that two of them are equal only if they were
/// shown the same ops.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notes {
    pub(crate) holders: Holders,
    pub(crate) notes: BTreeMap<OpId, String>,
    pub(crate) acts: BTreeMap<OpId, Act>,
    /// Height, author and time of every op, void ones included.
    pub(crate) shown: BTreeMap<OpId, (u64, IdentityId, u64)>,
}

impl Notes {
    pub(crate) fn texts(&self) -> BTreeSet<&str> {
        self.notes.values().map(String::as_str).collect()
    }
}

/// Writes one note, or whatever else a test wants an op to carry.
#[derive(Debug)]
pub(crate) struct NotesEdit {
    pub(crate) draft: Draft,
    pub(crate) several_acts: bool,
    /// How many ops the state has that it reads.
    pub(crate) seen: usize,
}

impl NotesEdit {
    pub(crate) fn write(&mut self, text: &str) {
        self.draft.payload = Some(note(text));
    }
}

impl Replica for Notes {
    const CLASS: &'static str = "test/v1/Notes";
    const POSITIONAL: bool = false;

    type Edit<'a> = NotesEdit;
    type Mutations = String;

    fn new() -> Self {
        Self { holders: Holders::default(), notes: BTreeMap::new(), acts: BTreeMap::new(), shown: BTreeMap::new() }
    }

    fn decode(payload: &[u8]) -> Result<String, Void> {
        let text: String = decode(payload)?;
        if text.is_empty() {
            return Err(DecodeError::Invalid("a note says something").into());
        }
        Ok(text)
    }

    fn accepts(_: &String, _: &OpContext<'_>) -> Result<(), Void> {
        Ok(())
    }

    fn apply(&mut self, text: String, op: &OpContext<'_>, changes: &mut Changes) {
        changes.report(|| Action::Inserted { value: Value::Text(text.clone()) });
        let before = self.notes.insert(op.id, text);
        assert!(before.is_none(), "an op is applied once");
    }

    fn shadow(&mut self, _: String, _: &OpContext<'_>) {}

    fn observe(&mut self, op: &OpContext<'_>, _: &mut Changes) {
        let before = self.shown.insert(op.id, (op.height, op.author, op.time));
        assert!(before.is_none(), "an op is shown once");
        self.acts.extend(op.act.map(|act| (op.id, act.clone())));
    }

    fn authorise(&mut self, holders: &Holders, changes: &mut Changes) {
        let before = std::mem::replace(&mut self.holders, holders.clone());
        changes.within(PathSegment::Field("members"), |changes| before.diff(holders, changes));
    }

    fn edit(&self) -> NotesEdit {
        NotesEdit { draft: Draft::default(), several_acts: false, seen: self.shown.len() }
    }

    fn finish(edit: NotesEdit) -> Result<Draft, EditError> {
        if edit.several_acts { Err(EditError::SeveralActs) } else { Ok(edit.draft) }
    }

    fn undo(&self, _: &String, _: &OpContext<'_>, _: &Self) -> Result<Draft, EditError> {
        Ok(Draft::default())
    }

    fn join(parts: Vec<String>) -> Result<Draft, EditError> {
        Ok(Draft { payload: Some(note(&parts.join(" "))), ..Draft::default() })
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        for text in self.notes.iter().filter(|(id, _)| !newer.notes.contains_key(id)).map(|(_, text)| text) {
            changes.report(|| Action::Withdrawn { value: Value::Text(text.clone()) });
        }
        for text in newer.notes.iter().filter(|(id, _)| !self.notes.contains_key(id)).map(|(_, text)| text) {
            changes.report(|| Action::Inserted { value: Value::Text(text.clone()) });
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.notes.len() as u64);
        for (id, text) in &self.notes {
            saver.op(id).value(text);
        }
        saver.uint(self.acts.len() as u64);
        for (id, act) in &self.acts {
            saver.op(id).value(act);
        }
        saver.uint(self.shown.len() as u64);
        for (id, (height, author, time)) in &self.shown {
            saver.op(id).uint(*height).identity(author).uint(*time);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut notes = Self::new();
        for _ in 0..loader.count(32)? {
            notes.notes.insert(loader.op()?, loader.value()?);
        }
        for _ in 0..loader.count(32)? {
            notes.acts.insert(loader.op()?, loader.value()?);
        }
        for _ in 0..loader.count(64)? {
            notes.shown.insert(loader.op()?, (loader.uint()?, loader.identity()?, loader.uint()?));
        }
        Ok(notes)
    }
}
