//! Replay: the state of a replica, kept up with its ops. No I/O; it holds no payloads.
//!
//! Ops come in the order in which they were kept, each after its parents. What authority says of them can change later: an act
//! that arrives late withdraws what an op of long ago stood on. A state cannot take an op back, so that it is made anew
//! then, from a state saved before that op. Who drives a replay therefore
//!
//! > tells the [`Authority`] of new ops, all of a batch; asks whether the state is [outdated](Replay::outdated), and if so goes back to
//! > what was [saved](Replay::save) of a time before the position it is told, or begins anew; then
//! > [applies](Replay::apply) every op that is missing, in order of position.
//!
//! Whatever way led there, the state is the one that the same ops give from scratch.

use std::fmt;

use crate::authority::{Authority, Moment, Seen};
use crate::class::{
    AllRights, Changes, Draft, EditError, LoadError, Loader, OpContext, Replica, Saver, Shape, Unseen, Void,
};
use crate::history::{Graph, Positions, SharedPositions};
use crate::id::{Hash, IdentityId, OpId};
use crate::op::Op;

mod hidden;
mod judge;
mod open;
mod standings;
#[cfg(test)]
mod tests;
mod typing;
mod undo;
mod version;
mod wrote;

pub use open::{OpenOp, ShowError};
pub use typing::{Policy, Typing};
pub use undo::{Typed, UndoStack};
pub use version::{VersionBuilder, writes};
pub use wrote::Wrote;

use hidden::Hidden;
use judge::View;
use standings::Standings;

/// The state of a replica of class `R`, with what it takes to keep it up with new ops.
pub struct Replay<R> {
    state: R,
    graph: Graph,
    standings: Standings,
    /// Void by authority, when they were applied.
    voided: Positions,
    /// Void because the class makes nothing of their payload.
    meaningless: Positions,
    hidden: Hidden,
    view: View,
    /// What authority said last of who holds what, and of the verdicts.
    authorised: Moment,
    judged: Moment,
}

/// An op that is kept, where it stands, and what it carries.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The op.
    pub op: &'a Op,
    /// Its place in the order in which ops were kept, which the [`Authority`] knows too.
    pub position: u64,
    /// The places of its parents, in any order.
    pub parents: &'a [u64],
    /// What its author had seen of authority: what [`Authority::join`] gives for its parents.
    pub seen: &'a Seen,
    /// Its payload, if it has one.
    pub payload: Option<&'a [u8]>,
}

/// In what way an op has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voided {
    /// What it stood on was withdrawn: [`Authority::explain`] says how.
    ByAuthority,
    /// The class makes nothing of its payload: [`Replay::why`] says what is wrong.
    ByClass,
}

impl<R: Replica> Replay<R> {
    /// Begins with the state before any op.
    pub fn new(authority: &Authority) -> Self {
        Self::viewed(View::All, authority)
    }

    fn viewed(view: View, authority: &Authority) -> Self {
        let mut replay = Self {
            state: R::new(),
            graph: Graph::new(),
            standings: Standings::default(),
            voided: Positions::default(),
            meaningless: Positions::default(),
            hidden: Hidden::default(),
            authorised: authority.moment(),
            judged: authority.moment(),
            view,
        };
        replay.view.authorise(authority, &mut replay.state, &mut Changes::unwatched());
        replay
    }

    /// The state.
    pub fn state(&self) -> &R {
        &self.state
    }

    /// The state, the rest being of no use any more.
    pub fn into_state(self) -> R {
        self.state
    }

    /// Which op stands on which.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How many ops were applied, void ones included: the position of the next one.
    pub fn applied(&self) -> u64 {
        self.graph.len()
    }

