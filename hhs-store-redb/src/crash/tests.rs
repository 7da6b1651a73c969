//! Stores after the power went, and after errors of the disk.

use std::fs;
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::backend::Batch;
use hhs_store::{Depth, Store};

use super::dice::{Dice, factor, seed};
use super::disk::{Disk, Event, Fault, Replay};
use super::oracle::{Batches, Watched, everything, holds, possible};
use super::programs::{self, Run, open_on, run};
use crate::compact::rewrite;
use crate::{Options, RedbBackend};

/// A program writes one batch after the other; the power goes anywhere, also while the store is created or closed.
#[test]
fn batches_of_one_writer_survive_a_loss_of_power() {
    for (number, options) in options().into_iter().enumerate() {
        let mut dice = Dice::new(seed() ^ number as u64);
        let run = run(&options, async |store| programs::batches(&store, 40, &mut dice).await.unwrap());
        crash("batches", &run, &options, 300, &mut dice, |_| ());
    }
}

/// Several writers share transactions: their batches are there in the order in which they were handed over, whole.
#[test]
fn batches_of_several_writers_survive_a_loss_of_power() {
    for (number, options) in options().into_iter().enumerate() {
        let mut dice = Dice::new(seed() ^ (10 + number as u64));
        let run = run(&options, async |store| programs::waves(store, 12, &mut dice).await);
        crash("waves", &run, &options, 200, &mut dice, |_| ());
    }
}

/// Somebody founds replicas, writes messages, saves objects and forgets small things: the store above is as it was after
/// one of its commits, and goes on.
#[test]
fn a_store_with_local_writes_survives_a_loss_of_power() {
    let options = Options::default();
    let mut dice = Dice::new(seed() ^ 20);
    let run = run(&options, async |store| programs::local_writes(store, 60, &mut dice).await);
    crash("local_writes", &run, &options, 500, &mut dice, is_whole);
}

/// Eight tasks write at once.
#[test]
fn a_store_with_several_writers_survives_a_loss_of_power() {
    let options = Options::default();
    let mut dice = Dice::new(seed() ^ 21);
    let run = run(&options, async |store| programs::concurrent_writes(store, 64, &mut dice).await);
    crash("concurrent_writes", &run, &options, 400, &mut dice, is_whole);
}

/// A host takes in the history of somebody else in bundles.
#[test]
fn a_store_that_takes_in_bundles_survives_a_loss_of_power() {
    let options = Options::default();
    let mut dice = Dice::new(seed() ^ 22);
    let run = run(&options, async |store| programs::ingest(store, 20, &mut dice).await);
    crash("ingest", &run, &options, 400, &mut dice, is_whole);
}

/// A compaction has written the new file, and the power goes before anything else is written: all of it is on the disk,
/// so that the new file may take the place of the old one. It takes writes like any other.
#[test]
fn a_compacted_store_survives_a_loss_of_power() {
    let options = Options::default();
    let mut dice = Dice::new(seed() ^ 30);
    let old = open_on(Disk::new(Vec::new()), &options).unwrap();
    block_on(programs::batches(&old, 60, &mut dice)).unwrap();
    let mut all = Batch::new();
    for (key, value) in everything(&old) {
        all.put(key, value);
    }

    let disk = Disk::new(Vec::new());
    disk.note(Event::Begun);
    rewrite(&old.entries().unwrap(), disk.clone(), &options, &mut |_| ()).unwrap();
    disk.note(Event::Acknowledged(0));
    let rewritten = disk.log().len();
    let batches = Batches::new(vec![all].into());
    let inner = open_on(disk.clone(), &options).unwrap();
    let store = Watched { inner, disk: disk.clone(), batches: Arc::clone(&batches) };
    block_on(programs::batches(&store, 20, &mut dice)).unwrap();
    drop(store);
    let run = Run { log: disk.log(), batches: batches.lock().unwrap().clone() };
    let places = (0..400 * factor()).map(|_| rewritten + dice.roll(run.log.len() + 1 - rewritten)).collect();
    crash_at("compacted", &run, &options, places, &mut dice, |_| ());
}

