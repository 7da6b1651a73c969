//! Untidy sources, and what is said about them.

use std::fs;
use std::path::PathBuf;

use super::{check, check_source, check_test_binaries};
use crate::workspace::Member;

/// A file starts with its imports: the reader is not told what it is.
#[test]
fn a_file_without_a_header_is_reported() {
    assert!(check_source("a.rs", "//! What it is.\n").is_empty());
    assert_eq!(check_source("a.rs", "use std::fs;\n"), ["a.rs:1: must open with `//!`: say what the file is"]);
    assert_eq!(check_source("a.rs", "").len(), 1);
}

/// A file of 600 lines passes, one line more does not.
#[test]
fn a_long_file_is_reported() {
    assert!(check_source("a.rs", &"//!\n".repeat(600)).is_empty());
    assert_eq!(check_source("a.rs", &"//!\n".repeat(601)).len(), 1);
}

/// Both ways to skip a test in silence are found, with their lines; talking about them is not.
#[test]
fn an_ignored_test_is_reported() {
    let text = "//! Never write #[ignore].\n#[test]\n    #[ignore = \"slow\"]\nfn a() {}\n#[cfg_attr(windows, ignore)]\nfn b() {}\n";
    let findings = check_source("a.rs", text);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("a.rs:3:") && findings[1].starts_with("a.rs:5:"), "{findings:?}");
}

/// Each integration test got a binary of its own.
#[test]
fn a_second_test_binary_is_reported() {
    let mut member = Member {
        name: "hhs-store".into(),
        folder: "hhs-store".into(),
        manifest: PathBuf::new(),
        internal: Vec::new(),
        test_binaries: vec!["it".into()],
    };
    assert_eq!(check_test_binaries(&member), None);
    member.test_binaries.push("crash".into());
    assert!(check_test_binaries(&member).is_some_and(|finding| finding.contains("it, crash")));
}

/// Sources are looked through wherever they are, but for build output and hidden folders.
#[test]
fn build_output_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["target/debug", ".cache", "hhs-store/src/deep"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
        fs::write(root.path().join(folder).join("a.rs"), "fn a() {}\n").unwrap();
    }
    let findings = check(root.path(), &[]).unwrap();
    assert_eq!(findings, ["hhs-store/src/deep/a.rs:1: must open with `//!`: say what the file is"]);
}
