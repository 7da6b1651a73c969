//! Styles over ranges of a text: bold, a link, a comment.
//!
//! After Peritext (Litt, Lim, Kleppmann, van Hardenberg: "Peritext: A CRDT for Collaborative Rich Text Editing", 2022). A mark holds
//! from one cursor to another, whatever is inserted or deleted between them; for each name and character the latest mark counts, by
//! height, then op id, then place within the op. Which side of a character the cursors stand on says whether what is inserted at the
//! ends of a mark is marked too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hhs_model::OpId;
use hhs_model::class::{Action, Changes};
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder, Value};

use super::Text;
use super::cursor::{Bias, CharId, Cursor};
use crate::field::{At, Position};

/// Whether what is inserted at the ends of a mark later is marked too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expand {
    /// At neither end: a link, a comment.
    Neither,
    /// At the end: bold, italic, what one goes on typing in.
    End,
    /// At the start.
    Start,
    /// At both ends.
    Both,
}

/// A stretch of text all of whose characters are marked alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it stands.
    pub range: Range<usize>,
    /// Its marks, by name.
    pub marks: BTreeMap<String, Value>,
}

/// A mark as an op says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MarkMutation {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) name: String,
    /// None takes marks of this name away.
    pub(super) value: Option<Value>,
}

/// Where a mark ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Beside a character of another op, or at an end of the text.
    At(Cursor),
    /// Beside one that the same op inserts.
    Own { number: u32, bias: Bias },
}

/// A mark as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) position: Position,
    pub(super) from: Cursor,
    pub(super) to: Cursor,
    pub(super) name: String,
    pub(super) value: Option<Value>,
}

/// Bytes of the name of a mark.
pub const MAX_MARK_NAME_BYTES: usize = 256;
/// Marks in the order of all that are looked at behind a new one.
const MAX_LATER: usize = 256;

impl Expand {
    /// On which side of their characters the cursors at the start and at the end stand.
    pub(super) fn biases(self) -> (Bias, Bias) {
        let start = if matches!(self, Self::Start | Self::Both) { Bias::Behind } else { Bias::Before };
        let end = if matches!(self, Self::End | Self::Both) { Bias::Before } else { Bias::Behind };
        (start, end)
    }
}

impl End {
    fn cursor(self, op: OpId) -> Cursor {
        match self {
            Self::At(cursor) => cursor,
            Self::Own { number, bias } => Cursor { char: Some(CharId { op, number }), bias },
        }
    }
}

impl Text {
    /// The marked stretches of the text, from front to back; those without marks are left out.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let placed: Vec<_> = self.marks.values().filter_map(|mark| Some((self.place(mark)?, mark))).collect();
        sweep(&placed, |range, marks| {
            let marks = marks.into_iter().filter_map(|mark| Some((mark.name.clone(), mark.value.clone()?)));
            let marks: BTreeMap<String, Value> = marks.collect();
            match spans.last_mut() {
                Some(last) if last.range.end == range.start && last.marks == marks => last.range.end = range.end,
                _ if marks.is_empty() => {}
                _ => spans.push(Span { range, marks }),
            }
        });
        spans
    }

    pub(super) fn add_mark(&mut self, mark: MarkMutation, at: At<'_>, changes: &mut Changes) {
        let MarkMutation { from, to, name, value } = mark;
        let position = at.position();
        let mark = Mark { position, from: from.cursor(at.op.id), to: to.cursor(at.op.id), name, value };
        if changes.is_watched() {
            self.report_mark(&mark, changes);
        }
        self.marks.insert(position, mark);
    }

    /// Reports where a new mark holds: where no later one of its name does. Of many later ones not all are looked at, so that marking
    /// costs the same however many there are.
    fn report_mark(&self, mark: &Mark, changes: &mut Changes) {
        let later = self.marks.range(mark.position..).take(MAX_LATER).map(|(_, later)| later);
        let later = later.filter(|later| later.name == mark.name);
        let marks: Vec<_> = later.chain([mark]).filter_map(|mark| Some((self.place(mark)?, mark))).collect();
        sweep(&marks, |Range { start, end }, latest| {
            if latest.iter().any(|latest| latest.position == mark.position) {
                let (from, to, name, value) = (start as u64, end as u64, mark.name.clone(), mark.value.clone());
                changes.report(|| Action::Marked { from, to, name, value });
            }
        });
    }

    /// Reports what is marked otherwise in a newer state that reads the same; where the text is another one, all that is marked.
    pub(super) fn diff_marks(&self, newer: &Self, changes: &mut Changes) {
        let (old, new) = (self.spans(), newer.spans());
        if old == new {
            return;
        }
        let end = newer.len();
        let gone = old.iter().flat_map(|span| span.marks.keys().map(|name| (span.range.clone(), name, None)));
        let come =
            new.iter().flat_map(|span| span.marks.iter().map(|(name, value)| (span.range.clone(), name, Some(value))));
        for (range, name, value) in gone.chain(come) {
            let (from, to) = (range.start.min(end) as u64, range.end.min(end) as u64);
            if from < to {
                changes.report(|| Action::Marked { from, to, name: name.clone(), value: value.cloned() });
            }
        }
    }

    /// What makes the marks of a name in a range again what they were before a mutation.
    pub(super) fn undo_mark(&self, at: At<'_>, before: &Self) -> Vec<MarkMutation> {
        let Some(mark) = self.marks.get(&at.position()) else { return Vec::new() };
        let again =
            |from, to, value| MarkMutation { from: End::At(from), to: End::At(to), name: mark.name.clone(), value };
        let mut undone = vec![again(mark.from, mark.to, None)];
        let Some(Range { start, end }) = before.place(mark) else { return undone };
        for span in before.spans() {
            let (from, to) = (span.range.start.max(start), span.range.end.min(end));
            if let Some(value) = span.marks.get(&mark.name).filter(|_| from < to) {
                let from = before.cursor_at(from, mark.from.bias);
                let to = before.cursor_at(to, mark.to.bias);
                undone.push(again(from, to, Some(value.clone())));
            }
        }
        undone
    }

    /// Where a mark holds, unless it covers nothing.
    fn place(&self, mark: &Mark) -> Option<Range<usize>> {
        let range = self.position_of(&mark.from)?..self.position_of(&mark.to)?;
        Some(range).filter(|range| range.start < range.end)
    }
}

