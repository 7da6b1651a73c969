//! Writing ops of one's own: built on the heads, by the grants one holds, signed, durable before the call returns.

use std::collections::BTreeMap;

use futures::lock::MutexGuard;
use hhs_model::authority::{Authority, Refusal, Seen};
use hhs_model::bounds::MAX_PARENTS;
use hhs_model::class::{Draft, EditError};
use hhs_model::op::{Act, Capability, Cut, Header, Op, PayloadRef};
use hhs_model::{Author, OpId, ReplicaId};

use super::error::{AppendError, StoreError};
use super::replica::{Link, ReplicaState, Staged};
use super::typing::Sealed;
use super::writer::Writer;
use super::{Applies, Store};
use crate::backend::BackendError;

impl Store {
    /// Writes one op on top of all heads and makes it durable. `draft` is asked for what the op carries when nothing else
    /// can come in between; `None` writes nothing.
    ///
    /// `time` is what the op claims: milliseconds since 1970.
    ///
    /// # Errors
    /// If the author may not, the draft cannot be saved, or the store fails. Then nothing was written. Who drops the future
    /// before it ends does not know: the op is there or not, whole.
    pub async fn append(
        &self,
        replica: ReplicaId,
        author: &Author,
        time: u64,
        draft: impl FnOnce() -> Result<Option<Draft>, EditError>,
    ) -> Result<Option<OpId>, AppendError> {
        self.append_on(replica, author, time, None, |_| draft()).await
    }

