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
    /// Replicated types
    Crdt,
    /// Text and lists
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
    pub(crate) source: Source,
    pub(crate) bars: &'static [Bar],
}

impl Group {
    /// `None` as long as the group has no bars.
    pub(crate) fn plan(self) -> Option<Plan> {
        match self {
            Self::Mesh => {
                Some(Plan { source: Source::Replay { history: "data/dags/rust-analyzer.dag.gz" }, bars: MESH })
            }
            Self::Model => {
                Some(Plan { source: Source::Program { package: "bench-model", arguments: &[] }, bars: MODEL })
            }
            Self::Store => {
                Some(Plan { source: Source::Program { package: "bench-store", arguments: &[] }, bars: STORE })
            }
            Self::Crdt | Self::Text | Self::Dag | Self::Transports | Self::Signal | Self::Web | Self::Spaces => None,
        }
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

const MESH: &[Bar] = &[
    Bar { name: "replay sync", unit: "ops/s", target: Target::AtLeast(10_000.0) },
    Bar { name: "replay wire", unit: "bytes/op", target: Target::AtMost(600.0) },
];

const MODEL: &[Bar] = &[
    Bar { name: "encode + hash op", unit: "ns", target: Target::RatioAtMost(3.0) },
    Bar { name: "strict decode", unit: "ns", target: Target::RatioAtMost(1.0) },
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
