//! What an op has seen of authority, in memory and in few bytes.

use std::collections::BTreeMap;

use crate::codec::{Decode, DecodeError, Decoder, Encode, Encoder};
use crate::id::{Hash, ReplicaId};

/// What an op has seen of authority: the acts in its past that have none above them in that past, as numbers in the order
/// in which this store came to know them, ascending. Each replica counts its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Acts of the replica itself.
    pub own: Vec<u32>,
    /// Acts of the replicas that give it authority; none of them with an empty list.
    pub foreign: BTreeMap<ReplicaId, Vec<u32>>,
}

impl Seen {
    /// What an op on top of an act has seen: that act.
    pub fn act(number: u32) -> Self {
        Self { own: vec![number], foreign: BTreeMap::new() }
    }

    /// Acts of the replica itself, ascending.
    pub fn acts(own: Vec<u32>) -> Self {
        Self { own, foreign: BTreeMap::new() }
    }

    /// Whether it has seen no act at all.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.foreign.is_empty()
    }
}

/// A list of integers: the numbers of acts, if they are few and of the replica itself. Otherwise the first is 2³², and the rest are
/// lists of runs: how many runs, and first number and length of each. The first list is that of the replica itself, each
/// further one stands behind the four quarters of the id of its replica.
impl Encode for Seen {
    fn encode(&self, encoder: &mut Encoder) {
        if self.foreign.is_empty() && (self.own.len() <= FEW || runs(&self.own).len() > self.own.len() / 2) {
            encoder.value(&self.own);
            return;
        }
        let mut numbers = vec![RUNS];
        put_runs(&mut numbers, &self.own);
        for (replica, acts) in &self.foreign {
            let quarters = replica.0.0.chunks_exact(8).map(|bytes| bytes.try_into().map_or(0, u64::from_be_bytes));
            numbers.extend(quarters);
            put_runs(&mut numbers, acts);
        }
        encoder.value(&numbers);
    }
}

impl Decode for Seen {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let numbers: Vec<u64> = decoder.value()?;
        if numbers.first() != Some(&RUNS) {
            let own: Option<Vec<u32>> = numbers.into_iter().map(|number| u32::try_from(number).ok()).collect();
            return own.filter(|own| own.is_sorted_by(|a, b| a < b)).map(Self::acts).ok_or(SHAPE);
        }
        let mut left = &numbers[1..];
        let mut seen = Self::acts(take_runs(&mut left)?);
        while !left.is_empty() {
            let (quarters, rest) = left.split_at_checked(4).ok_or(SHAPE)?;
            left = rest;
            let mut hash = [0; 32];
            for (bytes, quarter) in hash.chunks_exact_mut(8).zip(quarters) {
                bytes.copy_from_slice(&quarter.to_be_bytes());
            }
            let replica = ReplicaId(Hash(hash));
            if seen.foreign.last_key_value().is_some_and(|(last, _)| *last >= replica) {
                return Err(SHAPE);
            }
            seen.foreign.insert(replica, take_runs(&mut left)?);
        }
        Ok(seen)
    }
}

/// Runs of numbers that follow each other: the first, and how many.
fn runs(numbers: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((first, length)) if u64::from(*first) + u64::from(*length) == u64::from(*number) => *length += 1,
            _ => runs.push((*number, 1)),
        }
    }
    runs
}

fn put_runs(numbers: &mut Vec<u64>, acts: &[u32]) {
    let runs = runs(acts);
    numbers.push(runs.len() as u64);
    numbers.extend(runs.iter().flat_map(|(first, length)| [u64::from(*first), u64::from(*length)]));
}

fn take_runs(left: &mut &[u64]) -> Result<Vec<u32>, DecodeError> {
    let (count, rest) = left.split_first().ok_or(SHAPE)?;
    let count = usize::try_from(*count).ok().and_then(|count| count.checked_mul(2)).ok_or(SHAPE)?;
    let (pairs, rest) = rest.split_at_checked(count).ok_or(SHAPE)?;
    *left = rest;
    let mut acts = Vec::new();
    for pair in pairs.chunks_exact(2) {
        let end = pair[0].checked_add(pair[1]).filter(|end| *end <= MOST && pair[1] > 0).ok_or(SHAPE)?;
        let first = u32::try_from(pair[0]).map_err(|_| SHAPE)?;
        if acts.last().is_some_and(|last| *last >= first) {
            return Err(SHAPE);
        }
        acts.extend((pair[0]..end).filter_map(|number| u32::try_from(number).ok()));
    }
    Ok(acts)
}

const SHAPE: DecodeError = DecodeError::Invalid("what an op has seen of authority is not in order");
/// No number of an act.
const RUNS: u64 = 1 << 32;
/// Acts that are listed singly in any case.
const FEW: usize = 16;
/// One more than the greatest number in runs: they take few bytes, and this much memory times four.
const MOST: u64 = 1 << 24;
