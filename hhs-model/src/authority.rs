//! Authority: who may write, judged from an op's header and its own past, the same for every class.
//!
//! An op is refused if its author never held, in the op's own past, what the replica asks for. That depends on nothing
//! that can change, so every peer refuses the same ops for ever. So far authority is only given: by the genesis and by
//! grants. A judgement costs time in the grants that the op names, not in its history.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{IdentityId, OpId};
use crate::op::{Act, Capability, Founding, Header, Op};

#[cfg(test)]
mod tests;

/// The authority of one replica, as far as it is known here: its founding, and every op that acts on authority.
#[derive(Debug, Clone)]
pub struct Authority {
    founding: Founding,
    acts: Vec<Known>,
    index: BTreeMap<OpId, u32>,
    /// The acts that grant something, by whom they grant it to.
    granted: BTreeMap<IdentityId, Vec<u32>>,
}

/// An op that acts on authority.
#[derive(Debug, Clone)]
struct Known {
    id: OpId,
    act: Act,
    /// Which earlier acts are in its past, a bit each.
    past: Vec<u64>,
}

/// What an op has seen of authority: the acts in its past that have none above them in that past, as numbers in the order
/// in which this store came to know them, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(pub Vec<u32>);

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
}

impl Authority {
    /// The authority that a replica begins with: the roles of its genesis, or for a child those of its root.
    pub fn new(founding: Founding) -> Self {
        Self { founding, acts: Vec::new(), index: BTreeMap::new(), granted: BTreeMap::new() }
    }

    /// What it began with.
    pub fn founding(&self) -> &Founding {
        &self.founding
    }

    /// How many acts are known.
    pub fn len(&self) -> usize {
        self.acts.len()
    }

    /// Whether no act is known.
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    /// The number of an op that acts on authority, if it is known.
    pub fn number_of(&self, op: &OpId) -> Option<u32> {
        self.index.get(op).copied()
    }

    /// Whether `seen` names known acts only. What was read from a damaged record may not, and must not get any further.
    pub fn knows(&self, seen: &Seen) -> bool {
        seen.0.iter().all(|act| (*act as usize) < self.acts.len())
    }

    /// What an op has seen whose parents have seen `parents`.
    ///
    /// # Panics
    /// If one of them is not [known](Self::knows) here.
    pub fn join<'a>(&self, parents: impl IntoIterator<Item = &'a Seen>) -> Seen {
        let mut parents = parents.into_iter();
        let Some(first) = parents.next() else { return Seen::default() };
        let mut all: BTreeSet<u32> = first.0.iter().copied().collect();
        let mut mixed = false;
        for seen in parents {
            if seen != first {
                mixed = true;
                all.extend(&seen.0);
            }
        }
        if !mixed {
            return first.clone();
        }
        // What all of them together have below: one pass, linear in heads × words.
        let mut below = Vec::new();
        for act in &all {
            union(&mut below, &self.acts[*act as usize].past);
        }
        Seen(all.into_iter().filter(|act| !bit(&below, *act)).collect())
    }

    /// Judges an op by its header and by what its parents have seen.
    ///
    /// # Errors
    /// Why it is refused, now and for ever.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn judge(&self, header: &Header, seen: &Seen) -> Result<(), Refusal> {
        let mut held = Vec::with_capacity(header.grants.len());
        for grant in &header.grants {
            let act = self.act_in(grant, seen).ok_or(Refusal::NoSuchGrant(*grant))?;
            let Act::Grant { to, .. } = act;
            if *to != header.author {
                return Err(Refusal::ForeignGrant(*grant));
            }
            held.push(act);
        }
        self.need(header, &held, Capability::WRITE)?;
        match &header.act {
            None => Ok(()),
            Some(Act::Grant { can, .. }) => {
                self.need(header, &held, Capability::GRANT)?;
                can.iter().try_for_each(|capability| self.need(header, &held, capability.as_str()))
            }
        }
    }

    /// Takes note of an op that was judged and is kept, and returns what ops on top of it have seen.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here, or there are 2³² acts already, which no memory holds.
    pub fn add(&mut self, op: &Op, seen: Seen) -> Seen {
        let Some(act) = &op.header().act else { return seen };
        let number = u32::try_from(self.acts.len()).expect("a replica has fewer than 2^32 ops that act on authority");
        let mut past = Vec::new();
        for head in &seen.0 {
            union(&mut past, &self.acts[*head as usize].past);
            set(&mut past, *head);
        }
        let Act::Grant { to, .. } = act;
        self.granted.entry(*to).or_default().push(number);
        self.index.insert(op.id(), number);
        self.acts.push(Known { id: op.id(), act: act.clone(), past });
        Seen(vec![number])
    }

    /// The grants to stand on for who has seen `seen` and wants to use `capabilities`: none if the genesis gives them all,
    /// otherwise few (each is the one that gives the most of what is still missing), `None` if they are not held.
    ///
    /// Costs time in the grants to `author`.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn standing(&self, author: &IdentityId, capabilities: &[&str], seen: &Seen) -> Option<Vec<OpId>> {
        let mut missing: BTreeSet<&str> = capabilities.iter().copied().collect();
        missing.retain(|capability| !self.founding.roles().holds(author, capability));
        let mut grants = BTreeSet::new();
        if missing.is_empty() {
            return Some(Vec::new());
        }
        let held: Vec<&Known> = (self.granted.get(author)?.iter())
            .filter(|number| self.has_seen(seen, **number))
            .map(|number| &self.acts[*number as usize])
            .collect();
        while !missing.is_empty() {
            let worth = |known: &&&Known| missing.iter().filter(|capability| gives(&known.act, capability)).count();
            // Of equal ones the first that was known.
            let best = held.iter().rev().max_by_key(worth).filter(|known| worth(known) > 0)?;
            grants.insert(best.id);
            missing.retain(|capability| !gives(&best.act, capability));
        }
        Some(grants.into_iter().collect())
    }

    fn need(&self, header: &Header, held: &[&Act], capability: &str) -> Result<(), Refusal> {
        if self.founding.roles().holds(&header.author, capability) || held.iter().any(|act| gives(act, capability)) {
            return Ok(());
        }
        Err(Refusal::Standing { author: header.author, capability: capability.to_owned() })
    }

    /// The act of an op, if it is one in the past of what has seen `seen`.
    fn act_in(&self, op: &OpId, seen: &Seen) -> Option<&Act> {
        let number = *self.index.get(op)?;
        self.has_seen(seen, number).then(|| &self.acts[number as usize].act)
    }

    fn has_seen(&self, seen: &Seen, number: u32) -> bool {
        seen.0.iter().any(|head| *head == number || bit(&self.acts[*head as usize].past, number))
    }
}

fn gives(act: &Act, capability: &str) -> bool {
    match act {
        Act::Grant { can, .. } => can.contains(capability),
    }
}

fn bit(bits: &[u64], number: u32) -> bool {
    bits.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

fn set(bits: &mut Vec<u64>, number: u32) {
    let word = number as usize / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (number % 64);
}

fn union(bits: &mut Vec<u64>, other: &[u64]) {
    if bits.len() < other.len() {
        bits.resize(other.len(), 0);
    }
    for (word, more) in bits.iter_mut().zip(other) {
        *word |= more;
    }
}
