//! What a library is asked to do.

use std::fmt;
use std::time::{Duration, Instant};

use bench_traces::{Concurrent, Sequential};
use thiserror::Error;

mod automerge;
mod diamond;
mod hhs;
mod loro;
mod yrs;

/// All of them, this project first.
pub fn all() -> Vec<Box<dyn Rival>> {
    vec![
        Box::new(hhs::Hhs),
        Box::new(diamond::DiamondTypes),
        Box::new(loro::Loro),
        Box::new(yrs::Yrs),
        Box::new(automerge::Automerge),
    ]
}

/// Those with such names; all if there are none.
pub fn named(names: &[String]) -> Vec<Box<dyn Rival>> {
    let wanted = |rival: &Box<dyn Rival>| names.is_empty() || names.iter().any(|name| name == rival.name());
    all().into_iter().filter(wanted).collect()
}

/// A library of replicated types. What is not about preparing is timed by the caller, from call to return.
pub trait Rival {
    /// As in the table.
    fn name(&self) -> &'static str;

    /// Of the crate.
    fn version(&self) -> String;

    /// What to know when reading its figures, one sentence each.
    fn notes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Applies every edit as a local author would; the text can be read after each.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>>;

    /// The same in ops of so many edits, each signed by its author.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn typed_signed(&self, _trace: &Sequential, _edits: usize) -> Outcome<Box<dyn Document>> {
        Err(Failure::Lacks("its ops carry no signatures"))
    }

    /// Lets each agent of the trace make its transactions on a replica of its own, which has exactly what the transaction
    /// had seen; ends with everything on the first one.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>>;

    /// Everything that the agents made, as the library would hand it to a replica that has nothing.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>>;

    /// Sets so many keys, then reads how many there are.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn map(&self, keys: &[String]) -> Outcome<Box<dyn Document>>;

    /// Adds so many elements, then reads how many there are.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn set(&self, _elements: &[String]) -> Outcome<Box<dyn Document>> {
        Err(Failure::Lacks("it has no set"))
    }

    /// Counts up so often, then reads the sum.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn counter(&self, increments: usize) -> Outcome<Box<dyn Document>>;

    /// Opens what a [`Document`] of that kind has saved, and reads all of it.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content>;

    /// Two writers append a word each in turn, and each sees the word of the other before it goes on.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn alternating(&self, rounds: usize) -> Outcome<Exchange>;
}

/// What somebody has written.
pub trait Document {
    /// Read out of the document.
    fn content(&self) -> Content;

    /// What is kept of it, and what it is opened from.
    fn saved(&mut self) -> Saved;
}

/// A document at rest.
pub struct Saved {
    /// Of the whole history.
    pub size: usize,
    /// What [`Rival::open`] reads.
    pub opens: Vec<u8>,
}

impl Saved {
    /// Where a document is opened from its history itself.
    fn whole(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len(), opens: bytes }
    }
}

/// A complete history on its way to a replica that has nothing.
pub trait Ops {
    /// Takes all in, and reads the text.
    ///
    /// # Errors
    ///
    /// When the library cannot do it, or does not do it right.
    fn merged(&self) -> Outcome<String>;
}

/// What can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A map of integers.
    Map,
    /// A set of texts.
    Set,
    /// A counter.
    Counter,
}

/// What was read out of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of a text.
    Text(String),
    /// How many entries a map or a set has.
    Entries(usize),
    /// Where a counter stands.
    Number(i64),
}

/// How two writers ended.
pub struct Exchange {
    /// What each of them reads.
    pub texts: [String; 2],
    /// What went from one to the other, in all.
    pub bytes: usize,
}

/// Why there is no figure.
#[derive(Debug, Clone, Error)]
pub enum Failure {
    /// The library has no such thing.
    #[error("{0}")]
    Lacks(&'static str),
    /// It takes too long.
    #[error("given up after {seconds} s, at {done} of {of}")]
    Slow {
        /// How long it was let run.
        seconds: u64,
        /// How far it came.
        done: usize,
        /// How far it had to go.
        of: usize,
    },
    /// It gave an error.
    #[error("it failed: {0}")]
    Broke(String),
    /// It gave something else than the trace says.
    #[error("it ends with another content")]
    Disagrees,
}

/// Of what a rival does.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    fn broke(error: impl fmt::Display) -> Self {
        Self::Broke(error.to_string())
    }
}

/// Ends work that would take minutes.
struct Patience {
    start: Instant,
}

impl Patience {
    const SECONDS: u64 = 10;

    fn begin() -> Self {
        Self { start: bench_harness::now() }
    }

    /// # Errors
    ///
    /// Once it is too late; the clock is looked at now and then.
    fn check(&self, done: usize, of: usize) -> Outcome<()> {
        if done.is_multiple_of(1_000) && self.start.elapsed() > Duration::from_secs(Self::SECONDS) {
            return Err(Failure::Slow { seconds: Self::SECONDS, done, of });
        }
        Ok(())
    }
}

/// The word that a writer appends in a round; writers alternate.
pub(crate) fn word(round: usize) -> String {
    format!("word{round} ")
}

/// The version of a crate that this program was built with.
fn locked(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"'));
    version.map_or_else(|| "?".to_owned(), |(version, _)| version.to_owned())
}
