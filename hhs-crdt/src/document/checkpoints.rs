//! Saved states at a few positions: close together near the end, and further and further apart before.

use hhs_model::authority::Authority;
use hhs_model::class::Replica;
use hhs_model::replay::Replay;

/// What going back needs. Without one it begins at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Checkpoints {
    /// By how many ops were applied, ascending.
    saved: Vec<(u64, Vec<u8>)>,
}

impl Checkpoints {
    /// Saves the state if enough ops have come since it was saved last: so many that saving costs little beside applying them.
    pub(super) fn consider<R: Replica>(&mut self, replay: &Replay<R>) {
        let applied = replay.applied();
        let due = self
            .saved
            .last()
            .map_or(LEAST_OPS, |(last, bytes)| last + LEAST_OPS.max(bytes.len() as u64 / BYTES_PER_OP));
        if applied < due {
            return;
        }
        self.save(replay);
    }

    /// Saves the state.
    pub(super) fn save<R: Replica>(&mut self, replay: &Replay<R>) {
        let applied = replay.applied();
        self.saved.retain(|(at, _)| *at < applied);
        self.saved.push((applied, replay.save()));
        self.thin_out(applied);
    }

    /// Drops what stands closer to its neighbours than it has to, for how far it is from the end.
    fn thin_out(&mut self, end: u64) {
        let mut at = self.saved.len().saturating_sub(2);
        while at > 0 {
            let gap = self.saved[at + 1].0 - self.saved[at - 1].0;
            if gap < end - self.saved[at].0 {
                self.saved.remove(at);
            }
            at -= 1;
        }
    }

    /// The latest state from before an op whose verdict has changed. Those after it are of no use any more.
    pub(super) fn before<R: Replica>(&mut self, outdated: u64, authority: &Authority) -> Option<Replay<R>> {
        while let Some((applied, bytes)) = self.saved.last() {
            if *applied <= outdated
                && let Ok(Some(replay)) = Replay::load(bytes, authority)
            {
                return Some(replay);
            }
            self.saved.pop();
        }
        None
    }

    /// The saved states, the latest first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = &[u8]> {
        self.saved.iter().rev().map(|(_, bytes)| bytes.as_slice())
    }
}

/// Ops between two checkpoints at least. Too low: time for saving; too high: time for going back.
const LEAST_OPS: u64 = 256;
/// So many bytes of a saved state are saved for each op at most.
const BYTES_PER_OP: u64 = 64;
