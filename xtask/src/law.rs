//! The dependency law: which crate of the workspace may know which, and what the portable ones must not know at all.
//!
//! The table here is the crate graph of the architecture. A crate that is not in it, an edge that is not in it,
//! and a runtime in a crate that must run anywhere are findings. Dev-dependencies are exempt, and so are members
//! below `benches/`, `fuzz/` and `examples/`: what only tests, measures or shows may know everything.

use std::collections::BTreeSet;

use crate::workspace::{EdgeKind, Member};

/// One row of the law.
pub(crate) struct Rule {
    /// The crate that is ruled.
    pub(crate) name: &'static str,
    /// The crates of the workspace that it may depend on.
    pub(crate) may: &'static [&'static str],
}

const fn rule(name: &'static str, may: &'static [&'static str]) -> Rule {
    Rule { name, may }
}

/// The crate graph. Rows for crates that do not exist yet are law already.
pub(crate) const LAW: &[Rule] = &[
    rule("hhs-model-derive", &[]),
    rule("hhs-model", &["hhs-model-derive"]),
    rule("hhs-crdt", &["hhs-model", "hhs-model-derive"]),
    rule("hhs-store", &["hhs-model"]),
    rule("hhs-store-redb", &["hhs-model", "hhs-store"]),
    rule("hhs-store-idb", &["hhs-model", "hhs-store"]),
    rule("hhs-store-postgres", &["hhs-model", "hhs-store"]),
    rule("hhs-mesh", &["hhs-model", "hhs-store"]),
    rule("hhs-keystore", &["hhs-model"]),
    rule("hhs-signalling", &["hhs-model", "hhs-mesh"]),
    rule("hhs-transport-quic", &["hhs-model", "hhs-mesh"]),
    rule("hhs-transport-webrtc", &["hhs-model", "hhs-mesh", "hhs-signalling"]),
    rule("hhs-transport-ws", &["hhs-model", "hhs-mesh", "hhs-signalling"]),
    rule("hhs-discovery-mdns", &["hhs-model", "hhs-mesh"]),
    rule("hhs-spaces", &["hhs-model", "hhs-crdt", "hhs-store", "hhs-mesh"]),
    rule("hhs", LIBRARIES),
    rule("hhs-cli", &with_facade()),
    rule("hhs-web", &with_facade()),
    rule("hhs-sim", &with_programs()),
    rule("xtask", &[]),
];

/// What the facade may re-export.
const LIBRARIES: &[&str; 15] = &[
    "hhs-model-derive",
    "hhs-model",
    "hhs-crdt",
    "hhs-store",
    "hhs-store-redb",
    "hhs-store-idb",
    "hhs-store-postgres",
    "hhs-mesh",
    "hhs-keystore",
    "hhs-signalling",
    "hhs-transport-quic",
    "hhs-transport-webrtc",
    "hhs-transport-ws",
    "hhs-discovery-mdns",
    "hhs-spaces",
];

const fn with_facade() -> [&'static str; 16] {
    extend(LIBRARIES, ["hhs"])
}

const fn with_programs() -> [&'static str; 18] {
    extend(LIBRARIES, ["hhs", "hhs-cli", "hhs-web"])
}

const fn extend<const MORE: usize, const ALL: usize>(
    base: &[&'static str; 15],
    more: [&'static str; MORE],
) -> [&'static str; ALL] {
    let mut all = [""; ALL];
    let mut index = 0;
    while index < base.len() {
        all[index] = base[index];
        index += 1;
    }
    while index < ALL {
        all[index] = more[index - base.len()];
        index += 1;
    }
    all
}

/// The crates that compile for `wasm32-unknown-unknown` and name no runtime.
pub(crate) const PORTABLE: &[&str] = &["hhs-model", "hhs-crdt", "hhs-store", "hhs-mesh", "hhs-keystore", "hhs-spaces"];

/// What the facade takes in only where a feature asks for it.
const BEHIND_A_FEATURE: &[&str] = &[
    "hhs-store-redb",
    "hhs-store-idb",
    "hhs-store-postgres",
    "hhs-transport-quic",
    "hhs-transport-webrtc",
    "hhs-transport-ws",
    "hhs-discovery-mdns",
];

/// Runtimes, clocks, sources of randomness, sockets and engines: none of them may be in the tree of a portable crate.
const ABSENT_FROM_PORTABLE: &[&str] = &[
    "async-global-executor",
    "async-io",
    "async-std",
    "chrono",
    "getrandom",
    "gloo-timers",
    "idb",
    "indexed_db_futures",
    "instant",
    "js-sys",
    "mio",
    "quinn",
    "quinn-proto",
    "redb",
    "rexie",
    "ring",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tokio-postgres",
    "tokio-tungstenite",
    "tungstenite",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "wasm-timer",
    "web-sys",
    "web-time",
    "webrtc",
];

/// Folders whose members may depend on anything.
const FREE_FOLDERS: [&str; 3] = ["benches", "fuzz", "examples"];

/// Findings about the edges between members, one sentence each.
pub(crate) fn check_edges(members: &[Member], law: &[Rule]) -> Vec<String> {
    members.iter().filter(|member| !is_free(member)).flat_map(|member| check_member(member, law)).collect()
}

fn is_free(member: &Member) -> bool {
    let top = member.folder.split('/').next().unwrap_or_default();
    FREE_FOLDERS.contains(&top)
}

fn check_member(member: &Member, law: &[Rule]) -> Vec<String> {
    let Some(rule) = law.iter().find(|rule| rule.name == member.name) else {
        return vec![format!(
            "`{}` is not in the dependency law: say in xtask/src/law.rs what it may depend on, or take it out of the workspace",
            member.name
        )];
    };
    let mut findings = Vec::new();
    for edge in member.internal.iter().filter(|edge| edge.kind != EdgeKind::Dev) {
        if !rule.may.contains(&edge.to.as_str()) {
            let allowed =
                if rule.may.is_empty() { "no crate of the workspace".to_owned() } else { rule.may.join(", ") };
            findings.push(format!("`{}` must not depend on `{}`; it may depend on {allowed}", member.name, edge.to));
        } else if member.name == "hhs" && BEHIND_A_FEATURE.contains(&edge.to.as_str()) && !edge.optional {
            findings.push(format!(
                "`hhs` must take in `{}` behind a feature: `{} = {{ workspace = true, optional = true }}`",
                edge.to, edge.to
            ));
        }
    }
    findings
}

/// Findings about the tree of a portable crate, given one `name version …` a line as `cargo tree --prefix none` prints it.
pub(crate) fn check_absence(portable: &str, tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    ABSENT_FROM_PORTABLE
        .iter()
        .filter(|absent| names.contains(*absent))
        .map(|absent| {
            format!(
                "`{portable}` must run anywhere, but `{absent}` is among its dependencies; \
                 `cargo tree -e normal,no-proc-macro --target all --all-features -p {portable} -i {absent}` says through what"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
