//! What the next op stands on: the effective ops without an effective one above them.

use std::collections::BTreeSet;

use hhs_model::class::Replica;
use hhs_model::history::Graph;
use hhs_model::replay::{Replay, Voided};

use super::held::History;

/// Kept up as ops come, and looked for anew once verdicts have changed.
#[derive(Debug, Clone)]
pub(super) struct Tips(Option<BTreeSet<u64>>);

impl Default for Tips {
    fn default() -> Self {
        Self(Some(BTreeSet::new()))
    }
}

impl Tips {
    /// Verdicts have changed.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// Takes note of the ops from a position on.
    pub(super) fn extend<R: Replica>(&mut self, first: u64, history: &History, replay: &Replay<R>) {
        let graph = history.graph();
        match &mut self.0 {
            Some(tips) => {
                for position in (first..history.len()).filter(|position| !is_void(replay, *position)) {
                    // No tip is below another one, so that only what it stands on directly can be one.
                    for below in effective(graph, replay, graph.parents(position).as_slice()) {
                        tips.remove(&below);
                    }
                    tips.insert(position);
                }
            }
            None => self.0 = Some(find(graph, replay)),
        }
    }

    pub(super) fn of<R: Replica>(&self, history: &History, replay: &Replay<R>) -> Vec<u64> {
        match &self.0 {
            Some(tips) => tips.iter().copied().collect(),
            None => find(history.graph(), replay).into_iter().collect(),
        }
    }
}

fn find<R: Replica>(graph: &Graph, replay: &Replay<R>) -> BTreeSet<u64> {
    graph.heads_of(&effective(graph, replay, graph.heads())).into_iter().collect()
}

/// The first effective ops at and below these, walking down through what is void.
fn effective<R: Replica>(graph: &Graph, replay: &Replay<R>, from: &[u64]) -> Vec<u64> {
    let (mut left, mut looked_at, mut effective) = (from.to_vec(), BTreeSet::new(), Vec::new());
    while let Some(position) = left.pop() {
        if !is_void(replay, position) {
            effective.push(position);
        } else if looked_at.insert(position) {
            left.extend(graph.parents(position).as_slice());
        }
    }
    effective
}

/// What a class cannot make sense of another version of it may: it is built on.
fn is_void<R: Replica>(replay: &Replay<R>, position: u64) -> bool {
    replay.void(position) == Some(Voided::ByAuthority)
}
