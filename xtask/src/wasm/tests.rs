//! How the portable crates are checked with either compiler.

use std::ffi::OsStr;
use std::fs;

use super::{Toolchain, check_command, holds_std};
use crate::command::line;
use crate::workspace::Workspace;

/// With the target at hand the check is cargo's ordinary one.
#[test]
fn the_toolchain_in_use_checks_as_usual() {
    let command = check_command(&Workspace::locate(), Toolchain::InUse, &["hhs-model", "hhs-crdt"]);
    assert_eq!(line(&command), "cargo check --target wasm32-unknown-unknown -p hhs-model -p hhs-crdt");
}

/// Debian's compiler builds the standard library along, in a folder of its own, and is not told of rustup's toolchain.
#[test]
fn debians_compiler_is_kept_apart_from_the_one_in_use() {
    let command = check_command(&Workspace::locate(), Toolchain::Debian, &["hhs-model"]);
    assert!(line(&command).contains("-Zbuild-std=std,panic_abort --target-dir target/wasm-check"));
    let environment: Vec<_> = command.get_envs().collect();
    assert!(environment.contains(&(OsStr::new("RUSTC"), Some(OsStr::new("/usr/bin/rustc")))));
    assert!(environment.contains(&(OsStr::new("RUSTUP_TOOLCHAIN"), None)));
    assert!(environment.contains(&(OsStr::new("CARGO"), None)));
}

/// rustup makes the folder of a target before its library is there; the library is what counts.
#[test]
fn a_target_is_there_when_its_standard_library_is() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!holds_std(&folder.path().join("nowhere")));
    assert!(!holds_std(folder.path()));
    fs::write(folder.path().join("libstd-0123.rlib"), "").unwrap();
    assert!(holds_std(folder.path()));
}
