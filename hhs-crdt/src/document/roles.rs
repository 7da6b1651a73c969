//! Acts on authority: letting somebody in, removing them, leaving, and undoing a removal.

use hhs_model::class::{Draft, Replica};
use hhs_model::op::{Act, Capability};
use hhs_model::{Author, IdentityId, OpId};

use super::{Document, WriteError};

impl<R: Replica> Document<R> {
    /// Grants an identity capabilities, which the author has to hold besides [`Capability::GRANT`]; `None` if they are none.
    ///
    /// # Errors
    /// If the author may not. Then nothing was written.
    pub fn grant(
        &mut self,
        author: &Author,
        time: u64,
        to: IdentityId,
        can: impl IntoIterator<Item = Capability>,
    ) -> Result<Option<OpId>, WriteError> {
        self.act(author, time, Act::granting(to, can))
    }

    /// Withdraws all that was granted to an identity, with as few ops as that takes; none if nothing was. What the genesis
    /// gives cannot be withdrawn. What the identity wrote and this document has stays; what it wrote apart from that is void.
    ///
    /// # Errors
    /// If the author may not, or is not senior to whoever granted. Then what was written before stays.
    pub fn revoke(&mut self, author: &Author, time: u64, from: IdentityId) -> Result<Vec<OpId>, WriteError> {
        let mut written = Vec::new();
        while let Some(op) = self.act(author, time, self.authority.revoking(&from))? {
            written.push(op);
        }
        Ok(written)
    }

    /// Gives back all that was granted to the author.
    ///
    /// # Errors
    /// If it cannot be signed. Then what was written before stays.
    pub fn renounce(&mut self, author: &Author, time: u64) -> Result<Vec<OpId>, WriteError> {
        let mut written = Vec::new();
        while let Some(op) = self.act(author, time, self.authority.renouncing(&author.id()))? {
            written.push(op);
        }
        Ok(written)
    }

    /// Undoes revocations: what they made void has effect again.
    ///
    /// # Errors
    /// If the author is junior to who revoked, or one of the ops is no revocation that is here.
    pub fn reinstate(
        &mut self,
        author: &Author,
        time: u64,
        of: impl IntoIterator<Item = OpId>,
    ) -> Result<Option<OpId>, WriteError> {
        self.act(author, time, Act::reinstating(of))
    }

    fn act(&mut self, author: &Author, time: u64, act: Option<Act>) -> Result<Option<OpId>, WriteError> {
        self.put(author, time, act.map(Draft::from).unwrap_or_default())
    }
}
