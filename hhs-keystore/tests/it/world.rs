//! Randomness and time that are made up, and short ways to make and open keystores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use hhs_keystore::{Cost, Keystore, MemoryStorage, OpenError, Passphrase, Policy, Protection, Storage};
use hhs_model::IdentityId;
use hhs_model::runtime::{BoxFuture, Runtime};
use sha2::{Digest, Sha256};

/// Draws from a counter: a run is like the one before, and no two draws are alike.
pub(crate) struct Drawn(AtomicU64);

/// What `seed` begins.
pub(crate) fn runtime(seed: u64) -> Drawn {
    Drawn(AtomicU64::new(seed << 32))
}

/// The time by every clock.
pub(crate) const NOW: u64 = 1_790_000_000_000;

impl Runtime for Drawn {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn wall_clock_ms(&self) -> u64 {
        NOW
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let hash = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("a keystore waits for nothing")
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) {
        unreachable!("a keystore does nothing in the background")
    }
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

/// Under a passphrase, as cheap as it can be.
pub(crate) fn encrypted(text: &str) -> Protection {
    Protection::Passphrase { passphrase: passphrase(text), cost: Cost::new(8, 1, 1).unwrap() }
}

/// A keystore in memory, plain.
pub(crate) fn in_memory(seed: u64) -> Keystore {
    create(MemoryStorage::new(), Protection::Plain, seed)
}

pub(crate) fn create(storage: impl Storage, protection: Protection, seed: u64) -> Keystore {
    block_on(Keystore::create(storage, protection, runtime(seed))).unwrap()
}

pub(crate) fn open(storage: impl Storage, passphrase: Option<&Passphrase>) -> Result<Keystore, OpenError> {
    block_on(Keystore::open(storage, passphrase, runtime(99)))
}

pub(crate) fn generate(keystore: &mut Keystore, name: &str) -> IdentityId {
    block_on(keystore.generate(name, Policy::peer())).unwrap()
}

/// The bytes of a keystore with Ana and Ben in it.
pub(crate) fn two(protection: Protection) -> Vec<u8> {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), protection, 7);
    generate(&mut keystore, "Ana");
    generate(&mut keystore, "Ben");
    storage.bytes().unwrap().to_vec()
}

pub(crate) fn names(keystore: &Keystore) -> Vec<String> {
    keystore.identities().into_iter().map(|kept| kept.identity.name().unwrap().to_owned()).collect()
}
