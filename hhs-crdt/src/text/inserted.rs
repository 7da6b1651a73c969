//! All characters that were ever inserted, by their numbers.

use std::ops::Range;

/// Characters one behind the other, found in constant time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inserted {
    text: String,
    chars: u32,
    /// Where every [`STRIDE`]-th character begins, once one of them has more than a byte.
    strides: Vec<u32>,
}

const STRIDE: u32 = 64;

impl Inserted {
    /// Adds characters.
    pub(super) fn push(&mut self, text: &str) {
        let ascii = text.is_ascii() && self.strides.is_empty();
        if !ascii && self.strides.is_empty() {
            self.strides.extend((0..self.chars).step_by(STRIDE as usize));
        }
        let start = self.text.len();
        self.text.push_str(text);
        if ascii {
            self.chars += text.len() as u32;
            return;
        }
        for (at, _) in text.char_indices() {
            if self.chars.is_multiple_of(STRIDE) {
                self.strides.push((start + at) as u32);
            }
            self.chars += 1;
        }
    }

    /// The characters with some numbers.
    pub(super) fn get(&self, chars: Range<u32>) -> &str {
        let start = self.offset(chars.start);
        let end = if chars.len() < STRIDE as usize { self.behind(start, chars.len()) } else { self.offset(chars.end) };
        &self.text[start..end]
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.chars
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where a character begins; the end for one that is not there.
    fn offset(&self, char: u32) -> usize {
        if self.strides.is_empty() {
            return (char as usize).min(self.text.len());
        }
        match self.strides.get((char / STRIDE) as usize) {
            Some(start) => self.behind(*start as usize, (char % STRIDE) as usize),
            None => self.text.len(),
        }
    }

    /// Where so many characters end.
    fn behind(&self, start: usize, count: usize) -> usize {
        if self.strides.is_empty() {
            return (start + count).min(self.text.len());
        }
        self.text[start..].char_indices().nth(count).map_or(self.text.len(), |(at, _)| start + at)
    }
}
