//! `Document`: a replica in memory, for those who have no store.
//!
//! It keeps the ops, authority and state of one replica, takes in ops of others in any order, and writes new ones. Nothing
//! is durable, and nothing moves by itself: what one document [has](Document::beyond) another one is [handed](Document::receive).

use std::collections::BTreeMap;
use std::fmt;

use hhs_model::authority::{Authority, Explanation, Standing};
use hhs_model::class::{Change, Changes, Replica};
use hhs_model::history::Graph;
use hhs_model::op::{Founding, Header, Op};
use hhs_model::replay::{OpenOp, Policy, Replay, Typed, Voided};
use hhs_model::{Frontier, Identity, IdentityId, OpId, PublicKey};

mod checkpoints;
mod error;
mod held;
mod open;
mod parked;
mod receive;
mod roles;
mod saved;
mod tips;
mod undo;
mod versions;
mod write;

pub use error::{ReceiveError, SealError, VersionError, WriteError};
pub use receive::Received;

use checkpoints::Checkpoints;
use held::History;
use parked::Parked;
use tips::Tips;

/// A replica of class `R` in memory.
///
/// ```
/// use hhs_crdt::{Document, Register, Replica};
/// use hhs_model::Author;
/// use hhs_model::op::{Founding, Genesis};
///
/// #[derive(Replica)]
/// #[replica(class = "notes/v1/Note")]
/// struct Note {
///     title: Register<String>,
/// }
///
/// let ana = Author::from_seed("Ana", &[1; 32])?;
/// let founding = Founding::root(Genesis::with_founder(Note::CLASS, [0; 16], ana.id()))?;
/// let (mut here, mut there) = (Document::<Note>::new(founding.clone()), Document::<Note>::new(founding));
/// there.introduce(ana.identity())?;
///
/// here.write(&ana, 1_700_000_000_000, |edit| edit.title.set("garden".into()))?;
/// there.receive(here.beyond(&there.version()));
/// assert_eq!(there.state().title.get().map(String::as_str), Some("garden"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Document<R: Replica> {
    keys: Keys,
    authority: Authority,
    history: History,
    replay: Replay<R>,
    checkpoints: Checkpoints,
    tips: Tips,
    parked: Parked,
    /// What has changed and was not taken, if anybody wants to know.
    changes: Option<Vec<Change>>,
    policy: Policy,
    open: Option<OpenOp<R>>,
    typed: Typed,
}

/// An op as it travels: with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The op.
    pub op: Op,
    /// The payload that it names.
    pub payload: Option<Vec<u8>>,
}

/// What signatures are checked with.
#[derive(Debug, Clone)]
enum Keys {
    Known(BTreeMap<IdentityId, PublicKey>),
    /// Ops were checked before, or are made up.
    Trusting,
}

impl<R: Replica> Document<R> {
    /// The replica before any op. Ops are taken in by those who were [introduced](Self::introduce), if their signatures hold.
    pub fn new(founding: Founding) -> Self {
        Self::with(founding, Keys::Known(BTreeMap::new()))
    }

    /// The same, but signatures are not looked at: for ops that were checked before, and for tests, where ops need none.
    pub fn trusting(founding: Founding) -> Self {
        Self::with(founding, Keys::Trusting)
    }

    fn with(founding: Founding, keys: Keys) -> Self {
        let authority = Authority::new(founding);
        Self {
            keys,
            replay: Replay::new(&authority),
            authority,
            history: History::default(),
            checkpoints: Checkpoints::default(),
            tips: Tips::default(),
            parked: Parked::default(),
            changes: None,
            policy: Policy::default(),
            open: None,
            typed: Typed::default(),
        }
    }

    /// Takes note of somebody's key, so that their ops can be checked.
    ///
    /// # Errors
    /// If the identity has no canonical bytes.
    pub fn introduce(&mut self, identity: &Identity) -> Result<IdentityId, hhs_model::codec::EncodeError> {
        let (_, id) = identity.encoded()?;
        if let Keys::Known(keys) = &mut self.keys {
            keys.insert(id, identity.key);
        }
        Ok(id)
    }

    /// The state, with what is being [typed](Self::type_in).
    pub fn state(&self) -> &R {
        self.replay.state()
    }

    /// Who may do what, and why.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Which op stands on which.
    pub fn graph(&self) -> &Graph {
        self.history.graph()
    }

