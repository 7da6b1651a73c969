//! The simulated disk: a log of all changes, errors on demand, and what is left of it when the power goes.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use redb::StorageBackend;

use super::dice::Dice;

/// What happens to a disk, and what a program says meanwhile.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Write {
        at: usize,
        bytes: Arc<[u8]>,
    },
    SetLen(usize),
    /// A flush that was reported as done.
    Sync,
    /// A flush that failed. What it was to write is read as before, and is never written: so does Linux.
    FailedSync,
    /// The program hands over its next batch.
    Begun,
    /// The program was told that its batch of this number is durable.
    Acknowledged(usize),
    /// After an error the store was opened again, and held so many batches.
    Reopened(usize),
}

/// An error that a disk reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    /// After how many changes.
    pub(super) after: usize,
    /// How many changes fail.
    pub(super) times: usize,
    /// Whether the first half of a write lands that fails.
    pub(super) torn: bool,
    pub(super) kind: io::ErrorKind,
}

/// A disk that remembers all that was done to it. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    closed: bool,
    waiting: usize,
}

#[derive(Debug)]
struct State {
    content: Vec<u8>,
    log: Vec<Event>,
    changes: usize,
    fault: Option<Fault>,
    /// The faults that have hit.
    failed: usize,
}

impl Disk {
    pub(super) fn new(content: Vec<u8>) -> Self {
        let state = State { content, log: Vec::new(), changes: 0, fault: None, failed: 0 };
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::default() }
    }

    /// Holds up all changes, or no longer.
    pub(super) fn hold(&self, hold: bool) {
        self.gate.0.lock().unwrap().closed = hold;
        self.gate.1.notify_all();
    }

    /// Waits until somebody waits to change something.
    pub(super) fn wait_until_it_holds_somebody(&self) {
        let gate = self.gate.0.lock().unwrap();
        drop(self.gate.1.wait_while(gate, |gate| gate.waiting == 0).unwrap());
    }

    fn pass_gate(&self) {
        let mut gate = self.gate.0.lock().unwrap();
        gate.waiting += 1;
        self.gate.1.notify_all();
        gate = self.gate.1.wait_while(gate, |gate| gate.closed).unwrap();
        gate.waiting -= 1;
    }

    pub(super) fn failing(self, fault: Fault) -> Self {
        self.lock().fault = Some(fault);
        self
    }

    pub(super) fn note(&self, event: Event) {
        self.lock().log.push(event);
    }

    pub(super) fn log(&self) -> Vec<Event> {
        self.lock().log.clone()
    }

    /// How many changes have failed.
    pub(super) fn failed(&self) -> usize {
        self.lock().failed
    }

    /// No more errors from now on.
    pub(super) fn mend(&self) {
        self.lock().fault = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Counts a change; the fault that hits it, if any.
    fn change(&mut self) -> Option<Fault> {
        self.changes += 1;
        let hit = self.fault.filter(|fault| (fault.after..fault.after + fault.times).contains(&(self.changes - 1)));
        self.failed += usize::from(hit.is_some());
        hit
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        let event = Event::Write { at, bytes: bytes.into() };
        apply(&mut self.content, &event);
        self.log.push(event);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        let found = state.content.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.pass_gate();
        let mut state = self.lock();
        if let Some(fault) = state.change() {
            return Err(fault.kind.into());
        }
        let event = Event::SetLen(len as usize);
        apply(&mut state.content, &event);
        state.log.push(event);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.pass_gate();
        let mut state = self.lock();
        if let Some(fault) = state.change() {
            state.log.push(Event::FailedSync);
            return Err(fault.kind.into());
        }
        state.log.push(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.pass_gate();
        let mut state = self.lock();
        let fault = state.change();
        match fault {
            None => state.write(offset as usize, data),
            Some(fault) if fault.torn => state.write(offset as usize, &data[..data.len() / 2]),
            Some(_) => {}
        }
        fault.map_or(Ok(()), |fault| Err(fault.kind.into()))
    }
}

/// Walks through a log and says what may be on the disk at any place of it.
pub(super) struct Replay<'a> {
    log: &'a [Event],
    flushed: Vec<u8>,
    /// The changes since the last flush, as far as they have been looked at.
    pending: Range<usize>,
}

impl<'a> Replay<'a> {
    /// Begins with a disk on which all of `content` is flushed.
    pub(super) fn new(content: Vec<u8>, log: &'a [Event]) -> Self {
        Self { log, flushed: content, pending: 0..0 }
    }

    /// What may be on the disk if the power goes before event `place`, which may not lie before the last one.
    pub(super) fn crash_at(&mut self, place: usize, dice: &mut Dice) -> Vec<u8> {
        for at in self.pending.end..place {
            if matches!(self.log[at], Event::Sync) {
                for event in &self.log[self.pending.start..at] {
                    apply(&mut self.flushed, event);
                }
            }
            if matches!(self.log[at], Event::Sync | Event::FailedSync) {
                self.pending.start = at + 1;
            }
        }
        self.pending.end = place;
        let pending: Vec<&Event> = self.log[self.pending.clone()].iter().filter(|event| event.changes()).collect();
        let mut image = self.flushed.clone();
        match dice.roll(8) {
            0 => {}
            1 => pending.iter().for_each(|event| apply(&mut image, event)),
            // In order, and the last one in part.
            2 | 3 => {
                let landed = dice.roll(pending.len() + 1);
                pending[..landed].iter().for_each(|event| apply(&mut image, event));
                if let Some(last) = pending.get(landed) {
                    apply_in_part(&mut image, last, dice);
                }
            }
            // Some, and in whole.
            4 | 5 => dice.some(&pending).iter().for_each(|event| apply(&mut image, event)),
            // All but one, which is what tells a missing order from a kept one.
            6 => {
                let missing = dice.roll(pending.len());
                let landed = pending.iter().enumerate().filter(|(at, _)| *at != missing);
                landed.for_each(|(_, event)| apply(&mut image, event));
            }
            // Some, and any sectors of them.
            _ => dice.some(&pending).iter().for_each(|event| apply_in_part(&mut image, event, dice)),
        }
        image
    }
}

impl Event {
    fn changes(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::SetLen(_))
    }
}

fn apply(content: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write { at, bytes } => write(content, *at, bytes),
        Event::SetLen(length) => content.resize(*length, 0),
        Event::Sync | Event::FailedSync | Event::Begun | Event::Acknowledged(_) | Event::Reopened(_) => {}
    }
}

/// Lets some sectors of a write land: those of its first part, or any.
fn apply_in_part(content: &mut [u8], event: &Event, dice: &mut Dice) {
    let Event::Write { at, bytes } = event else { return };
    let sectors = bytes.len().div_ceil(SECTOR_BYTES);
    let landed: Vec<usize> = match dice.roll(2) {
        0 => (0..dice.roll(sectors + 1)).collect(),
        _ => dice.some(&(0..sectors).collect::<Vec<_>>()),
    };
    for sector in landed {
        let start = sector * SECTOR_BYTES;
        write(content, at + start, &bytes[start..bytes.len().min(start + SECTOR_BYTES)]);
    }
}

/// Writes as far as the file is long: a file grows by its length alone, and the length may not have landed.
fn write(content: &mut [u8], at: usize, bytes: &[u8]) {
    let end = content.len().min(at + bytes.len());
    if at < end {
        content[at..end].copy_from_slice(&bytes[..end - at]);
    }
}

/// What disks write whole or not at all.
const SECTOR_BYTES: usize = 512;
