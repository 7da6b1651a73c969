//! Histories as small sets of acts, and what may come next.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{ALL, ANA, can};
use crate::id::{Hash, IdentityId, OpId, ReplicaId};
use crate::op::{Act, Capability, Cut, Header, Op};

/// A set of acts, by their numbers.
pub(super) type Acts = u8;

/// More do not fit: ids of acts that come later are made room for.
pub(super) const MOST: usize = 8;
pub(super) const AUTHORS: usize = 4;

/// An act as it stands in a history. Other acts are named by their numbers in the order of delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed {
    pub(super) id: OpId,
    parents: Acts,
    pub(super) past: Acts,
    height: u8,
    author: usize,
    pub(super) stands: Option<usize>,
    pub(super) doing: Doing,
    /// If it is a grant: how many steps it is from the genesis.
    chain: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Grant(usize),
    Revoke(usize),
    Renounce(usize),
    Reinstate(usize),
}

/// Acts in an order in which they can be delivered.
#[derive(Debug, Clone, Default)]
pub(super) struct History(pub(super) Vec<Deed>);

/// To whom grants are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// To everybody.
    All,
    /// To one, who depends on how many acts there are.
    InTurn,
}

impl History {
    /// Sets of acts none of which is below another: what the next act can have as parents.
    pub(super) fn antichains(&self) -> impl Iterator<Item = Acts> + use<> {
        let pasts: Vec<Acts> = self.0.iter().map(|deed| deed.past).collect();
        let apart = move |set: &Acts| members(*set).all(|act| pasts[act] & set == 0);
        (0..=all(self.0.len())).filter(apart)
    }

    /// What somebody can try on top of `parents` who stands on one grant to them, or on none if they are the founder. A grant is tried with
    /// each id that ranks it differently among those that are there.
    pub(super) fn deeds(&self, parents: Acts, names: Names) -> Vec<Deed> {
        let past = members(parents).fold(parents, |past, act| past | self.0[act].past);
        let height = members(parents).map(|act| self.0[act].height + 1).max().unwrap_or(0);
        let mut deeds = Vec::new();
        let stands = members(past).filter_map(|act| Some((self.grantee(act)?, Some(act))));
        for (author, stands) in stands.chain([(ANA, None)]) {
            let chain = stands.map_or(1, |grant| self.0[grant].chain + 1);
            for doing in self.doings(past, stands, names) {
                let deed = Deed { id: id(0, 0), parents, past, height, author, stands, doing, chain };
                deeds.extend(self.ids(&deed).into_iter().map(|id| Deed { id, ..deed }));
            }
        }
        deeds
    }

    /// Grants are to anybody whom a grant names already, or to the next one by name; or to one of them.
    fn doings(&self, past: Acts, stands: Option<usize>, names: Names) -> impl Iterator<Item = Doing> {
        let met = (0..self.0.len()).filter_map(|act| self.grantee(act)).max().unwrap_or(0);
        let to = match names {
            Names::All => 1..AUTHORS.min(met + 2),
            Names::InTurn => [1, 2, 1, 3, 3, 2, 1, 3].map(|name| name..name + 1)[self.0.len()].clone(),
        };
        let grants = to.map(Doing::Grant);
        let on = members(past).flat_map(move |act| match self.0[act].doing {
            Doing::Grant(_) if stands == Some(act) => vec![Doing::Renounce(act), Doing::Revoke(act)],
            Doing::Grant(_) => vec![Doing::Revoke(act)],
            Doing::Revoke(_) | Doing::Renounce(_) => vec![Doing::Reinstate(act)],
            Doing::Reinstate(_) => Vec::new(),
        });
        grants.chain(on)
    }

    /// For a grant an id between any two of those that it ranks with but for the id. Other ids decide only which of several reasons is
    /// named: they are in no order.
    fn ids(&self, deed: &Deed) -> Vec<OpId> {
        let number = self.0.len();
        let Doing::Grant(_) = deed.doing else { return vec![id(SHUFFLED[number] << 61 | 1, number)] };
        let ties = |other: &&Deed| {
            matches!(other.doing, Doing::Grant(_)) && (other.chain, other.height) == (deed.chain, deed.height)
        };
        let mut bounds: Vec<u64> = self.0.iter().filter(ties).map(|other| first_half(other.id)).collect();
        bounds.extend([0, u64::MAX]);
        bounds.sort_unstable();
        bounds.windows(2).map(|pair| id(pair[0] + (pair[1] - pair[0]) / 2, number)).collect()
    }

