//! Which ops stand on which grants: those whose verdict can change.
//!
//! Ops that stand on the same grants are a group, and those of a group that follow each other a run, so that the room follows
//! how often writers alternate, not what they write. Ops that stand on roles alone and do not act are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::judge::Stand;
use crate::class::{LoadError, Loader, Saver};
use crate::history::SharedPositions;
use crate::id::OpId;

/// The ops that can become void.
#[derive(Debug, Clone, Default)]
pub(super) struct Standings {
    groups: Vec<Group>,
    by_grants: BTreeMap<Vec<OpId>, u32>,
    by_grant: BTreeMap<OpId, Vec<u32>>,
    /// Ascending.
    runs: Vec<Run>,
    /// The ops that act, by their positions and the other way round.
    acts: BTreeMap<u64, OpId>,
    positions: BTreeMap<OpId, u64>,
}

/// Ops that stand on the same grants.
#[derive(Debug, Clone, Default)]
struct Group {
    grants: Vec<OpId>,
    /// Numbers of runs, ascending.
    runs: Vec<u32>,
    acts: bool,
}

#[derive(Debug, Clone)]
struct Run {
    positions: Range<u64>,
    /// Where the authority knows the first of them; the others follow.
    known: u64,
    group: u32,
}

impl Standings {
    /// Takes note of the next op, which the authority knows by the position `known`.
    pub(super) fn push<'a>(&mut self, position: u64, known: u64, grants: &'a [OpId], act: Option<OpId>) -> Stand<'a> {
        let group = self.group_of(grants);
        if let Some(act) = act {
            self.push_act(position, act, group);
        }
        match self.runs.last_mut() {
            Some(run) if run.group == group && run.positions.end == position && run.known_end() == known => {
                run.positions.end += 1;
            }
            _ => self.push_run(Run { positions: position..position + 1, known, group }),
        }
        Stand { grants, position: known, act }
    }

    fn push_run(&mut self, run: Run) {
        let number = u32::try_from(self.runs.len()).expect("there are fewer than 2^32 changes of author");
        self.groups[run.group as usize].runs.push(number);
        self.runs.push(run);
    }

    fn push_act(&mut self, position: u64, act: OpId, group: u32) {
        self.groups[group as usize].acts = true;
        self.acts.insert(position, act);
        self.positions.insert(act, position);
    }

    fn group_of(&mut self, grants: &[OpId]) -> u32 {
        let last = self.runs.last().map(|run| run.group);
        if let Some(last) = last.filter(|last| self.groups[*last as usize].grants == grants) {
            return last;
        }
        match self.by_grants.get(grants) {
            Some(group) => *group,
            None => self.push_group(grants.to_vec()),
        }
    }

    fn push_group(&mut self, grants: Vec<OpId>) -> u32 {
        let group = u32::try_from(self.groups.len()).expect("there are fewer than 2^32 ops that stand on grants");
        for grant in &grants {
            self.by_grant.entry(*grant).or_default().push(group);
        }
        self.by_grants.insert(grants.clone(), group);
        self.groups.push(Group { grants, ..Group::default() });
        group
    }

    /// All groups, with what they stand on, and whether ops in them act.
    pub(super) fn groups(&self) -> impl Iterator<Item = (u32, &[OpId], bool)> {
        (0..).zip(&self.groups).map(|(number, group)| (number, group.grants.as_slice(), group.acts))
    }

    /// The groups that stand on a grant.
    pub(super) fn on<'a>(&'a self, grant: &OpId) -> &'a [u32] {
        self.by_grant.get(grant).map_or(&[], Vec::as_slice)
    }

    /// The ops of a group, ascending.
    pub(super) fn of(&self, group: u32) -> impl Iterator<Item = (u64, Stand<'_>)> {
        let runs = self.groups[group as usize].runs.iter().map(|run| &self.runs[*run as usize]);
        runs.flat_map(|run| self.stands_of(run))
    }

    /// The ops of a group that the authority knows by one of some positions.
    pub(super) fn of_known<'a>(
        &'a self,
        group: u32,
        known: &'a SharedPositions,
    ) -> impl Iterator<Item = (u64, Stand<'a>)> {
        let runs = &self.groups[group as usize].runs;
        let run = |number: &u32| &self.runs[*number as usize];
        let mut at = 0;
        // From where a run and a range meet to where they do again.
        let meetings = std::iter::from_fn(move || {
            loop {
                let range = known.next_range(at)?;
                let first = runs.partition_point(|number| run(number).known_end() <= range.start);
                let run = run(runs.get(first)?);
                at = range.end.min(run.known_end());
                if run.known >= at {
                    at = run.known;
                    continue;
                }
                let skip = range.start.saturating_sub(run.known);
                return Some((run, skip, at - run.known - skip));
            }
        });
        meetings.flat_map(|(run, skip, count)| self.stands_from(run, skip).take(count as usize))
    }

    /// The positions of a group, ascending.
    pub(super) fn positions_of(&self, group: u32) -> impl Iterator<Item = Range<u64>> {
        self.groups[group as usize].runs.iter().map(|run| self.runs[*run as usize].positions.clone())
    }

    /// An op that acts, by its id.
    pub(super) fn act(&self, id: &OpId) -> Option<(u64, Stand<'_>)> {
        self.since(*self.positions.get(id)?).next()
    }

    /// The ops from a position on.
    pub(super) fn since(&self, position: u64) -> impl Iterator<Item = (u64, Stand<'_>)> {
        let at = self.runs.partition_point(|run| run.positions.end <= position);
        self.runs[at..].iter().enumerate().flat_map(move |(index, run)| {
            let skip = if index == 0 { position.saturating_sub(run.positions.start) } else { 0 };
            self.stands_from(run, skip)
        })
    }

    fn stands_of(&self, run: &Run) -> impl Iterator<Item = (u64, Stand<'_>)> + use<'_> {
        self.stands_from(run, 0)
    }

    fn stands_from(&self, run: &Run, skip: u64) -> impl Iterator<Item = (u64, Stand<'_>)> + use<'_> {
        let grants = self.groups[run.group as usize].grants.as_slice();
        let (start, known) = (run.positions.start, run.known);
        (start + skip..run.positions.end).map(move |position| {
            let act = self.acts.get(&position).copied();
            (position, Stand { grants, position: known + (position - start), act })
        })
    }

    /// The groups that can have become void or effective where these grants and acts were affected, and the acts.
    pub(super) fn affected<'a>(&self, ids: impl Iterator<Item = &'a OpId>) -> (BTreeSet<u32>, Vec<OpId>) {
        let (mut groups, mut acts) = (BTreeSet::new(), Vec::new());
        for id in ids {
            groups.extend(self.on(id));
            acts.extend(self.positions.contains_key(id).then_some(*id));
        }
        (groups, acts)
    }

    pub(super) fn save(&self, saver: &mut Saver) {
        saver.uint(self.groups.len() as u64);
        for Group { grants, .. } in &self.groups {
            saver.uint(grants.len() as u64);
            for grant in grants {
                saver.op(grant);
            }
        }
        saver.uint(self.runs.len() as u64);
        let mut end = 0;
        for Run { positions, group, .. } in &self.runs {
            saver.uint(positions.start - end).uint(positions.end - positions.start).uint(u64::from(*group));
            end = positions.end;
        }
        saver.uint(self.acts.len() as u64);
        for (position, id) in &self.acts {
            saver.uint(*position).op(id);
        }
    }

    /// Reads what was saved of a history of `end` ops that the authority knows by the same positions.
    pub(super) fn load(loader: &mut Loader<'_>, end: u64) -> Result<Self, LoadError> {
        let mut standings = Self::default();
        for _ in 0..loader.count(1)? {
            let grants = (0..loader.count(32)?).map(|_| loader.op()).collect::<Result<Vec<_>, _>>()?;
            standings.push_group(grants);
        }
        let mut at = 0_u64;
        for _ in 0..loader.count(3)? {
            let start = at.checked_add(loader.uint()?).ok_or(DAMAGED)?;
            at = start.checked_add(loader.uint()?).filter(|next| *next > start && *next <= end).ok_or(DAMAGED)?;
            let group = u32::try_from(loader.uint()?).map_err(|_| DAMAGED)?;
            standings.groups.get(group as usize).ok_or(DAMAGED)?;
            standings.push_run(Run { positions: start..at, known: start, group });
        }
        for _ in 0..loader.count(33)? {
            let (position, id) = (loader.uint()?, loader.op()?);
            let at = standings.runs.partition_point(|run| run.positions.end <= position);
            let run = standings.runs.get(at).filter(|run| run.positions.start <= position).ok_or(DAMAGED)?;
            let group = run.group;
            standings.push_act(position, id, group);
        }
        Ok(standings)
    }
}

impl Run {
    fn known_end(&self) -> u64 {
        self.known + (self.positions.end - self.positions.start)
    }
}

const DAMAGED: LoadError = LoadError::Damaged("what ops stand on");
