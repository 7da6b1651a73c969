//! The groups of benchmarks and their bars: the one table to extend.

use clap::ValueEnum;

use super::bar::{Bar, Target};
use super::source::Source;

/// A group by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Canonical bytes, hashes, signatures
    Model,
    /// Backends and the store on top of them
    Store,
    /// Replicated types, and texts against their rivals
    Crdt,
    /// Texts against their rivals; or, with files, traces of editing through a text
    Text,
    /// Op DAGs and their algorithms
    Dag,
    /// A real history from store to store, over QUIC
    Mesh,
    /// Transports against each other
    Transports,
    /// Signalling
    Signal,
    /// The browser
    Web,
    /// Spaces and discovery
    Spaces,
}

/// How a group is measured, and what its figures have to reach.
pub(crate) struct Plan {
    pub(crate) sources: &'static [Source],
    pub(crate) bars: Vec<Bar>,
}

impl Group {
    /// `None` as long as the group has no bars.
    pub(crate) fn plan(self) -> Option<Plan> {
        let (sources, bars): (&[Source], _) = match self {
            Self::Mesh => (&[Source::Replay { history: "data/dags/rust-analyzer.dag.gz" }], MESH.to_vec()),
            Self::Model => (&[Source::Program { package: "bench-model", arguments: &[] }], MODEL.to_vec()),
            Self::Store => (&[Source::Program { package: "bench-store", arguments: &[] }], STORE.to_vec()),
            Self::Crdt => (&[Source::Program { package: "bench-crdt", arguments: &[] }, RIVALS], [CRDT, TEXT].concat()),
            Self::Text => (&[RIVALS], TEXT.to_vec()),
            Self::Dag | Self::Transports | Self::Signal | Self::Web | Self::Spaces => return None,
        };
        Some(Plan { sources, bars })
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .expect("no group is hidden from the command line")
    }

    /// The names of the groups that can be measured, for messages.
    pub(crate) fn with_bars() -> String {
        let names = Self::value_variants().iter().filter(|group| group.plan().is_some()).map(|group| group.name());
        names.collect::<Vec<_>>().join(", ")
    }
}

/// A workspace of its own: its crates take minutes to build, and are none of ours.
const RIVALS: Source = Source::Workspace { folder: "benches/rivals", program: "bench-rivals", arguments: &["--bars"] };

const MESH: &[Bar] = &[
    Bar { name: "replay sync", unit: "ops/s", target: Target::AtLeast(10_000.0) },
    Bar { name: "replay wire", unit: "bytes/op", target: Target::AtMost(600.0) },
];

const MODEL: &[Bar] = &[
    Bar { name: "encode + hash op", unit: "ns", target: Target::RatioAtMost(3.0) },
    Bar { name: "strict decode", unit: "ns", target: Target::RatioAtMost(1.0) },
    Bar { name: "sign", unit: "ns", target: Target::RatioAtMost(1.1) },
    Bar { name: "batch verification", unit: "ns", target: Target::RatioAtMost(0.6) },
    Bar { name: "decode memory", unit: "bytes a byte", target: Target::AtMost(64.0) },
];

const STORE: &[Bar] = &[
    Bar { name: "single commit", unit: "commits/s", target: Target::RatioAtLeast(0.8) },
    Bar { name: "64 writers", unit: "commits/s", target: Target::RatioAtLeast(10.0) },
    Bar { name: "ingest at 100k", unit: "ops/s", target: Target::RatioAtLeast(0.6) },
    Bar { name: "ingest at 1M", unit: "ops/s", target: Target::RatioAtLeast(0.6) },
    Bar { name: "paging", unit: "ops/s", target: Target::AtLeast(500_000.0) },
    Bar { name: "paging memory", unit: "MiB", target: Target::AtMost(32.0) },
    Bar { name: "look-up", unit: "look-ups/s", target: Target::RatioAtLeast(0.3) },
    Bar { name: "open clean", unit: "ms", target: Target::AtMost(100.0) },
    Bar { name: "open crashed", unit: "ms", target: Target::AtMost(1500.0) },
    Bar { name: "room", unit: "× the objects", target: Target::AtMost(1.8) },
];

const CRDT: &[Bar] = &[
    Bar { name: "log, a million ops", unit: "ops/s", target: Target::AtLeast(1_000_000.0) },
    Bar { name: "log, growing", unit: "ns/op", target: Target::RatioAtMost(1.5) },
    Bar { name: "set, a million ops", unit: "ops/s", target: Target::AtLeast(1_000_000.0) },
    Bar { name: "set, growing", unit: "ns/op", target: Target::RatioAtMost(1.5) },
    Bar { name: "map, growing", unit: "ns/op", target: Target::RatioAtMost(1.5) },
    Bar { name: "set, scattered", unit: "ns/op", target: Target::RatioAtMost(1.5) },
    Bar { name: "set, opened", unit: "ms", target: Target::AtMost(50.0) },
    Bar { name: "log, the last 50", unit: "ms", target: Target::AtMost(5.0) },
    Bar { name: "authority, from scratch", unit: "ms", target: Target::AtMost(100.0) },
    Bar { name: "authority, one more", unit: "ms", target: Target::AtMost(1.0) },
    Bar { name: "toggles, register", unit: "µs/toggle", target: Target::RatioAtMost(1.5) },
    Bar { name: "toggles, text", unit: "µs/toggle", target: Target::RatioAtMost(1.5) },
    Bar { name: "toggles, text between", unit: "µs/toggle", target: Target::RatioAtMost(1.5) },
    Bar { name: "toggles, text reinstated", unit: "µs/toggle", target: Target::RatioAtMost(1.5) },
    // That they load at all is the bar; far below what anything quadratic takes.
    Bar { name: "chain of 1,000,000, loaded", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "chain of 1,000,000, opened", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "fan of 100,000, loaded", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "fan of 100,000, opened", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "one key, fan of 100,000", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "one key, chain of 100,000", unit: "ms", target: Target::AtMost(20_000.0) },
    Bar { name: "one key, two branches in turn", unit: "ms", target: Target::AtMost(20_000.0) },
];

const TEXT: &[Bar] = &[
    Bar { name: "typed, diamond-types", unit: "ms", target: Target::RatioAtMost(2.0) },
    Bar { name: "typed, loro", unit: "ms", target: Target::RatioAtMost(1.0) },
    Bar { name: "typed, yrs", unit: "ms", target: Target::RatioAtMost(1.0) },
    Bar { name: "typed and signed", unit: "ms", target: Target::RatioAtMost(1.5) },
    Bar { name: "typed, stored", unit: "kB", target: Target::AtMost(150.0) },
    Bar { name: "typed, opened", unit: "ms", target: Target::AtMost(3.0) },
    Bar { name: "typed, memory to open", unit: "MB", target: Target::AtMost(5.0) },
    Bar { name: "merged, diamond-types", unit: "ms", target: Target::RatioAtMost(2.0) },
];
