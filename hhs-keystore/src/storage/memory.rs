//! A keystore in memory: for tests, and for programs that keep the bytes somewhere themselves.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hhs_model::seam;
use zeroize::Zeroizing;

use super::{Storage, StorageError};

/// A [`Storage`] in memory, erased when the last of its clones is dropped. Clones share what is in it.
#[derive(Clone, Default)]
pub struct MemoryStorage(Arc<Mutex<Option<Zeroizing<Vec<u8>>>>>);

impl MemoryStorage {
    /// An empty place.
    pub fn new() -> Self {
        Self::default()
    }

    /// A place that holds these bytes.
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Some(Zeroizing::new(bytes)))))
    }

    /// What it holds.
    pub fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// By hand: what it holds may be plain keys.
impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").finish_non_exhaustive()
    }
}

#[seam]
impl Storage for MemoryStorage {
    async fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        Ok(self.bytes())
    }

    async fn replace(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StorageError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().map(|bytes| bytes.as_slice()) != expected {
            return Err(StorageError::Changed("the keystore in memory".to_owned()));
        }
        *held = Some(Zeroizing::new(new.to_vec()));
        Ok(())
    }
}
