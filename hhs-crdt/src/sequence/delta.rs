//! What an op does to a sequence, in bytes: from front to back, how much stays, how much goes, how much comes.
//!
//! Each edit is `skip · 4 + comes · 2 + goes`, then how many characters go, then how many come; each a LEB128 number, the last two
//! only where they are not 0. `skip` counts what stays since the edit before. Layout: `docs/format.md`, section 7.

use hhs_model::codec::DecodeError;

/// One edit: at a place, some characters go, and others come in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edit {
    /// How many characters stay, from the end of the edit before it in the sequence as that left it.
    pub(crate) skip: u32,
    pub(crate) delete: u32,
    pub(crate) insert: u32,
}

/// The most that an edit may skip, delete or insert.
pub(crate) const MAX_COUNT: u32 = 1 << 29;

const NOT_EDITS: DecodeError = DecodeError::Invalid("the edits of a sequence are not in their one form");

/// Writes edits; those that touch become one.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeltaWriter {
    bytes: Vec<u8>,
    pending: Option<Edit>,
}

impl DeltaWriter {
    /// Adds an edit behind those so far.
    pub(crate) fn push(&mut self, edit: Edit) {
        match &mut self.pending {
            Some(last) if edit.skip == 0 => {
                last.delete += edit.delete;
                last.insert += edit.insert;
            }
            Some(last) if last.delete == 0 && last.insert == 0 => {
                *last = Edit { skip: last.skip + edit.skip, ..edit };
            }
            last => {
                let before = last.replace(edit);
                self.write(before);
            }
        }
    }

    /// The bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let last = self.pending.take();
        self.write(last);
        self.bytes
    }

    fn write(&mut self, edit: Option<Edit>) {
        let Some(Edit { skip, delete, insert }) = edit.filter(|edit| edit.delete > 0 || edit.insert > 0) else {
            return;
        };
        write_number(&mut self.bytes, skip << 2 | u32::from(insert > 0) << 1 | u32::from(delete > 0));
        for count in [delete, insert].into_iter().filter(|count| *count > 0) {
            write_number(&mut self.bytes, count);
        }
    }
}

/// Reads edits from bytes that were [checked](check).
#[derive(Debug, Clone)]
pub(crate) struct Edits<'a> {
    bytes: &'a [u8],
}

impl<'a> Edits<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn read(&mut self) -> Result<Edit, DecodeError> {
        let head = read_number(&mut self.bytes)?;
        let mut count = |there: bool| match there {
            false => Ok(0),
            true => read_number(&mut self.bytes),
        };
        let edit = Edit { delete: count(head & 1 != 0)?, insert: count(head & 2 != 0)?, skip: head >> 2 };
        Ok(edit)
    }
}

impl Iterator for Edits<'_> {
    type Item = Edit;

    fn next(&mut self) -> Option<Edit> {
        if self.bytes.is_empty() { None } else { self.read().ok() }
    }
}

/// Checks that bytes are edits in their one form, and counts how many characters come in all.
///
/// # Errors
/// If they are not.
pub(crate) fn check(bytes: &[u8]) -> Result<u32, DecodeError> {
    let (mut edits, mut inserted, mut first) = (Edits::new(bytes), 0_u32, true);
    while !edits.bytes.is_empty() {
        let head = *edits.bytes.first().ok_or(NOT_EDITS)?;
        let edit = edits.read()?;
        let counts = [(head & 1 != 0, edit.delete), (head & 2 != 0, edit.insert)];
        let right = counts.iter().all(|(there, count)| (*count > 0) == *there && *count <= MAX_COUNT);
        let empty = edit.delete == 0 && edit.insert == 0;
        if !right || empty || edit.skip > MAX_COUNT || (edit.skip == 0 && !first) {
            return Err(NOT_EDITS);
        }
        inserted = inserted.checked_add(edit.insert).filter(|sum| *sum <= MAX_COUNT).ok_or(NOT_EDITS)?;
        first = false;
    }
    if first { Err(NOT_EDITS) } else { Ok(inserted) }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Result<u32, DecodeError> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(NOT_EDITS)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || shift == 0;
            return u32::try_from(number).ok().filter(|_| shortest).ok_or(NOT_EDITS);
        }
    }
    Err(NOT_EDITS)
}
