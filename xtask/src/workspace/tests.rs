//! What is read from cargo's description of the workspace.

use std::path::Path;

use super::{Edge, EdgeKind, is_about_this_program, members};

const METADATA: &str = r#"{
  "packages": [
    {
      "name": "hhs-model", "manifest_path": "/repo/hhs-model/Cargo.toml",
      "dependencies": [
        { "name": "serde", "kind": null, "optional": false },
        { "name": "hhs-store", "kind": "dev", "optional": false, "path": "/repo/hhs-store" }
      ],
      "targets": [ { "name": "hhs_model", "kind": ["lib"] }, { "name": "it", "kind": ["test"] } ]
    },
    {
      "name": "hhs-store", "manifest_path": "/repo/hhs-store/Cargo.toml",
      "dependencies": [ { "name": "hhs-model", "kind": null, "optional": true, "path": "/repo/hhs-model" } ],
      "targets": []
    }
  ],
  "target_directory": "/repo/target"
}"#;

/// A model that uses the store in its tests, and a store on top of the model: both edges are seen, each with its kind.
#[test]
fn edges_inside_the_workspace_are_told_from_the_others() {
    let members = members(METADATA, Path::new("/repo")).unwrap();
    assert_eq!(members[0].folder, "hhs-model");
    assert_eq!(members[0].test_binaries, ["it"]);
    assert_eq!(members[0].internal, [Edge { to: "hhs-store".into(), kind: EdgeKind::Dev, optional: false }]);
    assert_eq!(members[1].internal, [Edge { to: "hhs-model".into(), kind: EdgeKind::Normal, optional: true }]);
}

/// What cargo tells a running program about itself does not reach the checks; what the user set does.
#[test]
fn only_variables_about_this_program_are_dropped() {
    assert!(is_about_this_program("CARGO_PKG_NAME"));
    assert!(is_about_this_program("CARGO_MANIFEST_DIR"));
    assert!(!is_about_this_program("CARGO_HOME"));
    assert!(!is_about_this_program("CARGO_TARGET_DIR"));
}
