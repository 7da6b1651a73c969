//! What counts as a path in the map, and what is said about a map that has gone stale.

use std::fs;

use super::{check, names, paths};

/// The map speaks of files, folders, types, commands and protocol names: only the first two are paths.
#[test]
fn paths_are_told_from_types_commands_and_protocol_names() {
    let text = "\
See `hhs-model/src/codec.rs` and `docs/`, `hhs-mesh/src/proto`, `clippy.toml`; [the format](docs/format.md#ops).
Not: `Link<T>`, `cargo xtask ci`, `chat/v1/Message`, `quic://`, `application/cbor`, `tests.rs`, `hhs-model`, `/tmp/x.rs`,
`../shared/x.md`, `scenarios/*.toml`, `Store::open`, `--all`, [site](https://example.org/a.md), [below](#words).
```
`src/inside/a/fence.rs`
```
and `xtask/src/law.rs`.";
    let found = paths(text, |first| ["docs", "xtask", "hhs-model"].contains(&first));
    let expected = [
        (1, "hhs-model/src/codec.rs"),
        (1, "docs/"),
        (1, "hhs-mesh/src/proto"),
        (1, "clippy.toml"),
        (1, "docs/format.md"),
        (7, "xtask/src/law.rs"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}

/// A crate was renamed and another added, and nobody told the map.
#[test]
fn a_stale_map_is_reported_line_by_line() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("hhs-store/src")).unwrap();
    let text = "# Map\n\n`hhs-store/src` keeps, `hhs-storage/src/lib.rs` kept.\n";
    let findings = check(text, root.path(), &["hhs-store".into(), "hhs-mesh".into()]);
    assert_eq!(
        findings,
        [
            "ARCHITECTURE.md:3: `hhs-storage/src/lib.rs` does not exist",
            "ARCHITECTURE.md does not name the crate `hhs-mesh`"
        ]
    );
}

/// The page grows until nobody reads it.
#[test]
fn a_map_of_more_than_250_lines_is_reported() {
    let root = tempfile::tempdir().unwrap();
    assert!(check(&"line\n".repeat(250), root.path(), &[]).is_empty());
    assert_eq!(check(&"line\n".repeat(251), root.path(), &[]).len(), 1);
}

/// A crate is not named by another whose name begins like its own.
#[test]
fn a_name_is_a_whole_word() {
    assert!(names("`hhs-store`: keeps", "hhs-store"));
    assert!(names("see `hhs-store/src`", "hhs-store"));
    assert!(!names("see `hhs-store-redb`", "hhs-store"));
    assert!(!names("hhs-model", "hhs"));
}