/// Goes through a text from front to back, and says for every stretch which mark of each name is the latest there.
fn sweep<'a>(marks: &[(Range<usize>, &'a Mark)], mut visit: impl FnMut(Range<usize>, Vec<&'a Mark>)) {
    let ends = marks
        .iter()
        .enumerate()
        .flat_map(|(number, (range, _))| [(range.start, true, number), (range.end, false, number)]);
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    let mut open: BTreeMap<&str, BTreeSet<(Position, usize)>> = BTreeMap::new();
    let mut from = 0;
    for (at, begins, number) in ends {
        if from < at && !open.is_empty() {
            let latest = open.values().filter_map(|open| open.last());
            visit(from..at, latest.map(|(_, number)| marks[*number].1).collect());
        }
        from = at;
        let mark = marks[number].1;
        let of_name = open.entry(&mark.name).or_default();
        match begins {
            true => of_name.insert((mark.position, number)),
            false => of_name.remove(&(mark.position, number)),
        };
        if of_name.is_empty() {
            open.remove(mark.name.as_str());
        }
    }
}

const SHAPE: DecodeError = DecodeError::Invalid("a mark of a text is not in its one form");

impl Encode for MarkMutation {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(3 + usize::from(self.value.is_some()));
        encoder.key("to").value(&self.to);
        encoder.key("from").value(&self.from);
        encoder.key("name").text(&self.name);
        if let Some(value) = &self.value {
            encoder.key("value").value(value);
        }
    }
}

impl Decode for MarkMutation {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        let valued = map.left() == 4;
        if map.left() != 3 && !valued || map.next_key(decoder)? != Some("to") {
            return Err(SHAPE);
        }
        let to = decoder.value()?;
        if map.next_key(decoder)? != Some("from") {
            return Err(SHAPE);
        }
        let from = decoder.value()?;
        if map.next_key(decoder)? != Some("name") {
            return Err(SHAPE);
        }
        let name = decoder.text()?.to_owned();
        if name.len() > MAX_MARK_NAME_BYTES {
            return Err(DecodeError::Invalid("the name of a mark is too long"));
        }
        if valued && map.next_key(decoder)? != Some("value") {
            return Err(SHAPE);
        }
        let value: Option<Value> = valued.then(|| decoder.value()).transpose()?;
        if value == Some(Value::Null) {
            return Err(DecodeError::Invalid("a mark without a value leaves it out"));
        }
        map.next_key(decoder)?;
        Ok(Self { from, to, name, value })
    }
}

/// `{"behind": …}`, with `"at"` for a character of the same op, and `"op"` too for one of another.
impl Encode for End {
    fn encode(&self, encoder: &mut Encoder) {
        let (op, number, bias) = match self {
            Self::At(Cursor { char: None, bias }) => (None, None, bias),
            Self::At(Cursor { char: Some(CharId { op, number }), bias }) => (Some(op), Some(number), bias),
            Self::Own { number, bias } => (None, Some(number), bias),
        };
        encoder.map(1 + usize::from(number.is_some()) + usize::from(op.is_some()));
        if let Some(number) = number {
            encoder.key("at").uint((*number).into());
        }
        if let Some(op) = op {
            encoder.key("op").value(op);
        }
        encoder.key("behind").bool(*bias == Bias::Behind);
    }
}

impl Decode for End {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        let entries = map.left();
        let number = match entries {
            1 => None,
            2 | 3 if map.next_key(decoder)? == Some("at") => Some(decoder.value::<u32>()?),
            _ => return Err(SHAPE),
        };
        let op = match entries {
            3 if map.next_key(decoder)? == Some("op") => Some(decoder.value::<OpId>()?),
            3 => return Err(SHAPE),
            _ => None,
        };
        if map.next_key(decoder)? != Some("behind") {
            return Err(SHAPE);
        }
        let bias = if decoder.bool()? { Bias::Behind } else { Bias::Before };
        map.next_key(decoder)?;
        Ok(match (op, number) {
            (Some(op), Some(number)) => Self::At(Cursor { char: Some(CharId { op, number }), bias }),
            (None, Some(number)) => Self::Own { number, bias },
            _ => Self::At(Cursor { char: None, bias }),
        })
    }
}
