//! The steps of `cargo xtask ci`, in the order in which they run: the quick ones that need no compiler's patience first.

use clap::ValueEnum;

use crate::ci::Outcome;
use crate::workspace::Workspace;

mod cargo;
mod postgres;
mod repository;
pub(crate) mod vectors;
mod wasm32;

/// A step by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Step {
    /// Sources are formatted
    Fmt,
    /// No warning from clippy, in any target
    Clippy,
    /// No crate knows one that it must not know
    Law,
    /// ARCHITECTURE.md names every crate and only paths that exist
    Map,
    /// docs/features.md has every row, and the tests that it names exist
    Features,
    /// Headers, sizes, manifests, no ignored tests
    Tidy,
    /// All tests pass, but for those that need a server
    Tests,
    /// Every history of six acts on authority is judged as defined in every order (a minute and more: with `--all`, or by name)
    Authority,
    /// The tests of the backend on PostgreSQL pass, on a server that they start
    Postgres,
    /// Documentation builds without warnings
    Docs,
    /// The golden vectors hold in JavaScript too
    Vectors,
    /// The portable crates compile for wasm32-unknown-unknown
    Wasm32,
}

impl Step {
    /// The name that `--only` takes and reports show.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Law => "law",
            Self::Map => "map",
            Self::Features => "features",
            Self::Tidy => "tidy",
            Self::Tests => "tests",
            Self::Authority => "authority",
            Self::Postgres => "postgres",
            Self::Docs => "docs",
            Self::Vectors => "vectors",
            Self::Wasm32 => "wasm32",
        }
    }

    /// Whether it is left to who asks for it, or for all.
    pub(crate) fn is_long(self) -> bool {
        self == Self::Authority
    }

    /// Does the step's work; what it prints on the way is for people.
    pub(crate) fn run(self, workspace: &Workspace) -> Outcome {
        match self {
            Self::Fmt => cargo::fmt(workspace),
            Self::Clippy => cargo::clippy(workspace),
            Self::Law => repository::law(workspace),
            Self::Map => repository::map(workspace),
            Self::Features => repository::features(workspace),
            Self::Tidy => repository::tidy(workspace),
            Self::Tests => cargo::tests(workspace),
            Self::Authority => cargo::authority(workspace),
            Self::Postgres => postgres::test(workspace),
            Self::Docs => cargo::docs(workspace),
            Self::Vectors => vectors::check(workspace),
            Self::Wasm32 => wasm32::check(workspace),
        }
    }
}
