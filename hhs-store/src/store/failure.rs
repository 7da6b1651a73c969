//! The failure of a commit that several writers share: each gets an error of its own.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::backend::BackendError;

/// Why a group was not committed.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Another host came first.
    Conflict,
    Backend(Arc<BackendError>),
}

impl Failure {
    /// An error that says the same.
    pub(super) fn to_error(&self) -> BackendError {
        let Self::Backend(error) = self else { return BackendError::Conflict };
        match &**error {
            BackendError::Locked { place } => BackendError::Locked { place: place.clone() },
            BackendError::NotAStore { place, reason } => {
                BackendError::NotAStore { place: place.clone(), reason: reason.clone() }
            }
            BackendError::Version { place, found, supported } => {
                BackendError::Version { place: place.clone(), found: found.clone(), supported: supported.clone() }
            }
            BackendError::TooLarge { what, size, limit } => BackendError::TooLarge { what, size: *size, limit: *limit },
            BackendError::Conflict => BackendError::Conflict,
            BackendError::Io { action, .. } => {
                BackendError::Io { action, source: Box::new(SharedSource(error.clone())) }
            }
            BackendError::Corrupted { reason } => BackendError::Corrupted { reason: reason.clone() },
            BackendError::Closed => BackendError::Closed,
        }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Conflict => Self::Conflict,
            error => Self::Backend(Arc::new(error)),
        }
    }
}

/// What an engine said, to several writers.
#[derive(Debug)]
struct SharedSource(Arc<BackendError>);

impl SharedSource {
    fn said(&self) -> &(dyn Error + Send + Sync) {
        match &*self.0 {
            BackendError::Io { source, .. } => &**source,
            error => error,
        }
    }
}

impl fmt::Display for SharedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.said(), f)
    }
}

impl Error for SharedSource {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.said().source()
    }
}
