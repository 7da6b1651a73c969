//! `kill -9` of a process that changes its keystore: what it has acknowledged is there, and opens.
//!
//! That process is this test binary again, asked for one test with the file's path in its environment.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use hhs_keystore::{FileStorage, Protection};
use tempfile::tempdir;

use crate::world::{create, generate, names, open};

/// A process adds one identity after the other, says each name once that is durable, and is killed twenty times, each
/// time after another number of them.
#[test]
fn a_process_that_is_killed_while_it_writes() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    drop(create(FileStorage::new(&path), Protection::Plain, 1));
    let mut there = 0;
    for patience in [1, 2, 0, 3, 5, 1, 8, 0, 13, 1, 2, 4, 0, 7, 1, 21, 0, 2, 3, 5] {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["kill::the_process_that_is_killed", "--exact", "--nocapture", "--test-threads=1"]);
        let mut process = command.env(PATH, &path).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix(MARK)?.parse::<usize>().ok());
        let mut acknowledged = (0..patience).map(|_| said.next().expect("it goes on")).last();
        process.kill().unwrap();
        process.wait().unwrap();
        acknowledged = said.last().or(acknowledged);

        let found = names(&open(FileStorage::new(&path), None).unwrap());
        assert_eq!(found, (1..=found.len()).map(|number| number.to_string()).collect::<Vec<_>>());
        assert!(found.len() >= there.max(acknowledged.unwrap_or(0)), "{found:?}, and {acknowledged:?} was said");
        there = found.len();
    }
    assert!(there >= 70, "the processes got to write: {there}");
}

/// Not a test by itself: the process that the test above kills. Run alone it does nothing.
#[test]
fn the_process_that_is_killed() {
    let Some(path) = env::var_os(PATH) else { return };
    let mut keystore = open(FileStorage::new(path), None).unwrap();
    for number in keystore.identities().len() + 1.. {
        generate(&mut keystore, &number.to_string());
        let mut out = std::io::stdout().lock();
        // A line of its own: the test runner writes to the same place.
        write!(out, "\n{MARK}{number}\n").and_then(|()| out.flush()).unwrap();
    }
}

const PATH: &str = "HHS_KEYSTORE_THAT_IS_KILLED";
const MARK: &str = "written: ";
