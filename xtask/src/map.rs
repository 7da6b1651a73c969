//! The map: `ARCHITECTURE.md` is short, names every crate, and names no path that does not exist.

use std::path::{Component, Path};

/// More than this and nobody reads it as one page.
const MAX_LINES: usize = 250;

/// Findings about the map, given its text, the root it speaks of and the names of the workspace's members.
pub(crate) fn check(text: &str, root: &Path, members: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(format!("ARCHITECTURE.md has {lines} lines; {MAX_LINES} at most: move details to docs/"));
    }
    for (line, path) in paths(text, |first| root.join(first).exists()) {
        if !root.join(&path).exists() {
            findings.push(format!("ARCHITECTURE.md:{line}: `{path}` does not exist"));
        }
    }
    for member in members.iter().filter(|member| !names(text, member)) {
        findings.push(format!("ARCHITECTURE.md does not name the crate `{member}`"));
    }
    findings
}

/// Every path of the repository that `text` names in backticks or links to, with its line (from 1).
///
/// `is_at_root` tells whether the repository has an entry of that name at its top. Fenced blocks are left alone:
/// they hold programs and drawings.
pub(crate) fn paths(text: &str, is_at_root: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let spans = code_spans(line).into_iter().filter(|span| is_path(span, &is_at_root));
            found.extend(spans.chain(link_targets(line)).map(|path| (index + 1, without_anchor(path).to_owned())));
        }
    }
    found
}

/// Whether `text` has `name` as a word of its own; `hhs-store` is not named by `hhs-store-redb`.
fn names(text: &str, name: &str) -> bool {
    let continues = |character: char| character.is_alphanumeric() || character == '-' || character == '_';
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        !before.is_some_and(continues) && !after.is_some_and(continues)
    })
}

/// What stands between single backticks.
fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The targets of `[text](target)` that lie in the repository.
fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains(':') && !without_anchor(target).is_empty())
}

fn without_anchor(path: &str) -> &str {
    path.split('#').next().unwrap_or(path)
}

/// Whether a code span speaks of a file or folder of this repository, and not of a type, a command or a media type.
fn is_path(span: &str, is_at_root: impl Fn(&str) -> bool) -> bool {
    let path = without_anchor(span);
    if path.is_empty() || path.contains(NOT_IN_PATHS) || path.starts_with('-') || !stays_inside(Path::new(path)) {
        return false;
    }
    let Some((first, rest)) = path.split_once('/') else {
        // A bare name is a file at the root if it is a document or a manifest; `tests.rs` is a habit, not a file.
        return ROOT_FILES.iter().any(|suffix| path.ends_with(suffix) && path.len() > suffix.len());
    };
    rest.is_empty()
        || is_at_root(first)
        || first.starts_with("hhs")
        || KNOWN_SUFFIXES.iter().any(|suffix| path.ends_with(suffix))
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|component| matches!(component, Component::Normal(_)))
}

const NOT_IN_PATHS: [char; 21] =
    [' ', ':', '<', '>', '{', '}', '(', ')', '[', ']', '*', '$', '~', '"', '\'', '=', ',', ';', '!', '?', '\\'];
const ROOT_FILES: [&str; 2] = [".md", ".toml"];
const KNOWN_SUFFIXES: [&str; 8] = [".rs", ".md", ".toml", ".json", ".gz", ".html", ".sh", ".yml"];

#[cfg(test)]
mod tests;
