//! Which requests of ours are open.

use std::collections::BTreeMap;

use hhs_model::{IdentityId, ReplicaId};

/// The most bytes of a secret.
pub(crate) const MAX_SECRET_BYTES: usize = 256;
/// Requests of one peer that the app is asked about at once.
pub(crate) const MAX_JOINING: usize = 64;

/// Requests to be let in that nobody has answered yet.
#[derive(Debug, Default)]
pub struct State {
    wanted: BTreeMap<(IdentityId, ReplicaId), Vec<u8>>,
}

impl State {
    /// Asks a member, now or when it is met.
    pub fn want(&mut self, member: IdentityId, replica: ReplicaId, secret: Vec<u8>) {
        self.wanted.insert((member, replica), secret);
    }

    /// What to ask a member who has just been met.
    pub fn requests_to(&self, member: IdentityId) -> Vec<(ReplicaId, Vec<u8>)> {
        let of_member = self.wanted.iter().filter(|((identity, _), _)| *identity == member);
        of_member.map(|((_, replica), secret)| (*replica, secret.clone())).collect()
    }

    /// Notes an answer. False if nothing was asked.
    pub fn answered(&mut self, member: IdentityId, replica: ReplicaId) -> bool {
        self.wanted.remove(&(member, replica)).is_some()
    }
}
