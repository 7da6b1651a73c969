//! What an open store remembers beside what it writes: who watches for objects, and what is being deleted.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::watch::Wakes;
use super::{StoreError, keys};
use crate::backend::{Backend, Limit, Order, prefix_range};

#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) wakes: Wakes,
    hidden: Mutex<Hidden>,
}

#[derive(Debug, Default)]
struct Hidden {
    /// The numbers of replicas that are deleted, while ids of their ops still lead to them. Numbers are not given again.
    replicas: BTreeSet<u32>,
    /// How often a replica or an object was deleted.
    deletions: u64,
}

impl Aside {
    /// What is being deleted in a backend.
    pub(super) async fn read(backend: &dyn Backend) -> Result<Self, StoreError> {
        let aside = Self::default();
        aside.hide_all(backend).await?;
        Ok(aside)
    }

    /// Hides all that is being deleted in a backend.
    pub(super) async fn hide_all(&self, backend: &dyn Backend) -> Result<(), StoreError> {
        let all = Limit { entries: usize::MAX, bytes: usize::MAX };
        let deleting = backend.scan(prefix_range(&[keys::DELETING]), Order::Ascending, all).await?;
        deleting.iter().try_for_each(|(key, _)| {
            self.hide(keys::replica_at(key, 1)?);
            Ok(())
        })
    }

    /// Lets the ops of a replica be found no more.
    pub(super) fn hide(&self, replica: u32) {
        self.hidden().replicas.insert(replica);
    }

    /// Whether the ops of a replica may not be found.
    pub(super) fn hides(&self, replica: u32) -> bool {
        let hidden = self.hidden();
        !hidden.replicas.is_empty() && hidden.replicas.contains(&replica)
    }

    pub(super) fn count_deletion(&self) {
        self.hidden().deletions += 1;
    }

    /// How often something was deleted. If it is the same before something was found and once the writer is locked, then
    /// that is still there.
    pub(super) fn deletions(&self) -> u64 {
        self.hidden().deletions
    }

    fn hidden(&self) -> MutexGuard<'_, Hidden> {
        // No code of ours panics while it holds the lock.
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
