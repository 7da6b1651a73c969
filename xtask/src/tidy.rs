//! Tidiness that neither rustfmt nor clippy sees: short files that say what they are, no test that is skipped in
//! silence, one integration-test binary per crate, and nothing stated twice in manifests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::manifest;
use crate::workspace::Member;

/// A file longer than this is more than one thing.
const MAX_LINES: usize = 600;

/// Why the sources could not be looked through.
#[derive(Debug, Error)]
pub(crate) enum TidyError {
    /// A file or folder of the repository cannot be read.
    #[error("{} cannot be read ({source}): check its permissions, and that it is UTF-8", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// Findings about all sources below `root` and the manifests of `members`, one sentence each.
///
/// # Errors
///
/// When something cannot be read.
pub(crate) fn check(root: &Path, members: &[Member]) -> Result<Vec<String>, TidyError> {
    let mut findings = Vec::new();
    for path in rust_files(root)? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        findings.extend(check_source(&shown, &read(&path)?));
    }
    for member in members {
        findings.extend(manifest::check(&member.folder, &read(&member.manifest)?));
        findings.extend(check_test_binaries(member));
    }
    Ok(findings)
}

fn check_source(shown: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        findings.push(format!("{shown}:1: must open with `//!`: say what the file is"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(format!("{shown}: has {lines} lines; {MAX_LINES} at most: split it by concept"));
    }
    for (index, line) in text.lines().map(str::trim_start).enumerate() {
        if line.starts_with("#[ignore") || (line.starts_with("#[cfg_attr(") && line.contains(" ignore")) {
            findings.push(format!("{shown}:{}: a test is ignored: make it run, or delete it", index + 1));
        }
    }
    findings
}

fn check_test_binaries(member: &Member) -> Option<String> {
    (member.test_binaries.len() > 1).then(|| {
        format!(
            "{} has {} integration-test binaries ({}); one at most, tests/it/main.rs, because each is linked anew",
            member.folder,
            member.test_binaries.len(),
            member.test_binaries.join(", ")
        )
    })
}

/// Every `.rs` file below `root`, sorted, without build output and hidden folders.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>, TidyError> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let unreadable = |source| TidyError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // A link is neither; following it could lead out of the repository.
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() && !name.starts_with('.') && !NOT_OURS.contains(&name.as_ref()) {
                folders.push(entry.path());
            } else if kind.is_file() && name.ends_with(".rs") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, TidyError> {
    fs::read_to_string(path).map_err(|source| TidyError::Read { path: path.to_path_buf(), source })
}

const NOT_OURS: [&str; 2] = ["target", "node_modules"];

#[cfg(test)]
mod tests;
