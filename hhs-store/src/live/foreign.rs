//! What is said in other replicas reaches live ones: who holds what, and what earlier ops are worth.

use hhs_model::authority::Authority;
use hhs_model::class::{Changes, Replica};
use hhs_model::{IdentityId, OpId};

use super::state::{Stale, State};

impl<R: Replica> State<R> {
    /// Takes note that something was said in another replica. Until it is [reviewed](Self::review) nothing is written here.
    pub(super) fn touch(&mut self, op: OpId, author: IdentityId) {
        self.stale = self.stale.or(Some(Stale::Touched(op, author)));
    }

    /// Looks at what was said in other replicas, once that is durable: it may be worth nothing here, or change who holds what; or
    /// the state has to be made anew. What differs is told under the op that said it.
    pub(super) fn review(&mut self, authority: &Authority) {
        let by = match self.stale {
            None => None,
            Some(Stale::Touched(op, author)) => Some((op, author)),
            Some(Stale::Lost | Stale::Judged(..)) => return,
        };
        if by.is_some() {
            self.withdraw(authority);
        }
        if matches!(self.stale, Some(Stale::Lost)) {
            return;
        }
        if self.replay.outdated(authority).is_some() {
            self.stale = Some(by.map_or(Stale::Lost, |(op, author)| Stale::Judged(op, author)));
            return;
        }
        self.stale = None;
        let mut changes = match by.filter(|_| self.feed.is_watched()) {
            Some((op, author)) => Changes::of(op, author),
            None => Changes::unwatched(),
        };
        self.replay.authorise(authority, &mut changes);
        if let Some((op, _)) = by {
            self.feed.add(op, changes.into_vec(), 0);
            self.feed.release(&self.staged);
        }
    }
}
