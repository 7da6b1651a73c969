//! The arrangement of a list in a checkpoint: its ops with their events, which are gone through again when it is loaded.

use hhs_model::class::{LoadError, Loader, Saver};
use hhs_model::history::SharedPositions;

use super::arrangement::{Arrangement, NONE, Slot};
use super::records::{Event, EventKind, Record, Status};
use super::siblings::Side;
use super::tree::number;

const DAMAGED: LoadError = LoadError::Damaged("the arrangement of a list");

impl Arrangement {
    pub(super) fn save(&self, saver: &mut Saver) {
        self.hidden.save_since(&SharedPositions::EMPTY, saver);
        saver.uint(self.records.len() as u64);
        for (at, record) in self.records.iter().enumerate() {
            let status = match record.status {
                Status::Absent => 0,
                Status::Hidden => 1,
                Status::Effective => 2,
            };
            saver.uint(record.position).uint(record.height).op(&record.id);
            saver.uint(status << 1 | u64::from(record.effective));
            let events = self.events_of(at);
            saver.uint(events.len() as u64);
            self.events[events].iter().for_each(|event| self.save_event(event, saver));
        }
    }

    fn save_event(&self, event: &Event, saver: &mut Saver) {
        saver.uint(event.index.into());
        match event.kind {
            EventKind::Take => _ = saver.uint(0).uint(event.slot.into()),
            EventKind::Write => _ = saver.uint(1).uint(event.slot.into()),
            EventKind::Place => {
                let slot = &self.slots[event.slot as usize];
                let flags = [slot.birth, slot.side == Side::Right, slot.was_shown()];
                let flags = flags.iter().fold(0, |flags, flag| flags << 1 | u64::from(*flag));
                saver.uint(2 + flags).uint(slot.number.into()).uint(slot.element.into()).uint(slot.parent.into());
                saver.uint(slot.right.into());
            }
        }
    }

    pub(super) fn load(loader: &mut Loader<'_>, rests_on_first: bool) -> Result<Self, LoadError> {
        let mut arrangement = Self::default();
        arrangement.rests_on_first = rests_on_first;
        arrangement.hidden = SharedPositions::load_since(&SharedPositions::EMPTY, loader, u64::MAX)?;
        for _ in 0..loader.count(36)? {
            arrangement.load_record(loader)?;
        }
        // What is seen is what the last op's author saw.
        arrangement.version.extend(arrangement.records.last().map(|record| record.position));
        Ok(arrangement)
    }

    fn load_record(&mut self, loader: &mut Loader<'_>) -> Result<(), LoadError> {
        let (position, height, id, state) = (loader.position_from(0)?, loader.uint()?, loader.op()?, loader.uint()?);
        if self.records.last().is_some_and(|last| last.position >= position) {
            return Err(DAMAGED);
        }
        let status = match state >> 1 {
            0 => Status::Absent,
            1 => Status::Hidden,
            2 => Status::Effective,
            _ => return Err(DAMAGED),
        };
        let effective = state & 1 == 1;
        self.restore(Record { position, height, id, effective, status, events: number(self.events.len()) });
        let mut last = 0;
        for _ in 0..loader.count(3)? {
            let index = load_number(loader)?;
            if index < last {
                return Err(DAMAGED);
            }
            last = index;
            let event = self.load_event(index, loader)?;
            self.events.push(event.0);
            self.note(event.0, Status::Absent, status);
            if event.1 && effective {
                self.show(event.0);
            }
        }
        Ok(())
    }

    /// An event, and whether it counts for what is shown if its op is effective.
    fn load_event(&mut self, index: u32, loader: &mut Loader<'_>) -> Result<(Event, bool), LoadError> {
        let kind = loader.uint()?;
        if kind < 2 {
            let slot = load_number(loader)?;
            if slot == 0 || slot as usize >= self.slots.len() {
                return Err(DAMAGED);
            }
            let kind = if kind == 0 { EventKind::Take } else { EventKind::Write };
            return Ok((Event { index, slot, kind }, true));
        }
        let flags = kind - 2;
        let [number_in, element, parent, right] =
            [load_number(loader)?, load_number(loader)?, load_number(loader)?, load_number(loader)?];
        let is_there = |slot: u32| (slot as usize) < self.slots.len();
        if flags > 7
            || element as usize > self.elements.len()
            || !is_there(parent)
            || !(right == NONE || is_there(right))
        {
            return Err(DAMAGED);
        }
        if element as usize == self.elements.len() {
            self.add();
        }
        let name = (number(self.records.len() - 1), index, number_in);
        let side = if flags & 2 == 2 { Side::Right } else { Side::Left };
        let slot = self.integrate(Slot::saved(name, element, flags & 4 == 4, parent, side, right));
        Ok((Event { index, slot, kind: EventKind::Place }, flags & 1 == 1))
    }
}

fn load_number(loader: &mut Loader<'_>) -> Result<u32, LoadError> {
    u32::try_from(loader.uint()?).map_err(|_| DAMAGED)
}
