//! What the check of the list of features finds.

use std::fs;

use super::{check, expected};

/// A list in which every row is open, but for `row`.
fn list_with(id: &str, row: &str) -> String {
    let line = |other: String| if other == id { row.to_owned() } else { format!("| {other} | what | open | |") };
    expected().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Somebody renames a test that a row rests on, marks a row as done without any test, invents a state, or drops a row.
#[test]
fn rows_without_a_test_that_exists_are_found() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("it.rs"), "fn peers_agree() {}").expect("written");
    let findings = |row: &str| check(&list_with("M1", row), root.path());
    assert_eq!(findings("| M1 | what | done | `it.rs::peers_agree` |"), Vec::<String>::new());
    for (row, finding) in [
        ("| M1 | what | done | `it.rs::peers_argue` |", "there is no such test"),
        ("| M1 | what | done | `gone.rs::peers_agree` |", "cannot be read"),
        ("| M1 | what | begun | |", "names no test"),
        ("| M1 | what | nearly | |", "write done, begun or open"),
        ("| M1 | what | done | `peers_agree` |", "not of the form"),
        ("", "no row M1"),
    ] {
        let found = findings(row);
        assert!(found.len() == 1 && found[0].contains(finding), "{row}: {found:?}");
    }
}
