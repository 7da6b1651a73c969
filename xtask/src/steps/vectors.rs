//! The step that checks the golden vectors with JavaScript's implementation of DAG-CBOR.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::ci::Outcome;
use crate::command::{self, CommandError};
use crate::workspace::Workspace;

/// Installs what `vectors/package.json` names below the target folder, never in the sources, and runs the script there.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let sources = workspace.root().join("vectors");
    let folder = match workspace.target_folder() {
        Ok(target) => target.join("vectors"),
        Err(error) => return Outcome::failed(error.to_string()),
    };
    if let Err(error) = copy(&sources, &folder) {
        return Outcome::failed(format!("{} cannot be filled: {error}", folder.display()));
    }
    if let Err(why) = install(workspace, &folder) {
        return Outcome::LeftOut { why, remedy: "cargo xtask setup", needs: "Debian, root, and a network for npm" };
    }
    match command::run(node(workspace, &folder).arg("oracle.mjs").arg(&sources)) {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::failed(error.to_string()),
    }
}

fn copy(sources: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in ["package.json", "oracle.mjs"] {
        fs::copy(sources.join(name), folder.join(name))?;
    }
    Ok(())
}

/// Debian's packages of what runs the script and installs what it needs.
pub(crate) const DEBIAN_PACKAGES: [&str; 2] = ["nodejs", "npm"];

/// Says which of the programs is not here.
pub(crate) fn find(workspace: &Workspace) -> Result<(), String> {
    match ["node", "npm"].into_iter().find(|name| !command::works(workspace.command(name).arg("--version"))) {
        Some(missing) => Err(format!("`{missing}` is not here")),
        None => Ok(()),
    }
}

/// Says why the packages cannot be had. What an earlier run has installed needs no network.
fn install(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    find(workspace)?;
    let mut npm = workspace.command("npm");
    npm.current_dir(folder).args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]);
    command::run(&mut npm).map_err(|error: CommandError| format!("the packages cannot be installed: {error}"))
}

fn node(workspace: &Workspace, folder: &Path) -> Command {
    let mut node = workspace.command("node");
    node.current_dir(folder);
    node
}
