//! What ops have seen, by the numbers that acts have in their replicas.

use super::{Authority, Seen};
use crate::id::OpId;

impl Authority {
    /// The number of an op that acts on authority among those of its replica, if it is known.
    pub fn number_of(&self, op: &OpId) -> Option<u32> {
        self.act(op).map(|act| self.known(act).number)
    }

    /// Whether `seen` names known acts only. What was read from a damaged record may not, and must not get any further.
    pub fn knows(&self, seen: &Seen) -> bool {
        let there = |replica: u32, acts: &[u32]| {
            let known = self.replicas[replica as usize].acts.len();
            acts.iter().all(|number| (*number as usize) < known)
        };
        there(0, &seen.own)
            && seen.foreign.iter().all(|(id, acts)| self.replica(id).is_some_and(|replica| there(replica, acts)))
    }

    /// The acts in `seen`, ascending: those of the replica itself and of others.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn acts_in(&self, seen: &Seen) -> Vec<OpId> {
        let mut acts: Vec<OpId> = self.acts_of(seen).into_iter().map(|act| self.known(act).id).collect();
        acts.sort_unstable();
        acts
    }

    /// Whether `seen`, and what is in the past of that, is all that is known here.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn is_all_seen(&self, seen: &Seen) -> bool {
        self.is_all(&self.acts_of(seen))
    }

    /// What an op has seen by depending on an act of another replica; `None` if there is no such act here.
    pub fn dependency(&self, act: &OpId) -> Option<Seen> {
        let act = self.act(act).filter(|act| self.known(*act).replica != 0)?;
        Some(self.seen_of(&[act]))
    }

    /// What an op has seen whose parents and [dependencies](Self::dependency) have seen `parents`.
    ///
    /// # Panics
    /// If one of them is not [known](Self::knows) here.
    pub fn join<'a>(&self, parents: impl IntoIterator<Item = &'a Seen>) -> Seen {
        let mut parents = parents.into_iter();
        let Some(first) = parents.next() else { return Seen::default() };
        let mut acts = Vec::new();
        for seen in parents.filter(|seen| *seen != first) {
            acts.extend(self.acts_of(seen));
        }
        if acts.is_empty() {
            return first.clone();
        }
        acts.extend(self.acts_of(first));
        acts.sort_unstable();
        acts.dedup();
        self.seen_of(&self.ancestry.maximal(&acts))
    }

    /// Whether these acts and their pasts are all that is known.
    pub(super) fn is_all(&self, acts: &[u32]) -> bool {
        acts.len() == self.ancestry.heads().len() && acts.iter().all(|act| self.ancestry.heads().contains(act))
    }

    pub(super) fn acts_of(&self, seen: &Seen) -> Vec<u32> {
        self.acts_seen_in(0, seen)
    }

    /// The acts that an op of a replica has seen, ascending.
    pub(super) fn acts_seen_in(&self, replica: u32, seen: &Seen) -> Vec<u32> {
        let acts = |replica: u32| &self.replicas[replica as usize].acts;
        let mut all: Vec<u32> = seen.own.iter().map(|number| acts(replica)[*number as usize]).collect();
        for (id, numbers) in &seen.foreign {
            let replica = self.replica(id).expect("what was seen is known");
            all.extend(numbers.iter().map(|number| acts(replica)[*number as usize]));
        }
        all.sort_unstable();
        all
    }

    pub(super) fn seen_of(&self, acts: &[u32]) -> Seen {
        let mut seen = Seen::default();
        for known in acts.iter().map(|act| self.known(*act)) {
            match known.replica {
                0 => seen.own.push(known.number),
                other => {
                    let id = self.replicas[other as usize].founding.id();
                    seen.foreign.entry(id).or_default().push(known.number);
                }
            }
        }
        seen
    }
}
