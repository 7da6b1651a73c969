//! Acts on authority that rest on what is known of grants: removing somebody, leaving, and undoing a removal.

use hhs_model::authority::Authority;
use hhs_model::class::{Draft, Replica};
use hhs_model::op::{Act, Capability};
use hhs_model::{Author, IdentityId, OpId};

use super::Live;
use crate::store::AppendError;

impl<R: Replica> Live<R> {
    /// Grants an identity capabilities, which the author has to hold besides [`Capability::GRANT`]. The identity has to be
    /// here.
    ///
    /// # Errors
    /// If the author may not, or the store fails. Then nothing was written.
    pub async fn grant(
        &self,
        author: &Author,
        time: u64,
        to: IdentityId,
        can: impl IntoIterator<Item = Capability>,
    ) -> Result<Option<OpId>, AppendError> {
        let act = Act::granting(to, can);
        self.act(author, time, |_| act).await
    }

    /// Withdraws all that was granted to an identity, with as few ops as that takes; none if nothing was. What the genesis
    /// gives cannot be withdrawn.
    ///
    /// What the identity wrote and the author has seen stays. What it wrote apart from that has no effect any more, and
    /// what others wrote by grants of it there neither.
    ///
    /// # Errors
    /// If the author may not, or is not senior to whoever granted, or the store fails. Then what was written before stays.
    pub async fn revoke(&self, author: &Author, time: u64, from: IdentityId) -> Result<Vec<OpId>, AppendError> {
        self.act_until_done(author, time, |authority| authority.revoking(&from)).await
    }

    /// Gives back all that was granted to the author.
    ///
    /// # Errors
    /// If the store fails. Then what was written before stays.
    pub async fn renounce(&self, author: &Author, time: u64) -> Result<Vec<OpId>, AppendError> {
        self.act_until_done(author, time, |authority| authority.renouncing(&author.id())).await
    }

    /// Undoes revocations: what they made void has effect again.
    ///
    /// # Errors
    /// If the author is junior to who revoked, one of the ops is no revocation that is here, or the store fails.
    pub async fn reinstate(
        &self,
        author: &Author,
        time: u64,
        of: impl IntoIterator<Item = OpId>,
    ) -> Result<Option<OpId>, AppendError> {
        let act = Act::reinstating(of);
        self.act(author, time, |_| act).await
    }

    async fn act_until_done(
        &self,
        author: &Author,
        time: u64,
        act: impl Fn(&Authority) -> Option<Act>,
    ) -> Result<Vec<OpId>, AppendError> {
        let mut written = Vec::new();
        while let Some(op) = self.act(author, time, &act).await? {
            written.push(op);
        }
        Ok(written)
    }

    async fn act(
        &self,
        author: &Author,
        time: u64,
        act: impl FnOnce(&Authority) -> Option<Act>,
    ) -> Result<Option<OpId>, AppendError> {
        self.append(author, time, |authority| Ok(act(authority).map(Draft::from))).await
    }
}
