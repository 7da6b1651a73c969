//! Which ops had no effect in what an author saw: void as judged from the acts in the author's past.
//!
//! Who goes along a history asks for one past after the other, most of them a little more than the one before. So what was worked out for
//! one is taken along to the next, and only the ops are judged again whose verdict can have changed by what lies between.

use std::collections::BTreeSet;

use super::standings::Standings;
use crate::authority::{Authority, Seen, Vantage};
use crate::history::SharedPositions;

/// What was hidden from whom, of the last few whom ops were by: authors who have seen the same acts saw the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden {
    /// The one asked for last stands last.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    vantage: Vantage,
    hidden: SharedPositions,
    /// The ops below were judged.
    end: u64,
}

impl Hidden {
    /// What is hidden from who has seen no act that withdraws anything.
    pub(super) const NOTHING: &'static SharedPositions = &SharedPositions::EMPTY;

    /// What is hidden from who has seen `seen`, of the first `end` ops and of no others. Ops that are not in that past may be there
    /// or not.
    pub(super) fn from(
        &mut self,
        seen: &Seen,
        standings: &Standings,
        end: u64,
        authority: &Authority,
    ) -> &SharedPositions {
        if !authority.withdraws(seen) {
            return Self::NOTHING;
        }
        self.entries.retain(|entry| !entry.vantage.is_outdated(authority));
        let mut entry = self.nearest(seen, authority).unwrap_or_else(|| Entry::new(seen, standings, end, authority));
        entry.look_from(seen, standings, authority);
        entry.extend(standings, end, authority);
        self.entries.push(entry);
        let last = self.entries.last().expect("one was pushed");
        &last.hidden
    }

    /// An entry to go on from: of this past; or of the most of it; or any. What is far from it stays for who is still there,
    /// if there is room.
    fn nearest(&mut self, seen: &Seen, authority: &Authority) -> Option<Entry> {
        if let Some(same) = self.entries.iter().rposition(|entry| entry.vantage.seen() == seen) {
            return Some(self.entries.remove(same));
        }
        let below = (0..).zip(&self.entries).filter(|(_, entry)| entry.vantage.is_below(authority, seen));
        if let Some((most, _)) = below.max_by_key(|(_, entry)| entry.vantage.len()) {
            return Some(self.entries.remove(most));
        }
        match self.entries.len() {
            MAX_ENTRIES => Some(self.entries.remove(0)),
            _ => self.entries.last().cloned(),
        }
    }
}

impl Entry {
    /// Looks only into groups of ops that stand on what does not stand, and at acts.
    fn new(seen: &Seen, standings: &Standings, end: u64, authority: &Authority) -> Self {
        let (vantage, mut hidden) = (Vantage::new(authority, seen), SharedPositions::EMPTY);
        for (group, grants, acts) in standings.groups() {
            if acts || !vantage.all_stand(authority, grants) {
                let judged = standings.of(group).take_while(|(position, _)| *position < end);
                let void = judged.filter(|(_, stand)| vantage.is_void(authority, (*stand).into()));
                void.for_each(|(position, _)| hidden.flip(position..position + 1));
            }
        }
        Self { vantage, hidden, end }
    }

    fn look_from(&mut self, seen: &Seen, standings: &Standings, authority: &Authority) {
        if self.vantage.seen() == seen {
            return;
        }
        let turned = self.vantage.look_from(authority, seen);
        let on = |(grant, known)| standings.on(grant).iter().flat_map(move |group| standings.of_known(*group, known));
        let stands = turned.stands.iter().flat_map(|(grant, known)| on((grant, known)));
        let acts = turned.acts.iter().filter_map(|act| standings.act(act));
        let judged = stands.chain(acts).filter(|(position, _)| *position < self.end);
        let turned = judged.filter(|(position, stand)| {
            self.vantage.is_void(authority, (*stand).into()) != self.hidden.contains(*position)
        });
        let turned: BTreeSet<u64> = turned.map(|(position, _)| position).collect();
        turned.into_iter().for_each(|position| self.hidden.flip(position..position + 1));
    }

    fn extend(&mut self, standings: &Standings, end: u64, authority: &Authority) {
        if self.end < end {
            for (position, stand) in standings.since(self.end).take_while(|(position, _)| *position < end) {
                if self.vantage.is_void(authority, stand.into()) {
                    self.hidden.flip(position..position + 1);
                }
            }
            self.end = end;
        }
    }
}

/// Authors who saw different things and write in turn. Too low: each is come to from far away; too high: memory.
const MAX_ENTRIES: usize = 16;