    /// As [`append`](Self::append), with a draft that is made from what `live` shows: exactly the ops below the new one.
    pub(crate) async fn append_on(
        &self,
        replica: ReplicaId,
        author: &Author,
        time: u64,
        live: Option<&dyn Applies>,
        draft: impl FnOnce(&Authority) -> Result<Option<Draft>, EditError>,
    ) -> Result<Option<OpId>, AppendError> {
        let (mut writer, state) = self.writer_on(replica, live).await?;
        let draft = match draft(&state.authority) {
            Ok(Some(draft)) => draft,
            unchanged => {
                self.put_state(&mut writer, replica, state);
                drop(writer);
                self.drive_sealed(replica).await;
                return Ok(unchanged.map(|_| None)?);
            }
        };
        let written =
            self.write_own(&mut writer, state, replica, Written { author, time, draft, on: None }, drop).await;
        drop(writer);
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                self.drive_sealed(replica).await;
                return Err(error);
            }
        };
        self.settled(&written.ticket).await?;
        self.checkpoint_if_due(replica).await;
        Ok(Some(written.op))
    }

    /// Stages an op on the state of its replica, which is put back unless that fails midway. `before` is told its id before any
    /// live replica is shown it.
    pub(super) async fn write_own(
        &self,
        writer: &mut Writer,
        state: ReplicaState,
        replica: ReplicaId,
        written: Written<'_>,
        before: impl FnOnce(OpId),
    ) -> Result<Sealed, AppendError> {
        let Written { author, time, mut draft, on } = written;
        if let Err(error) = self.check_grantee(&draft).await {
            self.put_state(writer, replica, state);
            return Err(error.into());
        }
        let (mut state, cuts) = self.before_own(writer, replica, state, draft.act.as_ref()).await?;
        let cuts = match keep_elsewhere(&mut draft, cuts) {
            Ok(more) => more,
            Err(error) => {
                self.put_state(writer, replica, state);
                return Err(error);
            }
        };
        // Where changes may be staged again, each brings its author along.
        let identity = match !self.is_shared() && state.names(author.id().into()) {
            true => Vec::new(),
            false => vec![(author.id().into(), author.identity_bytes().to_vec())],
        };
        let (mut staged, count) = (Staged::default(), state.count);
        if draft.act.as_ref().is_some_and(Act::withdraws) && (on.is_some() || !state.stands_on_all()) {
            // It does not stand on all that is here.
            state.read_graph(self, &staged).await?;
        }
        let id = match (Writing { state: &mut state, staged: &mut staged, replica, author, time, on }).all(draft, cuts)
        {
            Ok(id) => id,
            Err(error) => {
                // If ops that merge heads were staged, the state is dropped, and read again by the next write.
                if state.count == count {
                    self.put_state(writer, replica, state);
                }
                return Err(error);
            }
        };
        state.keep_arrived(self, &mut staged).await?;
        state.settle_tips(self, &staged).await?;
        let mut change = self.stage_objects(writer, identity, None).await?;
        change.add_ops(&mut state, staged, replica, true);
        let reached = self.reach(writer, &mut change).await?;
        self.put_state(writer, replica, state);
        reached.put_back(self, writer);
        before(id);
        let ticket = self.join(writer, change);
        // One that cannot be read goes on to show what it has; who writes to it next is told.
        self.renew(writer, replica).await.ok();
        self.renew_all(writer).await;
        Ok(Sealed { op: id, ticket })
    }

    /// Locks the writer, with the state of a replica taken out, when `live` shows exactly that. What is being typed is sealed.
    async fn writer_on(
        &self,
        replica: ReplicaId,
        live: Option<&dyn Applies>,
    ) -> Result<(MutexGuard<'_, Writer>, ReplicaState), StoreError> {
        let writer = self.writer().await?;
        self.up_to_date(writer, replica, live, true).await
    }

    /// Goes on once `live` shows exactly what the state of a replica is; `seal`: and nothing of it is open.
    pub(super) async fn up_to_date<'a>(
        &'a self,
        mut writer: MutexGuard<'a, Writer>,
        replica: ReplicaId,
        live: Option<&dyn Applies>,
        seal: bool,
    ) -> Result<(MutexGuard<'a, Writer>, ReplicaState), StoreError> {
        for _ in 0..MAX_BEHIND {
            if seal {
                self.seal_open(&mut writer, replica).await?;
            }
            let state = self.take_state(&mut writer, replica).await?;
            let Some(state) = self.with_sources(&mut writer, replica, state).await? else { continue };
            let Some(live) = live else { return Ok((writer, state)) };
            let applied = live.applied();
            if !applied.stale && applied.durable + applied.staged == state.count {
                return Ok((writer, state));
            }
            // Another host has written since, and one of the two was read after that; or it has to be made anew.
            drop((state, writer));
            writer = self.quiet_writer().await?;
            let state = self.take_state(&mut writer, replica).await?;
            self.bring_up_to(replica, live, &state.authority, state.count).await?;
            self.put_state(&mut writer, replica, state);
        }
        Err(BackendError::Conflict.into())
    }

    /// Whether somebody holds a capability by what the heads of a replica have seen, those among them that are being made
    /// durable.
    ///
    /// # Errors
    /// If the replica is not here or the backend cannot read.
    pub async fn may(
        &self,
        replica: ReplicaId,
        identity: hhs_model::IdentityId,
        capability: &str,
    ) -> Result<bool, StoreError> {
        let writer = self.writer().await?;
        let (mut writer, state) = self.up_to_date(writer, replica, None, false).await?;
        let may = state.authority.standing(&identity, &[capability], &state.seen_now()).is_some();
        self.put_state(&mut writer, replica, state);
        Ok(may)
    }

    /// Takes in an identity, so that it can be granted something.
    ///
    /// # Errors
    /// If the bytes are not those of an identity, or the backend cannot write.
    pub async fn put_identity(&self, bytes: Vec<u8>) -> Result<hhs_model::IdentityId, StoreError> {
        hhs_model::Identity::from_bytes(&bytes)?;
        let id = hhs_model::IdentityId::of(&bytes);
        self.put_bytes(bytes).await?;
        Ok(id)
    }

    async fn check_grantee(&self, draft: &Draft) -> Result<(), StoreError> {
        match &draft.act {
            Some(Act::Grant { to, .. }) if self.staged_identity(*to).await?.is_none() => {
                Err(StoreError::NoIdentity(*to))
            }
            _ => Ok(()),
        }
    }
}

/// An op of one's own that is to be written.
pub(super) struct Written<'a> {
    pub(super) author: &'a Author,
    pub(super) time: u64,
    pub(super) draft: Draft,
    /// What it stands on, if that is not the tips.
    pub(super) on: Option<BTreeMap<OpId, Link>>,
}

/// Ops of one's own that are being staged.
struct Writing<'a> {
    state: &'a mut ReplicaState,
    staged: &'a mut Staged,
    replica: ReplicaId,
    author: &'a Author,
    time: u64,
    on: Option<BTreeMap<OpId, Link>>,
}

