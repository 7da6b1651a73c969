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

/// From a place on some characters are gone, and others have come.
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) deleted: usize,
    pub(super) inserted: usize,
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

    /// Reports the marks of the characters that an op has just inserted by one of its mutations. All marks are looked at.
    pub(super) fn report_inserted(&self, at: At<'_>, changes: &mut Changes) {
        let number = self.history.number_at(at.op.position, at.index);
        let Some(number) = number.filter(|_| changes.is_watched() && !self.marks.is_empty()) else { return };
        let chars = self.history.chars_of(number);
        let shown: Vec<Range<usize>> = self.walked(|walk| {
            let runs = walk.runs(chars).filter(|(_, item)| item.is_shown());
            let range = |(run, _): (Range<u32>, _)| {
                let (at, _) = walk.shown_at(run.start)?;
                Some(at as usize..at as usize + run.len())
            };
            runs.filter_map(range).collect()
        });
        let spans = if shown.is_empty() { Vec::new() } else { self.spans() };
        for (range, span) in shown.iter().flat_map(|range| spans.iter().map(move |span| (range, span))) {
            let (from, to) = (range.start.max(span.range.start) as u64, range.end.min(span.range.end) as u64);
            for (name, value) in span.marks.iter().filter(|_| from < to) {
                changes.report(|| Action::Marked { from, to, name: name.clone(), value: Some(value.clone()) });
            }
        }
    }

    /// Reports what is marked otherwise in a newer state, which reads otherwise in one place.
    pub(super) fn diff_marks(&self, newer: &Self, place: &Splice, changes: &mut Changes) {
        let old: Vec<Span> = self.spans().into_iter().flat_map(|span| place.moved(span)).collect();
        let new = newer.spans();
        let ends: BTreeSet<usize> =
            old.iter().chain(&new).flat_map(|span| [span.range.start, span.range.end]).collect();
        for (from, to) in ends.iter().zip(ends.iter().skip(1)) {
            let (was, is) = (marks_at(&old, *from), marks_at(&new, *from));
            for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
                let (from, to, name, value) = (*from as u64, *to as u64, name, is.get(name));
                if was.get(name) != value {
                    changes.report(|| Action::Marked { from, to, name: name.clone(), value: value.cloned() });
                }
            }
        }
    }

    /// Where a mark holds, unless it covers nothing.
    pub(super) fn place(&self, mark: &Mark) -> Option<Range<usize>> {
        let range = self.position_of(&mark.from)?..self.position_of(&mark.to)?;
        Some(range).filter(|range| range.start < range.end)
    }
}

impl Splice {
    /// Where a stretch is afterwards: what stood before the place and what stood behind it.
    fn moved(&self, Span { range, marks }: Span) -> impl Iterator<Item = Span> {
        let Self { at, deleted, inserted } = *self;
        let behind = |place: usize| place.max(at + deleted) - deleted + inserted;
        let ranges = [range.start.min(at)..range.end.min(at), behind(range.start)..behind(range.end)];
        let ranges = ranges.into_iter().filter(|range| !range.is_empty());
        ranges.map(move |range| Span { range, marks: marks.clone() })
    }
}

/// The marks of a character, of stretches in their order.
fn marks_at(spans: &[Span], at: usize) -> &BTreeMap<String, Value> {
    static NONE: BTreeMap<String, Value> = BTreeMap::new();
    let span = spans.get(spans.partition_point(|span| span.range.end <= at));
    span.filter(|span| span.range.start <= at).map_or(&NONE, |span| &span.marks)
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