    /// How many ops there are, void ones included.
    pub fn len(&self) -> u64 {
        self.history.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version of all that is here.
    pub fn version(&self) -> Frontier {
        self.history.ids(self.graph().heads())
    }

    /// What the next op is going to stand on: the effective ops without an effective one above them. Nobody builds on void ops.
    pub fn heads(&self) -> Frontier {
        self.history.ids(&self.tips.of(&self.history, &self.replay))
    }

    /// An op that is here, with its payload.
    pub fn get(&self, op: &OpId) -> Option<(&Op, Option<&[u8]>)> {
        let held = self.history.get(self.history.position(op)?);
        Some((&held.op, held.payload.as_deref()))
    }

    /// Everything that is here and not in a version, each op after its parents. Ops that are named in it and not here are passed over.
    pub fn beyond(&self, version: &Frontier) -> Vec<Carried> {
        let known: Vec<u64> = version.heads.iter().filter_map(|id| self.history.position(id)).collect();
        let (beyond, _) = self.graph().difference(self.graph().heads(), &known);
        let carried = beyond.iter().map(|position| {
            let held = self.history.get(position);
            Carried { op: held.op.clone(), payload: held.payload.clone() }
        });
        carried.collect()
    }

    /// Whether and in what way an op has no effect.
    pub fn void(&self, op: &OpId) -> Option<Voided> {
        self.replay.void(self.history.position(op)?)
    }

    /// Why an op counts or does not, by authority.
    pub fn explain(&self, op: &OpId) -> Option<Explanation> {
        let position = self.history.position(op)?;
        let header = self.history.get(position).op.header();
        let act = header.act.as_ref().map(|_| *op);
        Some(self.authority.explain(Standing { grants: &header.grants, position, act }))
    }

    /// What is wrong with the payload of an op, if its class makes nothing of it.
    pub fn why(&self, op: &OpId) -> Option<hhs_model::class::Void> {
        let position = self.history.position(op)?;
        self.replay.why(&self.history.kept(position), &self.authority)
    }

    /// Keeps what changes from now on, to be [taken](Self::take_changes).
    pub fn watch(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// What has changed since it was taken last, if it is [watched](Self::watch).
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Makes the state anew from the latest checkpoint and the ops after it, which gives the same again: what opening does. What is being
    /// typed is sealed.
    ///
    /// # Errors
    /// If what was typed cannot be written.
    pub fn reopen(&mut self) -> Result<(), SealError> {
        self.seal()?;
        self.replay =
            self.checkpoints.before(self.len(), &self.authority).unwrap_or_else(|| Replay::new(&self.authority));
        self.apply_rest(false);
        self.tips.forget();
        Ok(())
    }

    /// Saves the state, so that going back to it costs what it costs to load, not what its history costs; this is done from time to
    /// time by itself too. What is being typed is sealed.
    ///
    /// # Errors
    /// If what was typed cannot be written.
    pub fn checkpoint(&mut self) -> Result<(), SealError> {
        self.seal()?;
        self.checkpoints.save(&self.replay);
        Ok(())
    }

    /// What collects the changes of an op.
    fn collector(&self, header: &Header, op: OpId) -> Changes {
        match self.changes {
            Some(_) => Changes::of(op, header.author),
            None => Changes::unwatched(),
        }
    }

    fn collected(&mut self, changes: Changes) {
        if let Some(list) = &mut self.changes {
            list.extend(changes.into_vec());
        }
    }

    /// Takes an op in that was judged: authority knows it then, the state does not yet.
    fn keep(&mut self, carried: Carried, parents: Vec<u64>, seen: hhs_model::authority::Seen) -> u64 {
        let position = self.history.push(carried, parents, seen);
        let (graph, held) = (self.history.graph(), self.history.get(position));
        let unseen = || graph.unseen(position);
        self.authority.add(&held.op, position, graph.height(position), held.seen.clone(), unseen);
        position
    }

    /// Brings the state up to what is kept; made anew as far as verdicts have changed.
    fn catch_up(&mut self) {
        let first_new = self.replay.applied();
        match self.replay.outdated(&self.authority) {
            Some(position) => self.rebuild(position, first_new),
            None => self.apply_rest(true),
        }
        self.tips.extend(first_new, &self.history, &self.replay);
    }

    fn apply_rest(&mut self, told: bool) {
        for position in self.replay.applied()..self.history.len() {
            let op = &self.history.get(position).op;
            let mut changes = match told {
                true => self.collector(op.header(), op.id()),
                false => Changes::unwatched(),
            };
            self.replay.apply(self.history.kept(position), &self.authority, &mut changes);
            self.collected(changes);
            self.checkpoints.consider(&self.replay);
        }
    }

    /// Makes the state anew from before `outdated`. What is different is told under the op that brought it about: the last act of those
    /// from `first_new` on.
    fn rebuild(&mut self, outdated: u64, first_new: u64) {
        let rebuilt = self.checkpoints.before(outdated, &self.authority);
        let rebuilt = rebuilt.unwrap_or_else(|| Replay::new(&self.authority));
        let mut before = std::mem::replace(&mut self.replay, rebuilt);
        self.tips.forget();
        self.apply_rest(false);
        let acts = (first_new..self.history.len()).rev().map(|position| &self.history.get(position).op);
        if let Some(op) = acts.into_iter().find(|op| op.header().act.is_some()) {
            let mut changes = self.collector(op.header(), op.id());
            if changes.is_watched() {
                before.diff(&self.replay, &self.authority, &mut changes);
            }
            self.collected(changes);
        }
    }
}

impl<R: Replica> fmt::Debug for Document<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("class", &R::CLASS).field("len", &self.len()).finish_non_exhaustive()
    }
}
