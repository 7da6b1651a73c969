//! What own ops say of other replicas: the acts there that they depend on, and for those that withdraw something the heads
//! elsewhere that they keep.

use std::collections::BTreeSet;

use hhs_model::authority::Seen;
use hhs_model::bounds::{MAX_CUT_HEADS, MAX_DEPS};
use hhs_model::op::{Act, Cut};
use hhs_model::{IdentityId, OpId, ReplicaId};

use super::foreign::seen_from;
use super::replica::ReplicaState;
use super::writer::Writer;
use super::{Store, StoreError, keys};
use crate::backend::BackendError;

impl ReplicaState {
    /// What an op on top of all tips has seen, with the acts of other replicas that it depends on.
    pub(super) fn seen_now(&self) -> Seen {
        let tips = self.tips().values().map(|link| &link.seen);
        self.authority.join(tips.chain(self.foreign.seen.as_ref()))
    }

    /// The acts of sources that an op has to depend on whose parents have seen `parents`, and what it has seen then. If they are more
    /// than an op can name, as many as that, among them those by which it `stands`.
    pub(super) fn depend(&self, parents: Seen, stands: impl Fn(&Seen) -> bool) -> (Vec<OpId>, Seen) {
        let Some(foreign) = self.foreign.seen.as_ref().filter(|foreign| !foreign.is_empty()) else {
            return (Vec::new(), parents);
        };
        let all = self.authority.join([&parents, foreign]);
        let known: BTreeSet<OpId> = self.authority.acts_in(&parents).into_iter().collect();
        let deps: Vec<OpId> = self.authority.acts_in(&all).into_iter().filter(|act| !known.contains(act)).collect();
        if deps.len() <= MAX_DEPS {
            return (deps, all);
        }
        let seen = |deps: &[OpId]| {
            let deps: Vec<Seen> = deps.iter().filter_map(|dep| self.authority.dependency(dep)).collect();
            self.authority.join(std::iter::once(&parents).chain(&deps))
        };
        let some = deps.chunks(MAX_DEPS).map(|some| (some.to_vec(), seen(some)));
        let mut some = some.skip_while(|(_, seen)| !stands(seen));
        some.next().unwrap_or_else(|| (deps[..MAX_DEPS].to_vec(), seen(&deps[..MAX_DEPS])))
    }

    /// To whom the grants are that an act withdraws, if it does not say itself what it keeps elsewhere.
    pub(super) fn losers(&self, act: Option<&Act>) -> BTreeSet<IdentityId> {
        let grants = match act {
            Some(Act::Revoke { grants, cut }) if cut.is_empty() => grants.clone(),
            Some(Act::Renounce { grant, cut }) if cut.is_empty() => [*grant].into(),
            _ => return BTreeSet::new(),
        };
        self.authority.grants().filter(|grant| grants.contains(&grant.id)).map(|grant| grant.to).collect()
    }
}

impl Store {
    /// Finds out what the tips of the sources of a replica have seen, unless that is known. Called with the writer locked and the
    /// view of the replica in it.
    pub(super) async fn look_at_sources(&self, writer: &mut Writer, replica: ReplicaId) -> Result<(), StoreError> {
        let Some(state) = writer.state(replica).filter(|state| state.foreign.seen.is_none()) else { return Ok(()) };
        let mut seen = Vec::new();
        for source in state.foreign.sources.clone() {
            let state = self.take_state(writer, source).await?;
            seen.push(seen_from(source, &state.authority.join(state.tips().values().map(|link| &link.seen))));
            self.put_state(writer, source, state);
        }
        // It is gone if all was read anew meanwhile.
        if let Some(mut state) = writer.take(replica) {
            if seen.iter().all(|seen| state.authority.knows(seen)) {
                state.foreign.seen = Some(state.authority.join(&seen));
            }
            self.put_state(writer, replica, state);
        }
        Ok(())
    }

    /// What a withdrawal of grants to `losers` keeps of other replicas, as one cut or as many as it takes: all that is effective
    /// where they have written, as far as it is here.
    pub(super) async fn cuts_elsewhere(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
        losers: &BTreeSet<IdentityId>,
    ) -> Result<Vec<Cut>, StoreError> {
        let mut heads = Vec::new();
        if !losers.is_empty() {
            for dependent in self.dependents_of(writer, replica).await?.iter() {
                if self.is_named(*dependent, losers).await? {
                    let state = self.take_state(writer, *dependent).await?;
                    heads.extend(state.tips().keys().map(|head| (*dependent, *head)));
                    self.put_state(writer, *dependent, state);
                }
            }
        }
        let (mut cuts, mut bytes, mut last) = (Vec::<Vec<(ReplicaId, OpId)>>::new(), 0, None);
        for (replica, head) in heads {
            let fits = bytes + REPLICA_BYTES + HEAD_BYTES <= CUT_BYTES;
            match cuts.last_mut().filter(|cut| fits && cut.len() < MAX_CUT_HEADS) {
                Some(cut) => {
                    cut.push((replica, head));
                    bytes += HEAD_BYTES + if last == Some(replica) { 0 } else { REPLICA_BYTES };
                }
                None => {
                    cuts.push(vec![(replica, head)]);
                    bytes = REPLICA_BYTES + HEAD_BYTES;
                }
            }
            last = Some(replica);
        }
        Ok(cuts.into_iter().map(Cut::from_iter).collect())
    }

    /// Whether ops of a replica are by one of these, or grant them something. Only those can stand on a grant to them.
    async fn is_named(&self, replica: ReplicaId, identities: &BTreeSet<IdentityId>) -> Result<bool, StoreError> {
        if self.pipeline().has_staged(replica) {
            return Ok(true);
        }
        let number = self.staged_replica_number(replica).await?;
        let wanted: Vec<Vec<u8>> = identities.iter().map(|id| keys::writes((*id).into(), number)).collect();
        Ok(self.backend().get_many(&wanted).await?.iter().any(Option::is_some))
    }

    /// The view of a replica, once it is known what its sources have seen; none if all was read anew meanwhile.
    pub(super) async fn with_sources(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
        state: ReplicaState,
    ) -> Result<Option<ReplicaState>, StoreError> {
        if state.foreign.seen.is_some() {
            return Ok(Some(state));
        }
        self.put_state(writer, replica, state);
        self.look_at_sources(writer, replica).await?;
        Ok(writer.take(replica))
    }

    /// The view of a replica, made ready for an own op, and what that keeps of other replicas if it withdraws something. What is open
    /// on live replicas that rest on this one is sealed before an act, which it has not seen.
    pub(super) async fn before_own(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
        state: ReplicaState,
        act: Option<&Act>,
    ) -> Result<(ReplicaState, Vec<Cut>), StoreError> {
        if act.is_none() && state.foreign.seen.is_some() {
            return Ok((state, Vec::new()));
        }
        let losers = state.losers(act);
        self.put_state(writer, replica, state);
        if act.is_some() {
            self.seal_dependents(writer, replica).await?;
        }
        self.look_at_sources(writer, replica).await?;
        let cuts = self.cuts_elsewhere(writer, replica, &losers).await?;
        let state = writer.take(replica).ok_or(BackendError::Conflict)?;
        Ok((state, cuts))
    }
}

/// Bytes of a cut. The rest of the largest header has to stand beside it.
const CUT_BYTES: usize = 8 << 10;
/// What a head takes in a cut, and a replica.
const HEAD_BYTES: usize = 41;
const REPLICA_BYTES: usize = 45;
