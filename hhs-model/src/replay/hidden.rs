//! Which ops had no effect in what an author saw: void as judged from the acts in the author's past.

use std::collections::BTreeSet;

use super::judge::Past;
use super::standings::Standings;
use crate::authority::{Authority, Seen};
use crate::history::Positions;

/// What was hidden from whom, of the last few whom ops were by: authors who have seen the same acts saw the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden {
    /// The one asked for last stands last.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    past: Past,
    hidden: Positions,
    /// The ops below were judged.
    end: u64,
}

impl Hidden {
    /// What is hidden from who has seen no act that withdraws anything.
    pub(super) const NOTHING: &'static Positions = &Positions::EMPTY;

    /// What is hidden from who has seen `seen`, of the first `end` ops.
    pub(super) fn from(&mut self, seen: &Seen, standings: &Standings, end: u64, authority: &Authority) -> &Positions {
        if !authority.withdraws(seen) {
            return Self::NOTHING;
        }
        let known = self.entries.iter().position(|entry| entry.past.seen == *seen);
        let entry = match known {
            Some(at) => self.entries.remove(at),
            None => Entry::new(seen, standings, end, authority),
        };
        if self.entries.len() == MAX_ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(entry);
        let entry = self.entries.last_mut().expect("one was added");
        entry.extend(standings, end, authority);
        &entry.hidden
    }
}

impl Entry {
    /// Looks only into groups of ops that stand on what does not stand, and at acts.
    fn new(seen: &Seen, standings: &Standings, end: u64, authority: &Authority) -> Self {
        let (mut past, mut hidden) = (Past::new(seen.clone()), BTreeSet::new());
        for (group, grants, acts) in standings.groups() {
            if !acts && past.all_stand(authority, group, grants) {
                continue;
            }
            let void = standings.of(group).filter(|(_, stand)| past.is_void(authority, *stand));
            hidden.extend(void.map(|(position, _)| position));
        }
        Self { past, hidden: hidden.into_iter().collect(), end }
    }

    fn extend(&mut self, standings: &Standings, end: u64, authority: &Authority) {
        if self.end < end {
            for (position, stand) in standings.since(self.end) {
                if self.past.is_void(authority, stand) {
                    self.hidden.push(position);
                }
            }
            self.end = end;
        }
    }
}

/// Authors who saw different things and write in turn. Too low: what each saw is worked out anew for each op; too high: memory.
const MAX_ENTRIES: usize = 16;
