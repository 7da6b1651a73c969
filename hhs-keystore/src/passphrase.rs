//! Passphrases, and what it costs to turn one into a key: Argon2id (RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

/// A passphrase: erased when dropped, never shown.
///
/// Its UTF-8 bytes count as they are: the same letters in another normal form are another passphrase.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// Why a text is not a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a passphrase has 1 to {MAX_PASSPHRASE_BYTES} bytes: choose another one")]
pub struct PassphraseError;

/// How a keystore is protected where it lies.
#[derive(Debug, Clone)]
pub enum Protection {
    /// Not at all: whoever can read it has the keys.
    Plain,
    /// Encrypted.
    Passphrase {
        /// Under what.
        passphrase: Passphrase,
        /// What each guess costs, and each opening.
        cost: Cost,
    },
}

/// What it costs to try a passphrase, for its owner as for who guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a cost is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{memory_kib} KiB in {passes} passes of {lanes} lanes are outside of what a passphrase may cost: 1 to {MAX_LANES} \
     lanes, 8 KiB for each and at most {MAX_MEMORY_KIB} KiB, at most {MAX_WORK_KIB} KiB in all passes"
)]
pub struct CostError {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// There is not as much memory as the cost asks for.
#[derive(Debug)]
pub(crate) struct NoMemory;

impl Passphrase {
    /// Takes a text; nothing is trimmed.
    ///
    /// # Errors
    /// If it is empty, or longer than a passphrase may be.
    pub fn new(text: impl Into<String>) -> Result<Self, PassphraseError> {
        let text = Zeroizing::new(text.into());
        let fits = (1..=MAX_PASSPHRASE_BYTES).contains(&text.len());
        if fits { Ok(Self(text)) } else { Err(PassphraseError) }
    }

    /// The key that it stands for.
    pub(crate) fn key(&self, cost: Cost, salt: &[u8; SALT]) -> Result<Zeroizing<[u8; KEY]>, NoMemory> {
        let Cost { memory_kib, passes, lanes } = cost;
        let params = Params::new(memory_kib, passes, lanes, Some(KEY)).expect("a cost is within Argon2's bounds");
        let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
        // Reserved first: a machine that has too little says so, and is not aborted.
        memory.try_reserve_exact(params.block_count()).map_err(|_| NoMemory)?;
        memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; KEY]);
        argon2
            .hash_password_into_with_memory(self.0.as_bytes(), salt, &mut *key, &mut memory[..])
            .expect("lengths and memory are as Argon2 wants them");
        Ok(key)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl From<Passphrase> for Protection {
    fn from(passphrase: Passphrase) -> Self {
        Self::Passphrase { passphrase, cost: Cost::RECOMMENDED }
    }
}

impl Cost {
    /// 64 MiB in 3 passes of one lane: the memory and passes of RFC 9106's second choice, for machines of all sizes, and
    /// a fraction of a second on one core. Its four lanes are of no use where one core does the work.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };

    /// A cost of one's own: memory, how many times it is passed over, and in how many lanes that could be computed at a
    /// time. More memory makes guessing dearer than more passes do; a low cost makes it cheap.
    ///
    /// # Errors
    /// If it is more than a keystore may ask of who opens it, or less than Argon2 can do.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        let lanes_fit = lanes >= 1 && lanes <= MAX_LANES;
        let memory_fits = lanes_fit && memory_kib >= 8 * lanes && memory_kib <= MAX_MEMORY_KIB;
        if memory_fits && passes >= 1 && passes <= MAX_WORK_KIB / memory_kib {
            Ok(Self { memory_kib, passes, lanes })
        } else {
            Err(CostError { memory_kib, passes, lanes })
        }
    }

    /// Memory, in KiB.
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// How many times the memory is passed over.
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// In how many lanes.
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Bytes of a salt.
pub(crate) const SALT: usize = 16;
/// Bytes of a passphrase: more than anybody types.
const MAX_PASSPHRASE_BYTES: usize = 1024;
/// 256 MiB: a phone has it.
const MAX_MEMORY_KIB: u32 = 256 << 10;
/// 1 GiB in all passes: about two seconds.
const MAX_WORK_KIB: u32 = 1 << 20;
const MAX_LANES: u32 = 16;
