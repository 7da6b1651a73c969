//! Where a keystore's bytes lie, as it sees the place: one value that is replaced whole.

#[cfg(not(target_arch = "wasm32"))]
mod file;
mod memory;

use std::io;

use hhs_model::seam;
use zeroize::Zeroizing;

use crate::format::MAX_KEYSTORE_BYTES;

#[cfg(not(target_arch = "wasm32"))]
pub use file::FileStorage;
pub use memory::MemoryStorage;

/// A place for one keystore: a file, memory, a browser's database.
#[seam]
pub trait Storage: Send + Sync + 'static {
    /// What is there, or `None` where nothing is. A keystore calls it once, when it is opened.
    ///
    /// # Errors
    /// If the place cannot be read, or holds more than [`MAX_KEYSTORE_BYTES`]; then it is not read into memory.
    async fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError>;

    /// Puts `new` in the place of `expected`: all of it or, after a crash or an error, nothing or all. When it returns,
    /// `new` survives the loss of power. Comparing and replacing are one step to others who do the same. A keystore calls
    /// it for each change, with what it has last read or written; with `None` when it is made.
    ///
    /// # Errors
    /// [`StorageError::Changed`] if something else than `expected` is there; then it stays. If the place cannot be written,
    /// `expected` or `new` is there.
    async fn replace(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StorageError>;
}

/// Why a place cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// It cannot be read.
    #[error("{place} cannot be read: {source}")]
    Read {
        /// The place.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{place} cannot be written, check the directory and the space on its disk: {source}")]
    Write {
        /// The place.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// It holds more than a keystore has.
    #[error("{0} is larger than a keystore may be, {MAX_KEYSTORE_BYTES} bytes: look whether it is the right one")]
    TooLarge(String),
    /// Somebody else has written.
    #[error("{0} was changed by another program since it was read: open it again")]
    Changed(String),
}
