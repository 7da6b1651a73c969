//! Checkpoints: the state of a replica as bytes, for this device alone.
//!
//! They are a cache: written and read by the same version of a program, and made anew where that fails. So they are compact
//! and not canonical: numbers as LEB128, everything else behind its length.

use crate::codec::{Decode, DecodeError, Encode, decode, encode};
use crate::id::{Hash, IdentityId, OpId};

/// Writes a state.
#[derive(Debug, Clone, Default)]
pub struct Saver {
    bytes: Vec<u8>,
}

/// Reads what a [`Saver`] wrote, and does not trust it.
#[derive(Debug, Clone)]
pub struct Loader<'a> {
    bytes: &'a [u8],
    /// No position is at or above.
    end: u64,
}

/// Why bytes are not a state. It has to be made anew from history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// They end too early.
    #[error("the checkpoint ends too early")]
    Short,
    /// More follows.
    #[error("the checkpoint goes on where it should end")]
    Long,
    /// They are not what was written.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(&'static str),
    /// A value in it cannot be read.
    #[error("a value in the checkpoint cannot be read: {0}")]
    Value(#[from] DecodeError),
}

impl Saver {
    /// Begins with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a number.
    pub fn uint(&mut self, mut number: u64) -> &mut Self {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
        self
    }

    /// Writes a number that can be negative.
    pub fn int(&mut self, number: i64) -> &mut Self {
        self.uint((number << 1 ^ number >> 63) as u64)
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.uint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Writes an op's id.
    pub fn op(&mut self, id: &OpId) -> &mut Self {
        self.bytes.extend_from_slice(id.as_bytes());
        self
    }

    /// Writes an identity's id.
    pub fn identity(&mut self, id: &IdentityId) -> &mut Self {
        self.bytes.extend_from_slice(id.as_bytes());
        self
    }

    /// Writes a value by its canonical bytes; one that has none any more (defaults that were left out can exceed a block) is
    /// written so that it cannot be loaded.
    pub fn value(&mut self, value: &impl Encode) -> &mut Self {
        self.bytes(&encode(value).unwrap_or_default())
    }

    /// Writes `save` so that it can be loaded by itself, or passed over.
    pub fn section(&mut self, save: impl FnOnce(&mut Self)) -> &mut Self {
        let mut section = Self::new();
        save(&mut section);
        self.bytes(&section.bytes)
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> Loader<'a> {
    /// Begins to read.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, end: u64::MAX }
    }

    /// Lets no position pass that is not below `end`: the state is that of so many ops.
    pub fn of_ops(self, end: u64) -> Self {
        Self { end, ..self }
    }

    /// Reads the position of an op in the history, which was written as how far it is from `start`.
    ///
    /// # Errors
    /// If there is none, or the history does not go so far.
    pub fn position_from(&mut self, start: u64) -> Result<u64, LoadError> {
        let position = start.checked_add(self.uint()?).filter(|position| *position < self.end);
        position.ok_or(LoadError::Damaged("a position that no op has"))
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If there is none.
    pub fn uint(&mut self) -> Result<u64, LoadError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(LoadError::Damaged("a number is too large"))
    }

    /// Reads a number that can be negative.
    ///
    /// # Errors
    /// If there is none.
    pub fn int(&mut self) -> Result<i64, LoadError> {
        let number = self.uint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Reads how many items follow, which take at least `bytes` each: more than there can be are refused.
    ///
    /// # Errors
    /// If there is no number, or too few bytes for so many.
    pub fn count(&mut self, bytes: usize) -> Result<usize, LoadError> {
        let count = usize::try_from(self.uint()?).map_err(|_| LoadError::Short)?;
        if count.saturating_mul(bytes.max(1)) > self.bytes.len() {
            return Err(LoadError::Short);
        }
        Ok(count)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// If there are too few.
    pub fn bytes(&mut self) -> Result<&'a [u8], LoadError> {
        let count = self.count(1)?;
        let (bytes, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Ok(bytes)
    }

    /// Reads an op's id.
    ///
    /// # Errors
    /// If there is none.
    pub fn op(&mut self) -> Result<OpId, LoadError> {
        Ok(OpId(Hash(self.array()?)))
    }

    /// Reads an identity's id.
    ///
    /// # Errors
    /// If there is none.
    pub fn identity(&mut self) -> Result<IdentityId, LoadError> {
        Ok(IdentityId(Hash(self.array()?)))
    }

    /// Reads a value.
    ///
    /// # Errors
    /// If there is none of this type.
    pub fn value<T: Decode>(&mut self) -> Result<T, LoadError> {
        Ok(decode(self.bytes()?)?)
    }

    /// What was written as a [section](Saver::section), to be read by itself.
    ///
    /// # Errors
    /// If there are too few bytes.
    pub fn section(&mut self) -> Result<Loader<'a>, LoadError> {
        Ok(Loader::new(self.bytes()?).of_ops(self.end))
    }

    /// Whether all has been read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes sure that all has been read.
    ///
    /// # Errors
    /// If something follows.
    pub fn finish(self) -> Result<(), LoadError> {
        if self.is_empty() { Ok(()) } else { Err(LoadError::Long) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or(LoadError::Short)?;
        self.bytes = rest;
        Ok(*array)
    }
}