/// The disk reports errors, once, a few times or for ever, with nothing written or half of it; it is full, or broken. What
/// was acknowledged is there when the store is opened again, it takes batches again, and then the power goes as well.
#[test]
fn stores_survive_errors_of_the_disk() {
    let mut dice = Dice::new(seed() ^ 40);
    let (mut hit, mut lost_flushes) = (0, 0);
    for round in 0..240 * factor() {
        let options = &options()[round % 3];
        let fault = Fault {
            after: dice.roll(250),
            times: [1, 3, usize::MAX / 2][dice.roll(3)],
            torn: dice.roll(2) == 0,
            kind: [std::io::ErrorKind::StorageFull, std::io::ErrorKind::Other][dice.roll(2)],
        };
        let disk = Disk::new(Vec::new()).failing(fault);
        let batches = Batches::default();
        let watched = |inner| Watched { inner, disk: disk.clone(), batches: Arc::clone(&batches) };
        let mut failed_open = false;
        match open_on(disk.clone(), options) {
            Ok(inner) => drop(block_on(programs::batches(&watched(inner), 25, &mut dice))),
            Err(_) => failed_open = true,
        }
        hit += usize::from(disk.failed() > 0);
        assert!(!failed_open || disk.failed() > 0, "it opens where nothing fails");

        disk.mend();
        let log = disk.log();
        let name = format!("{fault:?}");
        let places = (0..2).map(|_| dice.roll(log.len() + 1)).collect();
        let run = Run { log, batches: batches.lock().unwrap().clone() };
        crash_at(&name, &run, options, places, &mut dice, |_| ());

        let inner =
            open_on(disk.clone(), options).unwrap_or_else(|error| panic!("{name}, {REPLAY}{}: {error}", seed()));
        let found = holds(&inner, &run.batches, possible(&run.log, run.log.len()));
        batches.lock().unwrap().truncate(found);
        // After a failed flush a store is written anew when it is opened.
        let lost = run.log.iter().any(|event| matches!(event, Event::FailedSync));
        lost_flushes += usize::from(lost);
        let (inner, disk) = if lost { written_anew(&inner, options) } else { (inner, disk) };
        disk.note(Event::Reopened(found));
        let reopened = disk.log().len();
        let watched = Watched { inner, disk: disk.clone(), batches: Arc::clone(&batches) };
        block_on(programs::batches(&watched, 5, &mut dice)).unwrap();
        drop(watched);
        let run = Run { log: disk.log(), batches: batches.lock().unwrap().clone() };
        let places = (0..3).map(|_| reopened + dice.roll(run.log.len() + 1 - reopened)).collect();
        crash_at(&name, &run, options, places, &mut dice, |_| ());
    }
    assert!(lost_flushes > 20, "some faults hit a flush: {lost_flushes}");
    assert!(hit > 60, "the faults hit: {hit}");
}

/// The same store on another disk, as opening it after a failed flush leaves it.
fn written_anew(old: &RedbBackend, options: &Options) -> (RedbBackend, Disk) {
    let disk = Disk::new(Vec::new());
    rewrite(&old.entries().unwrap(), disk.clone(), options, &mut |_| ()).unwrap();
    (open_on(disk.clone(), options).unwrap(), disk)
}

/// The tests above are worth something: on a disk that says that it has flushed and has not, they find what is missing.
#[test]
fn a_disk_that_lies_is_found_out() {
    let options = Options::default();
    let mut dice = Dice::new(seed() ^ 50);
    let mut run = run(&options, async |store| programs::batches(&store, 40, &mut dice).await.unwrap());
    let before = run.log.len();
    let mut flushes = 0;
    // The store is created on a disk that is as it should be.
    run.log.retain(|event| {
        flushes += usize::from(matches!(event, Event::Sync));
        flushes < 10 || !matches!(event, Event::Sync)
    });
    assert!(before - run.log.len() > 20, "flushes are gone from the log");
    let crashes = || {
        let mut replay = Replay::new(Vec::new(), &run.log);
        for place in (0..run.log.len()).step_by(10) {
            let recovery = Recovery { options: &options, check: |_| (), possible: possible(&run.log, place) };
            recovery.check(replay.crash_at(place, &mut dice), &run.batches, &mut dice.clone());
        }
    };
    assert!(panic::catch_unwind(AssertUnwindSafe(crashes)).is_err());
}

