//! The law against workspaces that break it, and against itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{LAW, LIBRARIES, PORTABLE, Rule, check_absence, check_edges};
use crate::workspace::{Edge, EdgeKind, Member};

/// The store reaches up to the mesh: the finding names both and says what would have been right.
#[test]
fn a_forbidden_edge_is_reported() {
    let findings =
        check_edges(&[member("hhs-store", &[("hhs-model", EdgeKind::Normal), ("hhs-mesh", EdgeKind::Normal)])], LAW);
    assert_eq!(findings, ["`hhs-store` must not depend on `hhs-mesh`; it may depend on hhs-model"]);
}

/// A build script counts like the crate itself; tests may use what they like.
#[test]
fn build_dependencies_count_and_dev_dependencies_do_not() {
    let edges = [("hhs-crdt", EdgeKind::Dev), ("hhs-store-redb", EdgeKind::Build)];
    let findings = check_edges(&[member("hhs-mesh", &edges)], LAW);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("`hhs-store-redb`"), "{findings:?}");
}

/// Somebody adds a crate and forgets the law.
#[test]
fn a_member_that_the_law_does_not_know_is_reported() {
    let findings = check_edges(&[member("hhs-surprise", &[])], LAW);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].contains("`hhs-surprise` is not in the dependency law"), "{findings:?}");
}

/// A benchmark that is a member of its own may depend on anything and needs no row.
#[test]
fn members_below_benches_are_free() {
    let mut bench = member("store-bench", &[("hhs-store-redb", EdgeKind::Normal), ("hhs", EdgeKind::Normal)]);
    bench.folder = "benches/store".into();
    assert!(check_edges(&[bench], LAW).is_empty());
}

/// The facade pulls in a backend for everybody, feature or not.
#[test]
fn a_backend_that_the_facade_always_takes_in_is_reported() {
    let mut facade = member("hhs", &[("hhs-store-redb", EdgeKind::Normal), ("hhs-model", EdgeKind::Normal)]);
    assert_eq!(check_edges(std::slice::from_ref(&facade), LAW).len(), 1);
    facade.internal[0].optional = true;
    assert!(check_edges(&[facade], LAW).is_empty());
}

/// tokio slips into the mesh three levels down; crates whose names merely begin like it are left alone.
#[test]
fn a_runtime_in_the_tree_of_a_portable_crate_is_reported() {
    let findings =
        check_absence("hhs-mesh", "hhs-mesh v0.1.0 (/repo)\nfutures v0.3.0\ntokio v1.0.0\ntime-core v0.1.0 (*)\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("`tokio`") && findings[0].contains("cargo tree"), "{findings:?}");
}

/// The table names only crates that have a row, no crate may reach itself, and every portable crate stands on portable ones.
#[test]
fn the_law_is_closed_and_without_cycles() {
    let rows: BTreeSet<&str> = LAW.iter().map(|rule| rule.name).collect();
    assert_eq!(rows.len(), LAW.len(), "a crate has two rows");
    for rule in LAW {
        assert!(rule.may.iter().all(|name| rows.contains(name)), "{} may depend on a crate without a row", rule.name);
        assert!(!reachable(rule).contains(rule.name), "{} can reach itself", rule.name);
        assert!(!rule.may.contains(&"xtask"));
    }
    for rule in LAW.iter().filter(|rule| PORTABLE.contains(&rule.name)) {
        assert!(rule.may.iter().all(|name| PORTABLE.contains(name) || *name == "hhs-model-derive"), "{}", rule.name);
    }
    assert!(LIBRARIES.iter().all(|name| rows.contains(name)));
}

fn reachable(from: &Rule) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = from.may.to_vec();
    while let Some(name) = next.pop() {
        if seen.insert(name) {
            next.extend(LAW.iter().filter(|rule| rule.name == name).flat_map(|rule| rule.may));
        }
    }
    seen
}

fn member(name: &str, edges: &[(&str, EdgeKind)]) -> Member {
    Member {
        name: name.into(),
        folder: name.into(),
        manifest: PathBuf::from(name).join("Cargo.toml"),
        internal: edges.iter().map(|(to, kind)| Edge { to: (*to).into(), kind: *kind, optional: false }).collect(),
        test_binaries: Vec::new(),
    }
}
