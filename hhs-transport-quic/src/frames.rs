//! Messages out of a stream of bytes: a length of four bytes, big-endian, and as many bytes. No I/O: the caller fills
//! the space that it is given.
//!
//! What a length claims is allocated only as bytes arrive: never more than twice what is there, and never for a length
//! over the bound. Each byte is copied twice at most, and moved on average once more as a message grows.

use hhs_mesh::transport::{MAX_MESSAGE_BYTES, TransportError};

/// Reassembles messages.
pub(crate) struct Frames {
    /// Bytes that have arrived and are not yet part of a message; `read..filled` of it is waiting.
    inbox: Box<[u8]>,
    read: usize,
    filled: usize,
    /// A message larger than what the inbox had of it; the inbox is empty while there is one.
    partial: Option<Partial>,
}

struct Partial {
    bytes: Vec<u8>,
    filled: usize,
    length: usize,
}

const LENGTH_BYTES: usize = 4;
/// Many small messages are read at once; larger ones go straight to their place.
const INBOX_BYTES: usize = 16 << 10;
/// What a message gets before it has shown that more will come.
const FIRST_BYTES: usize = 64 << 10;

impl Frames {
    pub(crate) fn new() -> Self {
        Self { inbox: vec![0; INBOX_BYTES].into(), read: 0, filled: 0, partial: None }
    }

    /// A message, if one is complete.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] at a length over the bound, from then on.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        if let Some(partial) = self.partial.take_if(|partial| partial.filled == partial.length) {
            return Ok(Some(partial.bytes));
        }
        let waiting = &self.inbox[self.read..self.filled];
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length);
        let length = match usize::try_from(length) {
            Ok(length) if length <= MAX_MESSAGE_BYTES => length,
            _ => return Err(TransportError::TooLarge(length.into())),
        };
        if let Some(message) = rest.get(..length) {
            self.read += LENGTH_BYTES + length;
            return Ok(Some(message.to_vec()));
        }
        self.partial = Some(Partial { bytes: rest.to_vec(), filled: rest.len(), length });
        (self.read, self.filled) = (0, 0);
        Ok(None)
    }

    /// Where the next bytes belong; never empty after [`next`](Self::next) has returned `None`.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        match &mut self.partial {
            Some(partial) => partial.space(),
            None => {
                self.inbox.copy_within(self.read..self.filled, 0);
                (self.read, self.filled) = (0, self.filled - self.read);
                &mut self.inbox[self.filled..]
            }
        }
    }

    /// So many bytes of the space were filled.
    pub(crate) fn filled(&mut self, count: usize) {
        match &mut self.partial {
            Some(partial) => partial.filled += count,
            None => self.filled += count,
        }
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// If that was inside a message.
    pub(crate) fn end(&self) -> Result<(), TransportError> {
        if self.partial.is_some() || self.read < self.filled {
            return Err(TransportError::Truncated);
        }
        Ok(())
    }
}

impl Partial {
    fn space(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            let target = self.length.min(FIRST_BYTES.max(2 * self.filled));
            self.bytes.reserve_exact(target - self.filled);
            self.bytes.resize(target, 0);
        }
        &mut self.bytes[self.filled..]
    }
}

#[cfg(test)]
mod tests;