    /// Whether the class accepts what somebody is about to write, so that they are told before it is an op without effect. What
    /// they have to hold for it stands in the draft, and is not asked here.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, draft: &Draft, author: IdentityId, time: u64) -> Result<(), EditError> {
        let Some(payload) = &draft.payload else { return Ok(()) };
        let Ok(mutations) = R::decode(payload) else { return Ok(()) };
        let mut graph = Graph::new();
        let op = OpContext {
            // Its id will be the hash of what has yet to be signed.
            id: OpId(Hash([0; 32])),
            position: graph.push(&[]),
            height: 0,
            author,
            time,
            act: draft.act.as_ref(),
            graph: &graph,
            hidden: &SharedPositions::EMPTY,
            rights: &AllRights,
            unseen: Unseen::default(),
        };
        match R::accepts(&mutations, &op) {
            Err(Void::NotAccepted { field, reason }) => Err(EditError::NotAccepted { field, reason }),
            Ok(()) | Err(Void::Payload(_) | Void::Needs { .. }) => Ok(()),
        }
    }

    /// Applies the next op; reports to `changes` what is different then. The authority knows it, and may know more.
    ///
    /// # Panics
    /// If it is not the next one by its position, or its parents were not applied.
    pub fn apply(&mut self, kept: Kept<'_>, authority: &Authority, changes: &mut Changes) {
        assert_eq!(kept.position, self.graph.len(), "ops are applied in the order in which they were kept");
        self.apply_at(kept, kept.parents, authority, changes);
    }

    /// Applies an op that the authority knows by another position, its parents too.
    fn apply_at(&mut self, kept: Kept<'_>, parents: &[u64], authority: &Authority, changes: &mut Changes) {
        let position = self.graph.push(parents);
        let effective = self.stand(position, &kept, authority);
        let Self { state, graph, hidden, standings, meaningless, .. } = self;
        let hidden = match R::POSITIONAL {
            true => hidden.from(kept.seen, standings, position, authority),
            false => Hidden::NOTHING,
        };
        let rights = judge::rights(authority, kept.op.header());
        let context = context(&kept, position, graph, hidden, &rights);
        match kept.payload.map(|payload| meaning::<R>(payload, &context)) {
            Some(Ok(mutations)) if effective => state.apply(mutations, &context, changes),
            Some(Ok(mutations)) => state.shadow(mutations, &context),
            Some(Err(_)) => meaningless.push(position),
            None => {}
        }
        if effective {
            state.observe(&context, changes);
        }
        self.authorise(authority, changes);
    }

    /// Takes note of what an op stands on; whether it is effective.
    fn stand(&mut self, position: u64, kept: &Kept<'_>, authority: &Authority) -> bool {
        let header = kept.op.header();
        let act = header.act.as_ref().map(|_| kept.op.id());
        if header.grants.is_empty() && act.is_none() {
            return true;
        }
        let stand = self.standings.push(position, kept.position, &header.grants, act);
        let void = self.view.is_void(authority, stand);
        if void {
            self.voided.push(position);
        }
        !void
    }

    /// Takes note of who holds what now. [`apply`](Self::apply) does so too; this is for what changes without an op of this replica.
    pub fn authorise(&mut self, authority: &Authority, changes: &mut Changes) {
        let now = authority.moment();
        if now != self.authorised {
            self.authorised = now;
            self.view.authorise(authority, &mut self.state, changes);
        }
    }

    /// The first op whose verdict is not the one any more with which it was applied: the state has to be made anew from before
    /// it.
    ///
    /// Costs nothing where no verdict can have changed, otherwise time in the ops that stand on grants that are withdrawn.
    pub fn outdated(&mut self, authority: &Authority) -> Option<u64> {
        let now = authority.moment();
        if now == self.judged {
            return None;
        }
        let first = match now.is_comparable(self.judged) {
            true => self.misjudged_since(authority),
            false => self.misjudged(authority).min(),
        };
        if first.is_none() {
            self.judged = now;
        }
        first
    }

    /// The first op that is judged otherwise since the moment of the last verdicts.
    fn misjudged_since(&mut self, authority: &Authority) -> Option<u64> {
        let (groups, acts) = self.standings.affected(authority.affected_since(self.judged));
        let acts = acts.iter().filter_map(|act| self.standings.act(act));
        let affected = groups.into_iter().flat_map(|group| self.standings.of(group)).chain(acts);
        let misjudged = affected
            .filter(|(position, stand)| self.view.is_void(authority, *stand) != self.voided.contains(*position));
        misjudged.map(|(position, _)| position).min()
    }

    /// The ops that are judged otherwise, looked for among all.
    fn misjudged<'a>(&'a mut self, authority: &'a Authority) -> impl Iterator<Item = u64> + 'a {
        let Self { view, standings, voided, .. } = self;
        let mut due: Vec<u32> = Vec::new();
        for (group, grants, acts) in standings.groups() {
            let any_voided = standings.positions_of(group).any(|run| voided.intersects(&run));
            if acts || any_voided || !view.all_stand(authority, grants) {
                due.push(group);
            }
        }
        let stands = due.into_iter().flat_map(|group| standings.of(group));
        let otherwise =
            move |(position, stand): &(u64, _)| view.is_void(authority, *stand) != voided.contains(*position);
        stands.filter(otherwise).map(|(position, _)| position)
    }

    /// Whether and in what way an op has no effect.
    pub fn void(&self, position: u64) -> Option<Voided> {
        if self.voided.contains(position) {
            return Some(Voided::ByAuthority);
        }
        self.meaningless.contains(position).then_some(Voided::ByClass)
    }

    /// The ops that have no effect, by what they stood on and by their class.
    pub fn voided(&self) -> (&Positions, &Positions) {
        (&self.voided, &self.meaningless)
    }

    /// What is wrong with the payload of an op that was applied, if it is void [by its class](Voided::ByClass).
    ///
    /// # Panics
    /// If the op was not applied.
    pub fn why(&self, kept: &Kept<'_>, authority: &Authority) -> Option<Void> {
        let rights = judge::rights(authority, kept.op.header());
        let context = context(kept, kept.position, &self.graph, Hidden::NOTHING, &rights);
        meaning::<R>(kept.payload?, &context).err()
    }

    /// What an op would carry that takes back, as far as it still stands, what an op did that was applied; `before` is the state
    /// of the version that its parents are. Empty if nothing of it stands, or if the op is void.
    ///
    /// # Errors
    /// If that cannot be saved.
    ///
    /// # Panics
    /// If the op was not applied.
    pub fn undo(&self, kept: &Kept<'_>, before: &R, authority: &Authority) -> Result<Draft, EditError> {
        let rights = judge::rights(authority, kept.op.header());
        let context = context(kept, kept.position, &self.graph, Hidden::NOTHING, &rights);
        let payload = kept.payload.filter(|_| self.void(kept.position).is_none());
        match payload.map(|payload| meaning::<R>(payload, &context)) {
            Some(Ok(mutations)) => self.state.undo(&mutations, &context, before),
            Some(Err(_)) | None => Ok(Draft::default()),
        }
    }

    /// Reports what is different in a newer replay of the same replica, of this moment.
    pub fn diff(&mut self, newer: &Self, authority: &Authority, changes: &mut Changes) {
        self.authorise(authority, changes);
        self.state.diff(&newer.state, changes);
    }

    /// Writes the state with all that belongs to it, to be [loaded](Self::load) by the same version of this program.
    pub fn save(&self) -> Vec<u8> {
        let mut saver = Saver::new();
        saver.uint(FORMAT).uint(Shape::of::<R>());
        self.graph.save(&mut saver);
        self.standings.save(&mut saver);
        self.voided.save(&mut saver);
        self.meaningless.save(&mut saver);
        saver.section(|saver| self.state.save(saver));
        saver.finish()
    }

    /// Reads what was [saved](Self::save); `None` if an op in it is judged otherwise by now. The authority knows every op in it.
    ///
    /// # Errors
    /// If it is not what was saved.
    pub fn load(bytes: &[u8], authority: &Authority) -> Result<Option<Self>, LoadError> {
        Self::load_viewed(bytes, View::All, authority)
    }

    fn load_viewed(bytes: &[u8], view: View, authority: &Authority) -> Result<Option<Self>, LoadError> {
        let mut loader = Loader::new(bytes);
        if loader.uint()? != FORMAT {
            return Err(LoadError::Damaged("another version of the program wrote it"));
        }
        if loader.uint()? != Shape::of::<R>() {
            return Err(LoadError::Damaged("the class had other fields when it was written"));
        }
        let mut replay = Self::viewed(view, authority);
        replay.graph = Graph::load(&mut loader)?;
        let end = replay.graph.len();
        replay.standings = Standings::load(&mut loader, end)?;
        replay.voided = Positions::load(&mut loader, end)?;
        replay.meaningless = Positions::load(&mut loader, end)?;
        if replay.misjudged(authority).next().is_some() {
            return Ok(None);
        }
        let mut state = loader.section()?.of_ops(end);
        replay.state = R::load(&mut state)?;
        state.finish()?;
        loader.finish()?;
        replay.view.authorise(authority, &mut replay.state, &mut Changes::unwatched());
        Ok(Some(replay))
    }
}

fn context<'a>(
    kept: &Kept<'a>,
    position: u64,
    graph: &'a Graph,
    hidden: &'a SharedPositions,
    rights: &'a dyn crate::class::Rights,
) -> OpContext<'a> {
    let header = kept.op.header();
    OpContext {
        id: kept.op.id(),
        position,
        height: graph.height(position),
        author: header.author,
        time: header.time,
        act: header.act.as_ref(),
        graph,
        hidden,
        rights,
        unseen: Unseen::default(),
    }
}

/// What a payload says, if the class accepts it.
fn meaning<R: Replica>(payload: &[u8], context: &OpContext<'_>) -> Result<R::Mutations, Void> {
    let mutations = R::decode(payload)?;
    R::accepts(&mutations, context)?;
    Ok(mutations)
}

impl<R> fmt::Debug for Replay<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("applied", &self.graph.len()).finish_non_exhaustive()
    }
}

/// The number of what [`Replay::save`] writes.
const FORMAT: u64 = 3;
