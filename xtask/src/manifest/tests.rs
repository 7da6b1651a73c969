//! Manifests that inherit, and manifests that state things twice.

use super::check;

const GOOD: &str = r#"
[package]
name = "hhs-model"
version.workspace = true
edition = { workspace = true }
rust-version.workspace = true
license.workspace = true

[features]
test-kit = ["dep:proptest"]

[dependencies]
serde.workspace = true
proptest = { workspace = true, optional = true }

[dependencies.tokio]
workspace = true
features = ["rt"]

[target.'cfg(unix)'.dependencies]
libc.workspace = true

[lints]
workspace = true
"#;

/// All of cargo's spellings of "as the workspace says" are understood.
#[test]
fn a_manifest_that_inherits_has_no_findings() {
    assert_eq!(check("hhs-model", GOOD), Vec::<String>::new());
}

/// An edition of its own, and no lints: both are found.
#[test]
fn what_is_not_inherited_is_reported() {
    let manifest =
        GOOD.replace("edition = { workspace = true }", "edition = \"2021\"").replace("[lints]\nworkspace = true", "");
    let findings = check("hhs-model", &manifest);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].contains("edition.workspace"), "{findings:?}");
    assert!(findings[1].contains("[lints]"), "{findings:?}");
}

/// Versions that stand in a crate drift apart from the root's: each spelling of one is found.
#[test]
fn a_version_of_its_own_is_reported() {
    let manifest = GOOD
        .replace("serde.workspace = true", "serde = \"1\"")
        .replace("[dependencies.tokio]\nworkspace = true", "[dependencies.tokio]\nversion = \"1\"")
        .replace("libc.workspace = true", "libc = { version = \"0.2\" }");
    let findings = check("hhs-model", &manifest);
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(
        ["`serde`", "`tokio`", "`libc`"].iter().zip(&findings).all(|(name, finding)| finding.contains(name)),
        "{findings:?}"
    );
}
