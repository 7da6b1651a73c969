//! The checkpoint of a text: what is shown comes first, then its history.

use hhs_model::class::{LoadError, Loader, Saver};

use super::Text;
use super::cursor::{Bias, CharId, Cursor, Memo};
use super::inserted::Inserted;
use super::marks::Mark;
use super::snapshot::Snapshot;
use crate::field::Position;
use crate::sequence::history::{History, MAX_CHARS};

impl Text {
    pub(super) fn save_all(&self, saver: &mut Saver) {
        saver.bytes(self.settle().to_string().as_bytes());
        saver.bytes(self.inserted.as_str().as_bytes());
        self.history.save(saver);
        self.remembered(|memo| {
            for len in &memo.lens {
                saver.uint((*len).into());
            }
        });
        saver.uint(self.marks.len() as u64);
        for mark in self.marks.values() {
            mark.position.save(saver);
            save_cursor(saver, &mark.from);
            save_cursor(saver, &mark.to);
            saver.bytes(mark.name.as_bytes()).uint(mark.value.is_some().into());
            if let Some(value) = &mark.value {
                saver.value(value);
            }
        }
    }

    pub(super) fn load_all(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        const NOT_UTF8: LoadError = LoadError::Damaged("a text");
        let mut text = Self::default();
        let rope = std::str::from_utf8(loader.bytes()?).map_err(|_| NOT_UTF8)?.into();
        text.shown = Snapshot { rope }.into();
        let mut inserted = Inserted::default();
        inserted.push(std::str::from_utf8(loader.bytes()?).map_err(|_| NOT_UTF8)?);
        text.inserted = inserted;
        text.history = History::load(loader, text.inserted.len())?;
        let len = |len| {
            u32::try_from(len).ok().filter(|len| *len <= MAX_CHARS).ok_or(LoadError::Damaged("the length of a text"))
        };
        let lens = (0..text.history.len()).map(|_| len(loader.uint()?)).collect::<Result<_, _>>()?;
        text.memo = Memo { lens, ..Memo::default() }.into();
        for _ in 0..loader.count(Position::SAVED_BYTES)? {
            let position = Position::load(loader)?;
            let (from, to) = (load_cursor(loader)?, load_cursor(loader)?);
            let name = std::str::from_utf8(loader.bytes()?).map_err(|_| NOT_UTF8)?.to_owned();
            let value = if loader.uint()? == 0 { None } else { Some(loader.value()?) };
            text.marks.insert(position, Mark { position, from, to, name, value });
        }
        Ok(text)
    }
}

fn save_cursor(saver: &mut Saver, cursor: &Cursor) {
    let behind = u64::from(cursor.bias == Bias::Behind);
    saver.uint(behind | u64::from(cursor.char.is_some()) << 1);
    if let Some(CharId { op, number }) = &cursor.char {
        saver.op(op).uint((*number).into());
    }
}

fn load_cursor(loader: &mut Loader<'_>) -> Result<Cursor, LoadError> {
    let head = loader.uint()?;
    let bias = if head & 1 == 1 { Bias::Behind } else { Bias::Before };
    let number = |number| u32::try_from(number).map_err(|_| LoadError::Damaged("a cursor"));
    let char = match head & 2 {
        0 => None,
        _ => Some(CharId { op: loader.op()?, number: number(loader.uint()?)? }),
    };
    Ok(Cursor { char, bias })
}