/// As stores are opened by default, with the free pages saved by every commit, and with so little memory that pages are
/// written before their transaction ends.
fn options() -> [Options; 3] {
    let default = Options::default();
    [default.clone(), Options { quick_repair: true, ..default.clone() }, Options { cache_bytes: 16 << 10, ..default }]
}

/// Lets the power go at so many places of a run.
fn crash(name: &str, run: &Run, options: &Options, count: usize, dice: &mut Dice, check: Check) {
    let places = (0..count * factor()).map(|_| dice.roll(run.log.len() + 1)).collect();
    crash_at(name, run, options, places, dice, check);
}

fn crash_at(name: &str, run: &Run, options: &Options, mut places: Vec<usize>, dice: &mut Dice, check: Check) {
    places.sort_unstable();
    let mut replay = Replay::new(Vec::new(), &run.log);
    for place in places {
        let image = replay.crash_at(place, dice);
        let recovery = Recovery { options, check, possible: possible(&run.log, place) };
        let recovered =
            panic::catch_unwind(AssertUnwindSafe(|| recovery.check(image.clone(), &run.batches, &mut dice.clone())));
        if let Err(panic) = recovered {
            let kept = std::env::temp_dir().join(format!("hhs-crash-{name}-{place}"));
            let kept = fs::write(&kept, image).map_or("nowhere".into(), |()| kept.display().to_string());
            eprintln!(
                "{name}, {options:?}, before event {place} of {}; the disk as it was then: {kept}",
                run.log.len()
            );
            eprintln!("replay with {REPLAY}{} cargo test -p hhs-store-redb {name}", seed());
            panic::resume_unwind(panic);
        }
        dice.next();
    }
}

/// What has to be there after a loss of power, and what is done to see that it is.
struct Recovery<'a> {
    options: &'a Options,
    check: Check,
    possible: RangeInclusive<usize>,
}

impl Recovery<'_> {
    fn check(self, image: Vec<u8>, batches: &[Batch], dice: &mut Dice) {
        let disk = Disk::new(image.clone());
        let store = open_on(disk.clone(), self.options).expect("a store opens after a loss of power");
        let found = holds(&store, batches, self.possible);
        let batches = Batches::new(batches[..found].to_vec().into());
        disk.note(Event::Reopened(found));
        let watched = Watched { inner: store, disk: disk.clone(), batches: Arc::clone(&batches) };
        (self.check)(&watched);
        if dice.roll(3) > 0 {
            return;
        }
        // The power goes again: while the store is opened, while it goes on, or while it is closed.
        block_on(programs::batches(&watched, 2, dice)).unwrap();
        drop(watched);
        let (log, batches) = (disk.log(), batches.lock().unwrap());
        let place = dice.roll(log.len() + 1);
        let possible = match possible(&log, place) {
            // Before it was opened, what was found is all that can be there.
            nothing if *nothing.end() < found => found..=found,
            possible => possible,
        };
        let image = Replay::new(image, &log).crash_at(place, dice);
        let store = open_on(Disk::new(image), self.options).expect("a store opens after a second loss of power");
        holds(&store, &batches, possible);
    }
}

type Check = fn(&Watched<RedbBackend>);

/// The store above opens, and its own check finds every object and op whole and every index in agreement with them.
fn is_whole(backend: &Watched<RedbBackend>) {
    block_on(async {
        let store = Store::open(backend.clone(), Registry::new()).await.unwrap();
        let mut findings = Vec::new();
        let checked = store.check(Depth::Structure, |finding| findings.push(finding)).await.unwrap();
        assert!(checked.is_sound() && findings.is_empty(), "{findings:?}");
    });
}

const REPLAY: &str = "HHS_SEED=";
