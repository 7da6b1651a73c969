//! Private keys, apart from everything that is shared: identities of somebody, their keys, and what each key may sign.
//!
//! A [`Keystore`] lies in a [`Storage`]: a file, memory, or what a platform has. Its bytes are in `docs/keystore.md`; under
//! a passphrase they are encrypted. What comes out of it is an [`Author`](hhs_model::Author) that signs; keys never do.
//!
//! ```
//! use hhs_keystore::{Keystore, MemoryStorage, Policy, Protection};
//! # use hhs_model::runtime::{BoxFuture, Runtime};
//! # struct Counting(std::sync::atomic::AtomicU8);
//! # impl Runtime for Counting {
//! #     fn elapsed(&self) -> std::time::Duration { std::time::Duration::ZERO }
//! #     fn wall_clock_ms(&self) -> u64 { 0 }
//! #     fn fill_random(&self, bytes: &mut [u8]) {
//! #         bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
//! #     }
//! #     fn sleep(&self, _: std::time::Duration) -> BoxFuture<'static, ()> { Box::pin(async {}) }
//! #     fn spawn(&self, _: BoxFuture<'static, ()>) {}
//! # }
//! # let runtime = Counting(0.into());
//! # futures::executor::block_on(async {
//! let mut keystore = Keystore::create(MemoryStorage::new(), Protection::Plain, runtime).await?;
//! let id = keystore.generate("Ana", Policy::peer()).await?;
//! let ana = keystore.author(id)?;
//! assert_eq!(ana.identity().name(), Some("Ana"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Pure but for [`FileStorage`]: randomness and the clock come in through [`Runtime`](hhs_model::Runtime).

mod error;
mod format;
mod keystore;
mod passphrase;
mod policy;
mod signer;
mod storage;

pub use error::{ChangeError, CreateError, OpenError, UnknownIdentity};
pub use format::{MAX_KEYS, MAX_KEYSTORE_BYTES};
pub use keystore::{KeptIdentity, Keystore};
pub use passphrase::{Cost, CostError, Passphrase, PassphraseError, Protection};
pub use policy::{Policy, PolicyError};
#[cfg(not(target_arch = "wasm32"))]
pub use storage::FileStorage;
pub use storage::{MemoryStorage, Storage, StorageError};
