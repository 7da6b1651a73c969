//! Why an op has no effect.

use std::fmt;

use hhs_model::OpId;
use hhs_model::authority::{Authority, Explanation};
use hhs_model::class::{Replica, Void};
use hhs_model::replay::Voided;

use super::Live;
use crate::store::{StoreError, StoredOp};

/// Why an op has no effect. [`Display`](fmt::Display) prints it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidReason {
    /// What it stood on was withdrawn.
    Authority(Explanation),
    /// The class makes nothing of its payload.
    Class(Void),
}

impl fmt::Display for VoidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(explanation) => explanation.fmt(f),
            Self::Class(void) => void.fmt(f),
        }
    }
}

impl<R: Replica> Live<R> {
    /// Why an op has no effect; `None` if it has, or is not here.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn explain(&self, op: OpId) -> Result<Option<VoidReason>, StoreError> {
        let Some(position) = self.store.positions(self.id, &[op]).await?.remove(&op) else { return Ok(None) };
        let void = {
            let state = self.shared.lock();
            state.void(position)
        };
        let Some(void) = void else { return Ok(None) };
        let Some(stored) = self.store.op_at(self.id, position).await? else { return Ok(None) };
        self.store.with_authority(self.id, |authority| self.reason(void, &stored, authority)).await
    }

    fn reason(&self, void: Voided, stored: &StoredOp, authority: &Authority) -> Option<VoidReason> {
        match void {
            Voided::ByAuthority => Some(VoidReason::Authority(authority.explain(stored.standing()))),
            Voided::ByClass => {
                let state = self.shared.lock();
                state.replay().why(&stored.kept(), authority).map(VoidReason::Class)
            }
        }
    }
}
