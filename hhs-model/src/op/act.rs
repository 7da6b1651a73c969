//! What an op does to authority, in its header: `{"grant": …}`, `{"revoke": …}`, `{"renounce": …}`, `{"reinstate": …}` or
//! `{"extend": …}`.

use std::collections::{BTreeMap, BTreeSet};

use super::capability::Capability;
use super::order::ascending;
use crate::bounds::{MAX_ACT_TARGETS, MAX_CAPABILITIES, MAX_CUT_HEADS};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};
use crate::id::{IdentityId, OpId, ReplicaId};

/// What an op does to authority. Everybody understands these, with the class or without.
///
/// All but a grant name acts of the same replica in the op's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Gives capabilities to an identity. Whoever grants has to hold them, and [`Capability::GRANT`].
    Grant {
        /// Who receives them.
        to: IdentityId,
        /// What is granted.
        can: BTreeSet<Capability>,
    },
    /// Withdraws grants from their holders: ops that stand on them count no more, but for those that this op has seen.
    Revoke {
        /// The grants, 16 at most.
        grants: BTreeSet<OpId>,
        /// What it has seen of other replicas.
        cut: Cut,
    },
    /// Gives a grant back that is to the author, and that the op stands on and on nothing else.
    Renounce {
        /// The grant.
        grant: OpId,
        /// What it has seen of other replicas.
        cut: Cut,
    },
    /// Undoes revocations.
    Reinstate {
        /// The revocations, 16 at most.
        of: BTreeSet<OpId>,
    },
    /// Adds to what a revocation or renunciation has seen of other replicas.
    Extend {
        /// The revocation or renunciation.
        of: OpId,
        /// What it has seen besides.
        cut: Cut,
    },
}

/// For replicas other than the one where it stands: the heads at and below which ops are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut(BTreeMap<ReplicaId, BTreeSet<OpId>>);

impl Act {
    /// Grants capabilities; none if there are none to grant.
    pub fn granting(to: IdentityId, can: impl IntoIterator<Item = Capability>) -> Option<Self> {
        let can: BTreeSet<Capability> = can.into_iter().collect();
        (!can.is_empty()).then_some(Self::Grant { to, can })
    }

    /// Undoes revocations; none if there are none.
    pub fn reinstating(of: impl IntoIterator<Item = OpId>) -> Option<Self> {
        let of: BTreeSet<OpId> = of.into_iter().collect();
        (!of.is_empty()).then_some(Self::Reinstate { of })
    }

    /// To whom it grants something.
    pub fn grantee(&self) -> Option<IdentityId> {
        match self {
            Self::Grant { to, .. } => Some(*to),
            _ => None,
        }
    }

    /// Whether it withdraws grants: then it matters which ops it has not seen.
    pub fn withdraws(&self) -> bool {
        matches!(self, Self::Revoke { .. } | Self::Renounce { .. })
    }

    /// What it has seen of other replicas, if it withdraws something or adds to what a withdrawal has seen.
    pub fn cut(&self) -> Option<&Cut> {
        match self {
            Self::Revoke { cut, .. } | Self::Renounce { cut, .. } | Self::Extend { cut, .. } => Some(cut),
            Self::Grant { .. } | Self::Reinstate { .. } => None,
        }
    }
}

impl Cut {
    /// Nothing of any other replica is kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps what is at and below a head of a replica.
    pub fn keep(&mut self, replica: ReplicaId, head: OpId) -> &mut Self {
        self.0.entry(replica).or_default().insert(head);
        self
    }

    /// The replicas of which something is kept, each with the heads.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&ReplicaId, &BTreeSet<OpId>)> {
        self.0.iter()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn heads(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

impl FromIterator<(ReplicaId, OpId)> for Cut {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, OpId)>>(heads: I) -> Self {
        let mut cut = Self::new();
        for (replica, head) in heads {
            cut.keep(replica, head);
        }
        cut
    }
}

impl Encode for Cut {
    fn encode(&self, encoder: &mut Encoder) {
        if self.heads() > MAX_CUT_HEADS {
            encoder.fail(EncodeError::Bound { what: CUT_HEADS, count: self.heads(), limit: MAX_CUT_HEADS });
        }
        encoder.list(self.0.len());
        for (replica, heads) in &self.0 {
            encoder.list(2).value(replica);
            ids(encoder, heads);
        }
    }
}

impl Decode for Cut {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = decoder.list()?;
        if count > MAX_CUT_HEADS {
            return Err(DecodeError::Bound { what: CUT_HEADS, count, limit: MAX_CUT_HEADS });
        }
        let mut cut = BTreeMap::new();
        let mut left = MAX_CUT_HEADS;
        for _ in 0..count {
            let at = decoder.position();
            if decoder.list()? != 2 {
                return Err(DecodeError::Invalid("what a cut keeps of a replica is a list of two"));
            }
            let replica: ReplicaId = decoder.value()?;
            if cut.last_key_value().is_some_and(|(last, _)| *last >= replica) {
                return Err(DecodeError::ItemOrder(at));
            }
            let heads: Vec<OpId> = ascending(decoder, CUT_HEADS, left)?;
            decoder.leave();
            if heads.is_empty() {
                return Err(DecodeError::Invalid("a cut lists a replica of which it keeps nothing"));
            }
            left -= heads.len();
            cut.insert(replica, heads.into_iter().collect());
        }
        decoder.leave();
        Ok(Self(cut))
    }
}

