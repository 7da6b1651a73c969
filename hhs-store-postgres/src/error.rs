//! From what the client and the server say to the errors of a backend.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{HookError, PoolError};
use hhs_store::BackendError;
use tokio_postgres::error::{Severity, SqlState};

/// Why one attempt did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What the client or the server said.
    #[error("{}", in_words(.0))]
    Database(tokio_postgres::Error),
    /// Nothing was said.
    #[error("no answer for {0:?}")]
    Silence(Duration),
    /// This backend's row among the writers is gone, because it had not written for very long.
    #[error("the database has forgotten this host")]
    Forgotten,
    /// The backend was closed.
    #[error("the store is closed")]
    Closed,
    /// What the server said makes no sense for a store.
    #[error("{0}")]
    Final(Failure),
}

impl Trouble {
    /// Whether the same may succeed a moment later: the connection was lost, the server restarts, or another transaction
    /// was in the way.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) => match error.code() {
                Some(code) => PASSING.contains(code) || code.code().starts_with("08"),
                None => is_lost(error),
            },
            Self::Silence(_) | Self::Forgotten => true,
            Self::Closed | Self::Final(_) => false,
        }
    }

    /// Whether the server itself has said it, so that it can be reached.
    pub(crate) fn was_said(&self) -> bool {
        matches!(self, Self::Database(error) if error.as_db_error().is_some())
    }

    /// Whether the server has said that the transaction in which it happened is not committed. It has where it reports
    /// an ordinary error; when it ends the session, or nothing comes back, the commit may be done all the same.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let Some(said) = error.as_db_error() else { return false };
        said.parsed_severity() == Some(Severity::Error) && *said.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for Trouble {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => Self::Database(error),
            PoolError::Closed => Self::Closed,
            error => Self::Final(Failure::Io("connect", Arc::new(error))),
        }
    }
}

/// Whether the client lost the connection, or did not get one.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// What the server says when it stops, starts or has no connection left, and when transactions collide.
const PASSING: [SqlState; 7] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::T_R_SERIALIZATION_FAILURE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
];

/// Why an operation failed for good; it can be cloned, because every batch of a group gets it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the store is closed")]
    Closed,
    #[error("a guard does not hold")]
    Conflict,
    #[error("{0}")]
    Corrupted(String),
    #[error("the format is {found}")]
    Version { place: String, found: String, supported: String },
    #[error("the store cannot {0}: {1}")]
    Io(&'static str, Arc<dyn Error + Send + Sync>),
}

impl Failure {
    /// What `trouble` means for somebody who wanted to `action`.
    pub(crate) fn new(action: &'static str, trouble: Trouble) -> Self {
        let code = match &trouble {
            Trouble::Closed => return Self::Closed,
            Trouble::Final(failure) => return failure.clone(),
            Trouble::Database(error) => error.code().cloned(),
            Trouble::Silence(_) | Trouble::Forgotten => None,
        };
        match code {
            Some(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED) => Self::Corrupted(trouble.to_string()),
            Some(SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN) => {
                Self::Corrupted(format!("a table of it was dropped or changed: {trouble}"))
            }
            code => Self::Io(action, Arc::new(Advice { advice: advice(code.as_ref()), trouble })),
        }
    }
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed => Self::Closed,
            Failure::Conflict => Self::Conflict,
            Failure::Corrupted(reason) => Self::Corrupted { reason },
            Failure::Version { place, found, supported } => Self::Version { place, found, supported },
            Failure::Io(action, source) => Self::Io { action, source: Box::new(source) },
        }
    }
}

/// What happened, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{trouble}; {advice}")]
struct Advice {
    advice: &'static str,
    trouble: Trouble,
}

fn advice(code: Option<&SqlState>) -> &'static str {
    match code {
        None => "check that the server runs and that the network reaches it, and try again",
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "check the user and the password in the connection string, and the server's pg_hba.conf"
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => "create that database, or name another one in the connection string",
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "let the role own the schema, or create it with CREATE SCHEMA … AUTHORIZATION"
        }
        Some(&SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY) => "give the server more room, and try again",
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => "connect to the server that takes writes",
        Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => {
            "find out what keeps the server busy or holds its locks (pg_stat_activity), or raise `patience`"
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => "raise the server's max_connections, or lower `readers`",
        Some(_) => "the server's log says more",
    }
}

/// The error with its causes; it never holds the password.
fn in_words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("the server says: {} (SQLSTATE {})", said.message(), said.code().code());
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
