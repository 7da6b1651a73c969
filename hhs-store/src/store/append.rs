//! Writing ops of one's own: built on the heads, by the grants one holds, signed, durable before the call returns.

use std::collections::BTreeMap;

use futures::lock::MutexGuard;
use hhs_model::authority::{Authority, Refusal, Seen};
use hhs_model::bounds::MAX_PARENTS;
use hhs_model::class::{Draft, EditError};
use hhs_model::op::{Act, Capability, Header, Op, PayloadRef};
use hhs_model::{Author, OpId, ReplicaId};

use super::error::{AppendError, StoreError};
use super::replica::{Link, ReplicaState, Staged};
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
        let (mut writer, mut state) = self.writer_on(replica, live).await?;
        let draft = match draft(&state.authority) {
            Ok(Some(draft)) => draft,
            unchanged => {
                self.put_state(&mut writer, replica, state);
                return Ok(unchanged.map(|_| None)?);
            }
        };
        if let Err(error) = self.check_grantee(&draft).await {
            self.put_state(&mut writer, replica, state);
            return Err(error.into());
        }
        // Where changes may be staged again, each brings its author along.
        let identity = match !self.is_shared() && state.names(author.id().into()) {
            true => Vec::new(),
            false => vec![(author.id().into(), author.identity_bytes().to_vec())],
        };
        let (mut staged, before) = (Staged::default(), state.count);
        if draft.act.as_ref().is_some_and(Act::withdraws) && state.tips().len() != state.heads.len().min(MAX_PARENTS) {
            // It does not stand on all that is here.
            state.read_graph(self, &staged).await?;
        }
        let id = match (Writing { state: &mut state, staged: &mut staged, replica, author, time }).all(draft) {
            Ok(id) => id,
            Err(error) => {
                // If ops that merge heads were staged, the state is dropped, and read again by the next write.
                if state.count == before {
                    self.put_state(&mut writer, replica, state);
                }
                return Err(error);
            }
        };
        state.settle_tips(self, &staged).await?;
        let mut change = self.stage_objects(&mut writer, identity, None).await?;
        change.add_ops(&mut state, staged, replica, true);
        self.put_state(&mut writer, replica, state);
        let ticket = self.join(&writer, change);
        // One that cannot be read goes on to show what it has; who writes to it next is told.
        self.renew(&mut writer, replica).await.ok();
        drop(writer);
        self.settled(&ticket).await?;
        self.checkpoint_if_due(replica).await;
        Ok(Some(id))
    }

    /// Locks the writer, with the state of a replica taken out, when `live` shows exactly that.
    async fn writer_on(
        &self,
        replica: ReplicaId,
        live: Option<&dyn Applies>,
    ) -> Result<(MutexGuard<'_, Writer>, ReplicaState), StoreError> {
        let mut writer = self.writer().await?;
        for _ in 0..MAX_BEHIND {
            let state = self.take_state(&mut writer, replica).await?;
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
        let mut writer = self.writer().await?;
        let state = self.take_state(&mut writer, replica).await?;
        let seen = state.authority.join(state.tips().values().map(|link| &link.seen));
        let may = state.authority.standing(&identity, &[capability], &seen).is_some();
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

/// Ops of one's own that are being staged.
struct Writing<'a> {
    state: &'a mut ReplicaState,
    staged: &'a mut Staged,
    replica: ReplicaId,
    author: &'a Author,
    time: u64,
}

impl Writing<'_> {
    /// Stages an op, after ops that merge heads if there are more than one op may have as parents.
    fn all(mut self, draft: Draft) -> Result<OpId, AppendError> {
        if self.state.tips().len() > MAX_PARENTS {
            // Merges need their author's standing as any op does, which perhaps not every head has seen.
            let mut with_standing = self.head_with_standing()?;
            while self.state.tips().len() > MAX_PARENTS {
                with_standing = self.one(Draft::default(), Some(with_standing))?;
            }
        }
        self.one(draft, None)
    }

    fn head_with_standing(&self) -> Result<OpId, AppendError> {
        let author = self.author.id();
        let stands = |link: &Link| self.state.authority.standing(&author, &[Capability::WRITE], &link.seen).is_some();
        match self.state.tips().iter().find(|(_, link)| stands(link)) {
            Some((id, _)) => Ok(*id),
            None => Err(AppendError::NotAllowed { author, capability: Capability::WRITE.to_owned() }),
        }
    }

    /// Stages an op on top of as many heads as it may have, this one in any case.
    fn one(&mut self, draft: Draft, head: Option<OpId>) -> Result<OpId, AppendError> {
        let Self { replica, author, time, .. } = *self;
        let tips = self.state.tips();
        let first = head.into_iter().filter_map(|id| tips.get_key_value(&id));
        let others = tips.iter().filter(|(id, _)| Some(**id) != head);
        let chosen: BTreeMap<OpId, Link> =
            first.chain(others).take(MAX_PARENTS).map(|(id, link)| (*id, link.clone())).collect();
        let (parents, links): (Vec<OpId>, Vec<Link>) = chosen.into_iter().unzip();
        let seen = self.state.authority.join(links.iter().map(|link| &link.seen));
        let grants = standing(self.state, author, &draft, &seen)?;
        let payload = draft.payload.as_deref().map(PayloadRef::to);
        let (act, author_id) = (draft.act, author.id());
        let header =
            Header { target: replica, parents, deps: Vec::new(), grants, act, author: author_id, time, payload };
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

/// How often a live replica is brought up to what other hosts write before a write gives up.
const MAX_BEHIND: usize = 16;
