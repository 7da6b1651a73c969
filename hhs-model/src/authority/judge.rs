//! Standing: whether an author ever held, in an op's own past, what the op needs. It decides what is refused, by everybody and
//! for ever; whether what was held counts still is for the verdict.

use super::acts::{KnownAct, Rank};
use super::{Authority, Seen};
use crate::id::{IdentityId, OpId};
use crate::op::{Act, Capability, Header, Rule};

/// Why an op is refused for want of authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A grant that it names is not a grant in its past.
    #[error("the op stands on {0}, which is not a grant in its past")]
    NoSuchGrant(OpId),
    /// A grant that it names is somebody else's.
    #[error("the op stands on the grant {0}, which is to somebody else")]
    ForeignGrant(OpId),
    /// Its author does not hold what the op needs.
    #[error("the author {author} holds no right to {capability} by the grants that the op stands on")]
    Standing {
        /// Who wrote it.
        author: IdentityId,
        /// What is missing.
        capability: String,
    },
    /// Its act is on an op that it cannot be on.
    #[error("the op acts on {0}, which is not an act of that kind of the same replica in its past")]
    NoSuchTarget(OpId),
    /// Its act is on one by somebody more senior.
    #[error("the op acts on {0}, for which the grants that it stands on are not senior enough")]
    NotSenior(OpId),
    /// A renunciation that names other grants than the one it gives back, or carries a payload.
    #[error("the op renounces {0}, and has to stand on that grant alone and carry no payload")]
    Renunciation(OpId),
}

/// Grants and roles that an author may use.
pub(super) struct Held<'a> {
    pub(super) authority: &'a Authority,
    pub(super) author: IdentityId,
    pub(super) grants: Vec<u32>,
}

impl Held<'_> {
    /// Whether they are enough for a capability in the replica: by its rule, or if it has none by holding it.
    pub(super) fn enough(&self, capability: &str) -> bool {
        match self.authority.founding().rule(capability) {
            None => self.holds(0, capability),
            Some(rule) => rule.satisfied_by(&mut |atom| match atom {
                Rule::Can(capability) => self.holds(0, capability.as_str()),
                Rule::CanIn(capability, replica) => {
                    let replica = self.authority.replica(replica);
                    replica.is_some_and(|replica| self.holds(replica, capability.as_str()))
                }
                Rule::Is(identities) => identities.contains(&self.author),
                Rule::Any(_) | Rule::All(_) => false,
            }),
        }
    }

    /// Whether a capability is held in a replica: by its roles, or by a grant in it or in its root.
    fn holds(&self, replica: u32, capability: &str) -> bool {
        let home = self.authority.home(replica);
        let by_role = self.authority.replicas[replica as usize].founding.roles().holds(&self.author, capability);
        by_role || self.grants.iter().any(|grant| self.authority.gives(*grant, home, capability))
    }
}

impl Authority {
    /// Judges an op by its header and by what it has seen.
    ///
    /// # Errors
    /// Why it is refused, now and for ever.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn judge(&self, header: &Header, seen: &Seen) -> Result<(), Refusal> {
        let heads = self.acts_of(seen);
        let mut held = Held { authority: self, author: header.author, grants: Vec::new() };
        for id in &header.grants {
            let act = self.act_below(id, &heads).ok_or(Refusal::NoSuchGrant(*id))?;
            let grant = self.known(act).grant().ok_or(Refusal::NoSuchGrant(*id))?;
            if grant.to != header.author {
                return Err(Refusal::ForeignGrant(*id));
            }
            held.grants.push(act);
        }
        if let Some(Act::Renounce { grant, .. }) = &header.act {
            return self.judge_renunciation(header, *grant);
        }
        let need = |capability: &str| match held.enough(capability) {
            true => Ok(()),
            false => Err(Refusal::Standing { author: header.author, capability: capability.to_owned() }),
        };
        need(Capability::WRITE)?;
        let Some(act) = &header.act else { return Ok(()) };
        need(Capability::GRANT)?;
        let stands = held.grants.iter().filter_map(|grant| self.known(*grant).grant()).map(|grant| grant.rank).max();
        match act {
            Act::Grant { can, .. } => can.iter().try_for_each(|capability| need(capability.as_str())),
            Act::Revoke { grants, .. } => grants.iter().try_for_each(|id| {
                let act = self.target(id, &heads)?;
                let grant = self.known(act).grant().ok_or(Refusal::NoSuchTarget(*id))?;
                senior(stands < Some(grant.rank), id)?;
                grant.can.iter().try_for_each(|capability| need(capability.as_str()))
            }),
            Act::Reinstate { of } => of.iter().try_for_each(|id| {
                let act = self.target(id, &heads)?;
                let known = self.known(act);
                known.withdrawal().filter(|details| !details.renounces).ok_or(Refusal::NoSuchTarget(*id))?;
                senior(stands <= known.key.0, id)
            }),
            Act::Extend { of, .. } => {
                let known = self.known(self.target(of, &heads)?);
                let withdrawal = known.withdrawal().ok_or(Refusal::NoSuchTarget(*of))?;
                // What stands on the grant that was given back cannot keep anything, itself included.
                senior(stands < known.key.0 || (!withdrawal.renounces && stands == known.key.0), of)
            }
            Act::Renounce { .. } => Ok(()),
        }
    }

    fn judge_renunciation(&self, header: &Header, grant: OpId) -> Result<(), Refusal> {
        if header.grants != [grant] || header.payload.is_some() {
            return Err(Refusal::Renunciation(grant));
        }
        match self.act(&grant).filter(|act| self.known(*act).replica == 0) {
            Some(_) => Ok(()),
            None => Err(Refusal::NoSuchTarget(grant)),
        }
    }

    /// An act of the replica itself that is in the past of what has seen `heads`.
    fn target(&self, id: &OpId, heads: &[u32]) -> Result<u32, Refusal> {
        let act = self.act_below(id, heads).filter(|act| self.known(*act).replica == 0);
        act.ok_or(Refusal::NoSuchTarget(*id))
    }

    /// Whether the author of an op holds a capability, as the rules ask for it, by roles and the grants that it names.
    pub fn holds(&self, header: &Header, capability: &str) -> bool {
        let grants = self.grants_of(&header.grants);
        let to_author = |grant: &u32| self.known(*grant).grant().is_some_and(|grant| grant.to == header.author);
        let grants = grants.into_iter().filter(to_author).collect();
        Held { authority: self, author: header.author, grants }.enough(capability)
    }

    /// Whether somebody may use a capability now, as the rules ask for it: by roles and the grants that stand.
    pub fn may(&self, identity: &IdentityId, capability: &str) -> bool {
        let grants = self.live.get(identity).map(|grants| grants.values().copied().collect()).unwrap_or_default();
        Held { authority: self, author: *identity, grants }.enough(capability)
    }

    pub(super) fn gives(&self, grant: u32, home: [Option<u32>; 2], capability: &str) -> bool {
        let known = self.known(grant);
        home.contains(&Some(known.replica)) && known.grant().is_some_and(|grant| grant.can.contains(capability))
    }
}

fn senior(is: bool, target: &OpId) -> Result<(), Refusal> {
    if is { Ok(()) } else { Err(Refusal::NotSenior(*target)) }
}

/// The highest rank among grants, none for the authority of the genesis alone.
pub(super) fn highest<'a>(grants: impl Iterator<Item = &'a KnownAct>) -> Option<Rank> {
    let rank = |act: &KnownAct| match act {
        KnownAct::Grant(grant) => Some(grant.rank),
        _ => None,
    };
    grants.filter_map(rank).max()
}
