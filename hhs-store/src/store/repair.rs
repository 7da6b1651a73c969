//! Repairing a store: its indexes in place, and everything else by saving what is sound into a new one.

use hhs_model::Registry;

use super::check::{self, Checked, Depth, Finding};
use super::{Store, StoreError, reindex};
use crate::backend::Backend;

impl Store {
    /// Forgets all indexes of a store and makes them again, in place: what a check tells as
    /// [`Severity::Index`](super::Severity::Index). Nobody may have the store open. If it is interrupted, opening the
    /// store goes on with it.
    ///
    /// # Errors
    /// If what is indexed is damaged itself, or the backend fails.
    pub async fn rebuild_indexes(backend: &dyn Backend) -> Result<(), StoreError> {
        reindex::rebuild(backend).await
    }

    /// As [`check`](Self::check), for what may be too damaged to be opened.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn check_backend(
        backend: &dyn Backend,
        registry: &Registry,
        depth: Depth,
        found: impl FnMut(Finding) + Send,
    ) -> Result<Checked, StoreError> {
        check::check(backend, registry, depth, found).await
    }
}
