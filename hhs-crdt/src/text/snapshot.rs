//! What a text reads at one moment, and its positions in other units.

use std::fmt;
use std::ops::Range;

use ropey::Rope;
use unicode_segmentation::{GraphemeCursor, GraphemeIncomplete};

/// A text as it reads at one moment. Cheap to clone: texts share what they have in common.
///
/// Positions count code points (`char`s) from 0. Those beyond the end mean the end.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) rope: Rope,
}

impl Snapshot {
    /// How many code points there are.
    pub fn len(&self) -> usize {
        self.rope.len_chars()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it has in UTF-8.
    pub fn len_utf8(&self) -> usize {
        self.rope.len_bytes()
    }

    /// How many code units it has in UTF-16, which is what JavaScript counts.
    pub fn len_utf16(&self) -> usize {
        self.rope.len_utf16_cu()
    }

    /// The code points from one position to another.
    pub fn slice(&self, range: Range<usize>) -> String {
        let range = self.clamp(range);
        self.rope.slice(range).into()
    }

    /// The code points, from the front.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.rope.chars()
    }

    /// The text in pieces, from the front.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        self.rope.chunks()
    }

    /// The code point at a position.
    pub fn char_at(&self, position: usize) -> Option<char> {
        self.rope.get_char(position)
    }

    /// How many bytes of UTF-8 stand before a position.
    pub fn to_utf8(&self, position: usize) -> usize {
        self.rope.char_to_byte(position.min(self.len()))
    }

    /// The position before which there are so many bytes of UTF-8; amid a code point, that of the code point.
    pub fn from_utf8(&self, bytes: usize) -> usize {
        self.rope.byte_to_char(bytes.min(self.len_utf8()))
    }

    /// How many code units of UTF-16 stand before a position.
    pub fn to_utf16(&self, position: usize) -> usize {
        self.rope.char_to_utf16_cu(position.min(self.len()))
    }

    /// The position before which there are so many code units of UTF-16; amid a code point, that of the code point.
    pub fn from_utf16(&self, units: usize) -> usize {
        self.rope.utf16_cu_to_char(units.min(self.len_utf16()))
    }

    /// The end of the grapheme cluster, what a reader takes for one character, that begins at a position or goes on there.
    pub fn next_grapheme(&self, position: usize) -> usize {
        self.boundary(position, true)
    }

    /// The start of the grapheme cluster that ends at a position or goes on there.
    pub fn previous_grapheme(&self, position: usize) -> usize {
        self.boundary(position, false)
    }

    /// Whether no grapheme cluster goes on at a position.
    pub fn is_grapheme_boundary(&self, position: usize) -> bool {
        let byte = self.to_utf8(position);
        let mut cursor = GraphemeCursor::new(byte, self.len_utf8(), true);
        let (chunk, start, ..) = self.rope.chunk_at_byte(byte);
        loop {
            match cursor.is_boundary(chunk, start) {
                Err(GraphemeIncomplete::PreContext(end)) => self.give_context(&mut cursor, end),
                // Only a malformed question has no answer.
                answer => return answer.unwrap_or(true),
            }
        }
    }

    fn boundary(&self, position: usize, forward: bool) -> usize {
        let byte = self.to_utf8(position);
        let mut cursor = GraphemeCursor::new(byte, self.len_utf8(), true);
        let (mut chunk, mut start, ..) = self.rope.chunk_at_byte(byte);
        loop {
            let answer = match forward {
                true => cursor.next_boundary(chunk, start),
                false => cursor.prev_boundary(chunk, start),
            };
            match answer {
                Ok(Some(boundary)) => return self.from_utf8(boundary),
                Ok(None) | Err(GraphemeIncomplete::InvalidOffset) => return if forward { self.len() } else { 0 },
                Err(GraphemeIncomplete::NextChunk) => (chunk, start, ..) = self.rope.chunk_at_byte(start + chunk.len()),
                Err(GraphemeIncomplete::PrevChunk) => {
                    (chunk, start, ..) = self.rope.chunk_at_byte(start.saturating_sub(1))
                }
                Err(GraphemeIncomplete::PreContext(end)) => self.give_context(&mut cursor, end),
            }
        }
    }

    fn give_context(&self, cursor: &mut GraphemeCursor, end: usize) {
        let (chunk, start, ..) = self.rope.chunk_at_byte(end.saturating_sub(1));
        cursor.provide_context(chunk, start);
    }

    pub(super) fn clamp(&self, range: Range<usize>) -> Range<usize> {
        let end = range.end.min(self.len());
        range.start.min(end)..end
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl PartialEq<str> for Snapshot {
    fn eq(&self, other: &str) -> bool {
        self.rope == *other
    }
}