impl Writing<'_> {
    /// Stages an op, after ops that merge heads if there are more than one op may have as parents, and then what adds to its cut.
    fn all(mut self, draft: Draft, cuts: Vec<Cut>) -> Result<OpId, AppendError> {
        if self.on.is_none() && self.state.tips().len() > MAX_PARENTS {
            // Merges need their author's standing as any op does, which perhaps not every head has seen.
            let mut with_standing = self.head_with_standing()?;
            while self.state.tips().len() > MAX_PARENTS {
                with_standing = self.one(Draft::default(), Some(with_standing))?;
            }
        }
        let id = self.one(draft, None)?;
        for cut in cuts {
            let act = Some(Act::Extend { of: id, cut });
            self.one(Draft { act, ..Draft::default() }, None)?;
        }
        Ok(id)
    }

    fn head_with_standing(&self) -> Result<OpId, AppendError> {
        let author = self.author.id();
        let authority = &self.state.authority;
        let stands = |link: &Link| {
            let seen = authority.join(std::iter::once(&link.seen).chain(self.state.foreign.seen.as_ref()));
            authority.standing(&author, &[Capability::WRITE], &seen).is_some()
        };
        match self.state.tips().iter().find(|(_, link)| stands(link)) {
            Some((id, _)) => Ok(*id),
            None => Err(AppendError::NotAllowed { author, capability: Capability::WRITE.to_owned() }),
        }
    }

    /// Stages an op on top of as many heads as it may have, this one in any case.
    fn one(&mut self, draft: Draft, head: Option<OpId>) -> Result<OpId, AppendError> {
        let Self { replica, author, time, .. } = *self;
        let on = self.on.take();
        let tips = on.as_ref().unwrap_or_else(|| self.state.tips());
        let first = head.into_iter().filter_map(|id| tips.get_key_value(&id));
        let others = tips.iter().filter(|(id, _)| Some(**id) != head);
        let chosen: BTreeMap<OpId, Link> =
            first.chain(others).take(MAX_PARENTS).map(|(id, link)| (*id, link.clone())).collect();
        let (parents, links): (Vec<OpId>, Vec<Link>) = chosen.into_iter().unzip();
        let seen = self.state.authority.join(links.iter().map(|link| &link.seen));
        let (deps, seen) = self.state.depend(seen, |seen| standing(self.state, author, &draft, seen).is_ok());
        let grants = standing(self.state, author, &draft, &seen)?;
        let payload = draft.payload.as_deref().map(PayloadRef::to);
        let (act, author_id) = (draft.act, author.id());
        let header = Header { target: replica, parents, deps, grants, act, author: author_id, time, payload };
        let op = Op::sign(header, &**author.signer())?;
        let id = op.id();
        let not_allowed = |reason| match reason {
            Refusal::Standing { author, capability } => AppendError::NotAllowed { author, capability },
            reason => AppendError::Refused { reason },
        };
        self.state.stage(self.staged, op, draft.payload, &links).map_err(not_allowed)?;
        Ok(id)
    }
}

/// The grants that the op has to stand on.
fn standing(state: &ReplicaState, author: &Author, draft: &Draft, seen: &Seen) -> Result<Vec<OpId>, AppendError> {
    if let Some(Act::Renounce { grant, .. }) = &draft.act {
        return Ok(vec![*grant]);
    }
    let mut needed = state.authority.needs(draft.act.as_ref());
    needed.extend(draft.needs.iter().map(Capability::as_str));
    match state.authority.standing(&author.id(), &needed, seen) {
        Some(grants) => Ok(grants),
        None => {
            let missing = needed.iter().find(|one| state.authority.standing(&author.id(), &[one], seen).is_none());
            let capability = missing.copied().unwrap_or(Capability::WRITE).to_owned();
            Err(AppendError::NotAllowed { author: author.id(), capability })
        }
    }
}

/// Lets a withdrawal keep what the first of these says; returns the rest, which is for extensions of it.
fn keep_elsewhere(draft: &mut Draft, cuts: Vec<Cut>) -> Result<Vec<Cut>, AppendError> {
    let mut cuts = cuts.into_iter();
    match (&mut draft.act, cuts.next()) {
        (Some(Act::Revoke { cut, .. }), Some(first)) => *cut = first,
        // Who has given back a grant has no say in what is kept any more.
        (Some(Act::Renounce { .. }), Some(_)) if cuts.len() > 0 => return Err(AppendError::Scattered),
        (Some(Act::Renounce { cut, .. }), Some(first)) => *cut = first,
        _ => {}
    }
    Ok(cuts.collect())
}

/// How often a live replica is brought up to what other hosts write before a write gives up.
const MAX_BEHIND: usize = 16;
