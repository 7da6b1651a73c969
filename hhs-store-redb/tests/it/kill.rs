//! `kill -9` of a process that writes: what it acknowledged is there.
#![cfg(unix)]

use std::env;
use std::path::Path;
use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use hhs_store::BackendError;
use hhs_store::backend::Backend;
use hhs_store_redb::{Options, RedbBackend};
use tempfile::tempdir;

use crate::numbered;
use crate::process::{self, Process, say};

/// A process commits numbered batches, several at a time, says each number once it is durable, and is killed: twenty
/// times on the same store, some right when it starts, some while it is busy. After each kill all that it acknowledged is
/// there, whole, in order, and nothing in half. While it lives, nobody else gets at the store.
#[test]
fn whatever_was_acknowledged_before_a_kill_is_there_after_it() {
    kill_twenty_times(&Options::default());
}

/// The same with commits that save which pages are free.
#[test]
fn whatever_was_acknowledged_is_there_with_quick_repair_too() {
    kill_twenty_times(&Options { quick_repair: true, ..Options::default() });
}

/// Not a test by itself: the process that the tests above kill. Run alone it makes a few commits in a store of its own.
#[test]
fn the_process_that_is_killed() {
    let options = Options { quick_repair: env::var_os(QUICK_REPAIR).is_some(), ..Options::default() };
    match process::path() {
        Some(path) => write_numbered(&path, &options, u32::MAX, say),
        None => {
            let directory = tempdir().unwrap();
            let path = directory.path().join("store");
            write_numbered(&path, &options, 20, |_| ());
            assert_eq!(numbered::count(&RedbBackend::open(&path).unwrap()).unwrap(), 20);
        }
    }
}

fn kill_twenty_times(options: &Options) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let mut acknowledged = 0;
    // How many batches it may acknowledge before the kill.
    let patience = [0, 0, 1, 2, 0, 3, 5, 4, 1, 8, 13, 0, 2, 21, 34, 6, 3, 55, 89, 40];
    for (round, patience) in patience.into_iter().enumerate() {
        let mut child = Writing::start(&path, options);
        // The first is killed as soon as the file is there, others while they start, most once they have the store open.
        if round == 0 {
            while !path.exists() {
                thread::yield_now();
            }
        } else if round % 4 != 0 {
            child.wait_until_open();
            let refusal = RedbBackend::open(&path).map(drop);
            assert!(matches!(refusal, Err(BackendError::Locked { .. })), "the process has it open: {refusal:?}");
            for _ in 0..patience {
                acknowledged = acknowledged.max(child.wait_for_a_number() + 1);
            }
        }
        acknowledged = acknowledged.max(child.kill());

        let store = RedbBackend::open_with(&path, options).unwrap();
        let found = numbered::count(&store).unwrap();
        assert!(found >= acknowledged, "round {round}: {acknowledged} were acknowledged and {found} are there");
        acknowledged = found;
    }
    assert!(acknowledged > 200, "the processes got to write: {acknowledged}");
}

/// Commits batches from where the store ends to `end`, [`AT_ONCE`] at a time, and says each number once it is durable.
fn write_numbered(path: &Path, options: &Options, end: u32, say: fn(&str)) {
    let store = RedbBackend::open_with(path, options).unwrap();
    let mut next = numbered::count(&store).unwrap();
    say(OPEN);
    while next < end {
        let numbers = next..end.min(next + AT_ONCE);
        next = numbers.end;
        block_on(join_all(numbers.map(|number| {
            let committed = store.commit(numbered::batch(number));
            async move {
                committed.await.unwrap();
                say(&number.to_string());
            }
        })));
    }
}

struct Writing(Process);

impl Writing {
    fn start(path: &Path, options: &Options) -> Self {
        let variables = if options.quick_repair { [(QUICK_REPAIR, "1")].as_slice() } else { &[] };
        Self(Process::start("kill::the_process_that_is_killed", path, variables))
    }

    fn wait_until_open(&mut self) {
        assert_eq!(self.0.next_word().as_deref(), Some(OPEN));
    }

    fn wait_for_a_number(&mut self) -> u32 {
        self.0.next_word().expect("the process goes on").parse().unwrap()
    }

    /// Kills it and reads what it had still said; the number behind the highest.
    fn kill(self) -> u32 {
        // The last word may be cut off, but then it is a shorter number, which was acknowledged too, or none.
        let behind = |word: String| word.parse().map_or(0, |number: u32| number + 1);
        self.0.kill().into_iter().map(behind).max().unwrap_or(0)
    }
}

const QUICK_REPAIR: &str = "HHS_STORE_REDB_KILL_QUICK_REPAIR";
const OPEN: &str = "open";
const AT_ONCE: u32 = 4;