impl Encode for Act {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(1);
        match self {
            Self::Grant { to, can } => {
                check(encoder, can.len(), CAPABILITIES, MAX_CAPABILITIES);
                encoder.key("grant").map(2);
                encoder.key("to").value(to);
                // Ascending by name, which is how it is read back.
                encoder.key("can").list(can.len());
                for capability in can {
                    encoder.value(capability);
                }
            }
            Self::Revoke { grants, cut } => {
                check(encoder, grants.len(), GRANTS, MAX_ACT_TARGETS);
                encoder.key("revoke").map(2);
                encoder.key("cut").value(cut);
                ids(encoder.key("grants"), grants);
            }
            Self::Renounce { grant, cut } => {
                encoder.key("renounce").map(2);
                encoder.key("cut").value(cut);
                encoder.key("grant").value(grant);
            }
            Self::Reinstate { of } => {
                check(encoder, of.len(), REVOCATIONS, MAX_ACT_TARGETS);
                encoder.key("reinstate").map(1);
                ids(encoder.key("of"), of);
            }
            Self::Extend { of, cut } => {
                encoder.key("extend").map(2);
                encoder.key("of").value(of);
                encoder.key("cut").value(cut);
            }
        }
    }
}

impl Decode for Act {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut acts = decoder.map()?;
        if acts.left() != 1 {
            return Err(SHAPE);
        }
        let act = match acts.next_key(decoder)? {
            Some("grant") => {
                let (to, can) = entries(decoder, ("to", Decoder::value), ("can", capabilities))?;
                Self::Grant { to, can }
            }
            Some("revoke") => {
                let (cut, grants) = entries(decoder, ("cut", Decoder::value), ("grants", revoked))?;
                Self::Revoke { grants, cut }
            }
            Some("renounce") => {
                let (cut, grant) = entries(decoder, ("cut", Decoder::value), ("grant", Decoder::value))?;
                Self::Renounce { grant, cut }
            }
            Some("reinstate") => Self::Reinstate { of: entry(decoder, "of", reinstated)? },
            Some("extend") => {
                let (of, cut) = entries(decoder, ("of", Decoder::value), ("cut", Decoder::value))?;
                Self::Extend { of, cut }
            }
            _ => return Err(SHAPE),
        };
        acts.next_key(decoder)?;
        Ok(act)
    }
}

type Read<'a, T> = fn(&mut Decoder<'a>) -> Result<T, DecodeError>;

/// A closed map of two entries, in this order.
fn entries<'a, A, B>(
    decoder: &mut Decoder<'a>,
    (first, read_first): (&str, Read<'a, A>),
    (second, read_second): (&str, Read<'a, B>),
) -> Result<(A, B), DecodeError> {
    let mut map = decoder.map()?;
    if map.left() != 2 || map.next_key(decoder)? != Some(first) {
        return Err(SHAPE);
    }
    let a = read_first(decoder)?;
    if map.next_key(decoder)? != Some(second) {
        return Err(SHAPE);
    }
    let b = read_second(decoder)?;
    map.next_key(decoder)?;
    Ok((a, b))
}

/// A closed map of one entry.
fn entry<'a, A>(decoder: &mut Decoder<'a>, key: &str, read: Read<'a, A>) -> Result<A, DecodeError> {
    let mut map = decoder.map()?;
    if map.left() != 1 || map.next_key(decoder)? != Some(key) {
        return Err(SHAPE);
    }
    let a = read(decoder)?;
    map.next_key(decoder)?;
    Ok(a)
}

fn capabilities(decoder: &mut Decoder<'_>) -> Result<BTreeSet<Capability>, DecodeError> {
    let can = ascending(decoder, CAPABILITIES, MAX_CAPABILITIES)?;
    some(can, "a grant grants nothing")
}

fn revoked(decoder: &mut Decoder<'_>) -> Result<BTreeSet<OpId>, DecodeError> {
    some(ascending(decoder, GRANTS, MAX_ACT_TARGETS)?, "a revocation revokes nothing")
}

fn reinstated(decoder: &mut Decoder<'_>) -> Result<BTreeSet<OpId>, DecodeError> {
    some(ascending(decoder, REVOCATIONS, MAX_ACT_TARGETS)?, "a reinstatement undoes nothing")
}

fn some<T: Ord>(items: Vec<T>, none: &'static str) -> Result<BTreeSet<T>, DecodeError> {
    if items.is_empty() {
        return Err(DecodeError::Invalid(none));
    }
    Ok(items.into_iter().collect())
}

fn check(encoder: &mut Encoder, count: usize, what: &'static str, limit: usize) {
    if count == 0 || count > limit {
        encoder.fail(EncodeError::Bound { what, count, limit });
    }
}

fn ids(encoder: &mut Encoder, ids: &BTreeSet<OpId>) {
    encoder.list(ids.len());
    for id in ids {
        encoder.value(id);
    }
}

const SHAPE: DecodeError = DecodeError::Invalid("an act of an op header is not one that is known");
const CAPABILITIES: &str = "capabilities in a grant (1 at least)";
const GRANTS: &str = "grants in a revocation (1 at least)";
const REVOCATIONS: &str = "revocations in a reinstatement (1 at least)";
const CUT_HEADS: &str = "heads in a cut";
