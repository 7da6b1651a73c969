//! From redb's errors, and its panics, to those of a backend.

use std::error::Error;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use hhs_store::BackendError;

/// A failure of the engine; it can be cloned, because every batch of a group gets it.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    Closed,
    Conflict,
    Corrupted(String),
    Io(&'static str, Arc<dyn Error + Send + Sync>),
}

impl Failure {
    /// What redb failed with while the store was to `action`.
    pub(crate) fn new(action: &'static str, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseClosed => Self::Closed,
            redb::Error::Corrupted(reason) => Self::Corrupted(reason),
            redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Corrupted("the file ends too early".to_owned())
            }
            redb::Error::Io(error) => Self::Io(action, Arc::new(error)),
            error => Self::Io(action, Arc::new(error)),
        }
    }
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed => Self::Closed,
            Failure::Conflict => Self::Conflict,
            Failure::Corrupted(reason) => Self::Corrupted { reason },
            Failure::Io(action, source) => Self::Io { action, source: Box::new(source) },
        }
    }
}

/// Does `work` with the engine and turns a panic of the engine into [`Failure::Corrupted`].
///
/// redb trusts a file that was closed cleanly ("may panic if it was corrupted outside redb", says `Database::open`), and
/// builds with debug assertions panic on most damage, so a bad disk could end the program. Going on after such a panic
/// is sound: redb poisons the transaction that it was in, and refuses to write until the file was opened again.
pub(crate) fn guarded<T, E: From<Failure>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::Corrupted(format!("redb stopped at a page that it could not have written: {text}")).into())
    })
}
