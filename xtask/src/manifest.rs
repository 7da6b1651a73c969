//! Just enough reading of a `Cargo.toml` to see what it inherits from the workspace.
//!
//! `cargo metadata` tells effective values, not where they stand, so the text itself is read: line by line, sections
//! and keys as cargo's own documentation writes them. Multi-line tables are taken as not inherited, which is safe.

/// Keys of `[package]` that stand once, in the root manifest.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// What `manifest` states itself although the workspace states it, one sentence each.
pub(crate) fn check(name: &str, manifest: &str) -> Vec<String> {
    let entries = entries(manifest);
    let mut findings: Vec<String> = INHERITED
        .iter()
        .filter(|key| !entries.iter().any(|entry| entry.section == "package" && entry.inherits(key)))
        .map(|key| format!("{name}/Cargo.toml: [package] must say `{key}.workspace = true`"))
        .collect();
    if !entries.iter().any(|entry| entry.section == "lints" && entry.key == "workspace" && entry.value == "true") {
        findings.push(format!("{name}/Cargo.toml: [lints] must say `workspace = true`"));
    }
    findings.extend(own_versions(name, &entries));
    findings
}

/// Dependencies that name a version, path or source of their own.
fn own_versions(name: &str, entries: &[Entry<'_>]) -> Vec<String> {
    let mut findings = Vec::new();
    for entry in entries {
        let dependency = if is_dependencies(entry.section) {
            let inherits = entry.key.ends_with(".workspace") || entry.value.contains("workspace = true");
            // `foo.features = […]` adds to an entry that is judged by its own line.
            let adds =
                entry.key.contains('.') && !["version", "path", "git"].iter().any(|own| entry.key.ends_with(own));
            (!inherits && !adds).then_some(entry.key)
        } else {
            let table = entry.section.rsplit_once('.').filter(|(table, _)| is_dependencies(table));
            table.filter(|_| ["version", "path", "git"].contains(&entry.key)).map(|(_, dependency)| dependency)
        };
        if let Some(dependency) = dependency {
            findings.push(format!(
                "{name}/Cargo.toml: `{dependency}` must say `workspace = true`; versions stand in the root manifest"
            ));
        }
    }
    findings
}

fn is_dependencies(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    ["dependencies", "dev-dependencies", "build-dependencies"].contains(&last)
}

struct Entry<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
}

impl Entry<'_> {
    fn inherits(&self, key: &str) -> bool {
        match self.key.strip_prefix(key) {
            Some("") => self.value.replace(' ', "") == "{workspace=true}",
            Some(".workspace") => self.value == "true",
            _ => false,
        }
    }
}

fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut entries = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = header.trim();
        } else if let Some((key, value)) = line.split_once('=') {
            entries.push(Entry { section, key: key.trim(), value: value.trim() });
        }
    }
    entries
}

#[cfg(test)]
mod tests;
