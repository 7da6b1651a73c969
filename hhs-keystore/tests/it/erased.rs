//! Secrets in the memory of a process: there while they are needed, gone when the keystore and its authors are.
//!
//! That process is this test binary again, asked for one test with the file's path in its environment. Its memory is
//! searched from outside, by what Linux shows of it.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

use futures::executor::block_on;
use hhs_keystore::{FileStorage, Passphrase, Policy};
use hhs_model::identity::Domain;
use hhs_model::{Identity, SecretKey, Signer};
use tempfile::tempdir;

use crate::world::{create, encrypted, open};

/// A process opens an encrypted keystore, signs, and closes it. Until then its memory has the seed and the passphrase,
/// afterwards neither.
#[test]
fn secrets_do_not_stay_in_memory() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    let secret = unmasked();
    let mut keystore = create(FileStorage::new(&path), encrypted(&secret), 1);
    let identity = Identity::named(SecretKey::from_seed(&SEED).public_key(), "Ana");
    block_on(keystore.import(identity, &SEED, Policy::peer())).unwrap();

    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["erased::the_process_that_is_searched", "--exact", "--nocapture", "--test-threads=1"]);
    let mut process = command.env(PATH, &path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut found_when = |what: &str| {
        lines.by_ref().map_while(Result::ok).find(|line| line == what).expect("it says how far it is");
        let found = [&SEED[..], secret.as_bytes()].map(|secret| count(process.id(), secret));
        input.write_all(b"\n").unwrap();
        found
    };
    let open = found_when(OPEN);
    assert!(open[0] > 0 && open[1] > 0, "the search finds what is there: {open:?}");
    assert_eq!(found_when(CLOSED), [0, 0]);
    assert!(process.wait().unwrap().success());
}

/// Not a test by itself: the process whose memory the test above searches. Run alone it does nothing.
#[test]
fn the_process_that_is_searched() {
    let Some(path) = env::var_os(PATH) else { return };
    let secret = Passphrase::new(unmasked()).unwrap();
    let keystore = open(FileStorage::new(path), Some(&secret)).unwrap();
    let author = keystore.author(keystore.identities()[0].id).unwrap();
    author.signer().sign(Domain::OP, b"hello").unwrap();
    say(OPEN);
    drop((keystore, author, secret));
    say(CLOSED);
}

fn say(what: &str) {
    // A line of its own: the test runner writes to the same place.
    println!("\n{what}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// How often a process has these bytes in memory that it can write to.
fn count(process: u32, bytes: &[u8]) -> usize {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let writable =
        maps.lines().filter(|line| line.split_whitespace().nth(1).is_some_and(|mode| mode.starts_with("rw")));
    writable
        .map(|line| {
            let (start, rest) = line.split_once('-').unwrap();
            let number = |digits: &str| u64::from_str_radix(digits, 16).unwrap();
            let (start, end) = (number(start), number(rest.split(' ').next().unwrap()));
            let mut content = vec![0; (end - start) as usize];
            // The kernel's own pages among them cannot be read.
            let read = memory.read_at(&mut content, start).unwrap_or(0);
            content[..read].windows(bytes.len()).filter(|window| window == &bytes).count()
        })
        .sum()
}

/// The passphrase, which the program's own bytes do not show.
fn unmasked() -> String {
    String::from_utf8(MASKED.iter().map(|byte| byte ^ 0x15).collect()).unwrap()
}

const MASKED: &[u8; 19] = b"bp5tgp5avp5atp5yepx";
const SEED: [u8; 32] = *b"\x9b\x0c this seed is searched for  \x03\xf1";
const PATH: &str = "HHS_KEYSTORE_THAT_IS_SEARCHED";
const OPEN: &str = "the keystore is open";
const CLOSED: &str = "the keystore is closed";