    fn grantee(&self, act: usize) -> Option<usize> {
        match self.0[act].doing {
            Doing::Grant(to) => Some(to),
            _ => None,
        }
    }

    /// How senior a grant is.
    pub(super) fn rank(&self, grant: usize) -> (u8, u8, OpId) {
        let Deed { chain, height, id, .. } = self.0[grant];
        (chain, height, id)
    }

    /// Where an act stands: the founder above all.
    pub(super) fn standing(&self, deed: &Deed) -> Option<(u8, u8, OpId)> {
        deed.stands.map(|grant| self.rank(grant))
    }

    /// Whether everybody keeps an act. All grants are of both rights, and nobody tries what is somebody else's: what is left is who is
    /// senior to whom.
    pub(super) fn allows(&self, deed: &Deed) -> bool {
        match deed.doing {
            Doing::Grant(_) | Doing::Renounce(_) => true,
            Doing::Revoke(grant) => self.standing(deed) < Some(self.rank(grant)),
            Doing::Reinstate(act) => {
                let undone = &self.0[act];
                matches!(undone.doing, Doing::Revoke(_)) && self.standing(deed) <= self.standing(undone)
            }
        }
    }

    /// Whether acts come by their heights: every history does in at least one of its orders.
    pub(super) fn is_by_height(&self) -> bool {
        self.0.is_sorted_by_key(|deed| deed.height)
    }

    pub(super) fn id(&self, act: usize) -> OpId {
        self.0[act].id
    }

    /// The act as an op.
    pub(super) fn op(&self, deed: &Deed) -> Op {
        let act = match deed.doing {
            Doing::Grant(to) => Act::Grant { to: IDENTITIES[to], can: BOTH.clone() },
            Doing::Revoke(act) => Act::Revoke { grants: [self.id(act)].into(), cut: Cut::new() },
            Doing::Renounce(act) => Act::Renounce { grant: self.id(act), cut: Cut::new() },
            Doing::Reinstate(act) => Act::Reinstate { of: [self.id(act)].into() },
        };
        let mut parents: Vec<OpId> = members(deed.parents).map(|act| self.id(act)).collect();
        parents.sort_unstable();
        let header = Header {
            target: ReplicaId(Hash([0; 32])),
            parents,
            deps: Vec::new(),
            grants: deed.stands.map(|act| self.id(act)).into_iter().collect(),
            act: Some(act),
            author: IDENTITIES[deed.author],
            time: 0,
            payload: None,
        };
        Op::with_id(header, deed.id)
    }
}

impl Deed {
    pub(super) fn height(&self) -> u64 {
        self.height.into()
    }
}

/// All acts of so many.
pub(super) fn all(count: usize) -> Acts {
    ((1_u32 << count) - 1) as Acts
}

pub(super) fn members(set: Acts) -> impl Iterator<Item = usize> {
    (0..MOST).filter(move |act| set >> act & 1 == 1)
}

pub(super) fn contains(set: Acts, act: usize) -> bool {
    set >> act & 1 == 1
}

fn id(first_half: u64, number: usize) -> OpId {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&first_half.to_be_bytes());
    hash[8] = number as u8;
    OpId(Hash(hash))
}

fn first_half(id: OpId) -> u64 {
    u64::from_be_bytes(id.0.0[..8].try_into().unwrap())
}

const SHUFFLED: [u64; MOST] = [5, 1, 7, 3, 0, 6, 4, 2];

/// Made once: making them takes longer than judging.
pub(super) static IDENTITIES: LazyLock<[IdentityId; AUTHORS]> =
    LazyLock::new(|| std::array::from_fn(super::super::identity));
static BOTH: LazyLock<BTreeSet<Capability>> = LazyLock::new(|| can(&ALL));
