//! A ledger in a checkpoint: its entries, and what everybody knew of them. The order and the state are made again when they are
//! asked for.

use hhs_model::class::{LoadError, Loader, Saver};

use super::cuts::{Bits, Cuts, EMPTY};
use super::{Ledger, Machine, Written, number};

const DAMAGED: LoadError = LoadError::Damaged("a ledger");

impl<M: Machine> Ledger<M> {
    pub(super) fn save_all(&self, saver: &mut Saver) {
        saver.uint(self.written.len() as u64);
        for (op, position) in self.written.iter().zip(&self.positions) {
            saver.uint(*position).op(&op.id).identity(&op.author).uint(op.time).uint(op.below.into());
            saver.uint(op.entries.len() as u64);
            for (index, entry) in &op.entries {
                saver.uint((*index).into()).value(entry);
            }
        }
        self.cuts.save(saver);
    }

    pub(super) fn load_all(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut ledger = Self::default();
        for _ in 0..loader.count(68)? {
            let position = loader.position_from(0)?;
            if ledger.positions.last().is_some_and(|last| *last >= position) {
                return Err(DAMAGED);
            }
            ledger.positions.push(position);
            let (id, author, time, below) = (loader.op()?, loader.identity()?, loader.uint()?, load_number(loader)?);
            let mut entries = Vec::new();
            for _ in 0..loader.count(2)? {
                entries.push((load_number(loader)?, loader.value()?));
            }
            if entries.is_empty() {
                return Err(DAMAGED);
            }
            ledger.written.push(Written { id, author, time, entries, below });
        }
        ledger.cuts = Cuts::load(loader, ledger.written.len())?;
        // What an op knew was there before it.
        let mut written = (0..).zip(&ledger.written);
        let earlier = |op: usize, below: u32| {
            (below as usize) < ledger.cuts.cuts.len()
                && ledger.cuts.get(below).ends.iter().all(|end| (*end as usize) < op)
        };
        match written.all(|(op, written)| earlier(op, written.below)) {
            true => Ok(ledger),
            false => Err(DAMAGED),
        }
    }
}

impl Cuts {
    fn save(&self, saver: &mut Saver) {
        saver.uint(self.authors.len() as u64);
        for (author, number) in &self.authors {
            saver.identity(author).uint((*number).into());
        }
        saver.uint(self.cuts.len() as u64 - 1);
        for cut in &self.cuts[1..] {
            saver.uint(cut.ends.len() as u64);
            for end in &cut.ends {
                saver.uint((*end).into());
            }
            saver.uint(cut.size.into()).uint(cut.above.into()).uint(cut.vouched.0.len() as u64);
            for word in &cut.vouched.0 {
                saver.uint(*word);
            }
        }
        saver.uint(self.known.len() as u64);
        for (position, cut) in &self.known {
            saver.uint(*position).uint((*cut).into());
        }
        saver.uint(self.next);
    }

    fn load(loader: &mut Loader<'_>, entries: usize) -> Result<Self, LoadError> {
        let mut cuts = Self::default();
        let count = loader.count(33)?;
        for _ in 0..count {
            let (author, at) = (loader.identity()?, load_number(loader)?);
            if at as usize >= count || cuts.authors.insert(author, at).is_some() {
                return Err(DAMAGED);
            }
        }
        for _ in 0..loader.count(4)? {
            cuts.load_cut(loader, entries)?;
        }
        for _ in 0..loader.count(2)? {
            let (position, cut) = (loader.position_from(0)?, load_number(loader)?);
            if cut as usize >= cuts.cuts.len() {
                return Err(DAMAGED);
            }
            cuts.known.insert(position, cut);
        }
        cuts.next = loader.uint()?;
        Ok(cuts)
    }

    fn load_cut(&mut self, loader: &mut Loader<'_>, entries: usize) -> Result<(), LoadError> {
        let mut ends = Vec::new();
        for _ in 0..loader.count(1)? {
            let end = load_number(loader)?;
            if end as usize >= entries || ends.last().is_some_and(|last| *last >= end) {
                return Err(DAMAGED);
            }
            ends.push(end);
        }
        let (size, above) = (load_number(loader)?, load_number(loader)?);
        if above as usize >= self.cuts.len() || size as usize > entries || (above != EMPTY && size == 0) {
            return Err(DAMAGED);
        }
        let cut = self.add(ends, size, above);
        let mut words = Vec::new();
        for _ in 0..loader.count(1)? {
            words.push(loader.uint()?);
        }
        self.cuts[cut as usize].vouched = Bits(words);
        debug_assert_eq!(number(self.cuts.len()), cut + 1);
        Ok(())
    }
}

fn load_number(loader: &mut Loader<'_>) -> Result<u32, LoadError> {
    u32::try_from(loader.uint()?).map_err(|_| DAMAGED)
}
