//! `Ledger`: a machine that is fed by several writers and never breaks its rules.

mod counter;
mod cuts;
mod field;
mod order;
mod save;
mod view;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use hhs_model::codec::{Decode, Encode};
use hhs_model::{IdentityId, OpId};

pub use counter::PositiveCounter;
use cuts::Cuts;
use order::{Order, Weighed};
use view::View;

use crate::edit::Edit;
pub(crate) use crate::list::number;

/// What a ledger's entries do, one after the other, and which of them the rules do not allow.
pub trait Machine: Send + Sync + 'static {
    /// What is entered.
    type Entry: Encode + Decode + Clone + Send + Sync;
    /// What the entries lead to.
    type State: Clone + Send + Sync;

    /// The state before any entry.
    fn start() -> Self::State;

    /// Takes an entry in, by its author. A function of these three alone.
    ///
    /// # Errors
    /// If the rules do not allow it in this state; it must then be left as it was.
    fn apply(state: &mut Self::State, entry: &Self::Entry, author: &IdentityId) -> Result<(), Rejection>;
}

/// Why an entry has no effect where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entry has no effect: {reason}")]
pub struct Rejection {
    /// Which rule it breaks, and how.
    pub reason: Cow<'static, str>,
}

impl Rejection {
    /// With a reason that people can read.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Entries in an order that is the same everywhere, and a machine that takes them in in this order. Those that break its rules
/// there have no effect.
///
/// - State: all entries of effective ops, in the order below; what the machine makes of them.
/// - Mutation: the entry.
/// - Concurrency: what is in the past of an entry stands before it. Of concurrent branches the one with the longer chain of entries
///   stands first, of equally long ones that with the lesser op id at its head (*fork choice*). As ops arrive the order can
///   change, and entries lose or gain their effect, until they are *settled*: every current writer has written with them in the
///   past, and nothing beside them. What arrives later stands behind what is settled, unless all writers write beside their own
///   earlier ops. `docs/crdt.md` has the rule, the proof and the limits.
/// - Cost: memory in the entries, and a bit for each entry and each author. An entry that has seen all others costs one step of
///   the machine. Otherwise the order is made anew from the first firm cut that changed, and the machine goes on from where the
///   order did: time in what is not settled. Nothing is computed while nobody listens and nobody asks.
pub struct Ledger<M: Machine> {
    /// The ops with entries, in the order in which they came.
    written: Vec<Written<M::Entry>>,
    /// Their positions, ascending.
    positions: Vec<u64>,
    cuts: Cuts,
    /// The cuts for which every current writer has vouched, by size.
    firm: BTreeSet<(u32, u32)>,
    writers: BTreeSet<IdentityId>,
    view: OnceLock<View<M>>,
    /// A view that was right earlier.
    stale: Mutex<Option<View<M>>>,
}

/// An op with entries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written<E> {
    id: OpId,
    author: IdentityId,
    time: u64,
    /// Which mutation of the op each is.
    entries: Vec<(u32, E)>,
    /// What it knew.
    below: u32,
}

/// An entry of a [`Ledger`], and what came of it.
#[derive(Debug)]
pub struct LedgerEntry<'a, E> {
    /// The op that entered it.
    pub op: OpId,
    /// Which of the op's mutations of the ledger it is.
    pub index: u32,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970. It decides nothing.
    pub time: u64,
    /// The entry itself.
    pub value: &'a E,
    /// Why it has no effect, if it has none.
    pub rejected: Option<&'a Rejection>,
    /// Whether nothing can come to stand before it any more.
    pub settled: bool,
}

impl<M: Machine> Default for Ledger<M> {
    fn default() -> Self {
        Self {
            written: Vec::new(),
            positions: Vec::new(),
            cuts: Cuts::default(),
            firm: BTreeSet::new(),
            writers: BTreeSet::new(),
            view: OnceLock::new(),
            stale: Mutex::default(),
        }
    }
}

impl<M: Machine> Ledger<M> {
    /// What all entries lead to, as far as they have an effect.
    pub fn state(&self) -> &M::State {
        &self.view().state
    }

    /// What the settled entries lead to.
    pub fn settled_state(&self) -> &M::State {
        &self.view().settled
    }

    /// How many entries there are, with those that have no effect.
    pub fn len(&self) -> usize {
        self.view().outcomes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// How many entries are settled: the first so many in the order.
    pub fn settled_len(&self) -> usize {
        self.view().settled_count()
    }

    /// The entries, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LedgerEntry<'_, M::Entry>> {
        let view = self.view();
        let settled = view.order.settled();
        view.order.ops.iter().zip(&view.starts).enumerate().flat_map(move |(place, (op, start))| {
            let op = &self.written[*op as usize];
            op.entries.iter().enumerate().map(move |(within, (index, value))| LedgerEntry {
                op: op.id,
                index: *index,
                author: op.author,
                time: op.time,
                value,
                rejected: view.outcomes[start + within].as_ref(),
                settled: place < settled,
            })
        })
    }

    fn view(&self) -> &View<M> {
        self.view.get_or_init(|| {
            let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.renew(stale.unwrap_or_else(View::new))
        })
    }

    fn renew(&self, mut view: View<M>) -> View<M> {
        view.go_over(self.new_order(&view), &self.written);
        view
    }
}

impl<M: Machine> Edit<'_, Ledger<M>> {
    /// Enters something, whether the rules allow it now or not: when others have read it they may.
    pub fn append(&mut self, entry: M::Entry) {
        self.record(entry);
    }

    /// Enters something if the rules allow it now, behind what this edit has entered already.
    ///
    /// # Errors
    /// Why they do not.
    pub fn try_append(&mut self, entry: M::Entry, author: &IdentityId) -> Result<(), Rejection> {
        let mut state = self.state().state().clone();
        for earlier in self.mutations() {
            let _outcome = M::apply(&mut state, earlier, author);
        }
        M::apply(&mut state, &entry, author)?;
        self.record(entry);
        Ok(())
    }
}

impl<M: Machine> Clone for Ledger<M> {
    /// The view is made again when it is needed.
    fn clone(&self) -> Self {
        let Self { written, positions, cuts, firm, writers, view: _, stale: _ } = self;
        let (written, positions, cuts) = (written.clone(), positions.clone(), cuts.clone());
        let (firm, writers) = (firm.clone(), writers.clone());
        Self { written, positions, cuts, firm, writers, view: OnceLock::new(), stale: Mutex::default() }
    }
}

impl<M: Machine<Entry: PartialEq>> PartialEq for Ledger<M> {
    /// Whether they show the same entries in the same order, and as many of them as settled.
    fn eq(&self, other: &Self) -> bool {
        let entry = |entry: LedgerEntry<'_, M::Entry>| (entry.op, entry.index);
        self.settled_len() == other.settled_len()
            && self.iter().map(entry).eq(other.iter().map(entry))
            && self.iter().zip(other.iter()).all(|(a, b)| a.value == b.value)
    }
}

impl<M: Machine<Entry: fmt::Debug>> fmt::Debug for Ledger<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
