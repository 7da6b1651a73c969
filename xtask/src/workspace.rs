//! The workspace from outside: where it is, how cargo is called in it, and what its members declare.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use thiserror::Error;

use crate::command::{self, CommandError};

/// The folder that holds the root `Cargo.toml`.
pub(crate) struct Workspace {
    root: PathBuf,
}

/// Why cargo could not be asked about the workspace.
#[derive(Debug, Error)]
pub(crate) enum MetadataError {
    /// Cargo refused, for instance because a manifest is wrong.
    #[error(transparent)]
    Cargo(#[from] CommandError),
    /// Cargo answered in a form that this program does not read.
    #[error("`cargo metadata` printed something unexpected ({0}): does xtask read this cargo's format?")]
    Format(#[from] serde_json::Error),
}

/// One crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root, with `/`.
    pub(crate) folder: String,
    pub(crate) manifest: PathBuf,
    /// Edges to crates of the workspace.
    pub(crate) internal: Vec<Edge>,
    /// Names of the integration-test binaries.
    pub(crate) test_binaries: Vec<String>,
}

/// A dependency of one crate of the workspace on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) to: String,
    pub(crate) kind: EdgeKind,
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdgeKind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    /// The workspace this program was built from.
    pub(crate) fn locate() -> Self {
        let own =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().map_or_else(|| own.clone(), Path::to_path_buf);
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The cargo that runs this program, as if called from a shell in the root.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo)
    }

    /// Any program, in the root, without what `cargo run` told this one about itself.
    ///
    /// Build scripts that watch such variables (`ring` does) would run again each time a check is started
    /// from here and not from a shell.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_about_this_program) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Where cargo puts what it builds.
    ///
    /// # Errors
    ///
    /// When cargo cannot read the manifests.
    pub(crate) fn target_folder(&self) -> Result<PathBuf, MetadataError> {
        let metadata: Metadata = serde_json::from_str(&self.metadata()?)?;
        Ok(metadata.target_directory)
    }

    /// Every member with its declared dependencies, in the order of the root manifest.
    ///
    /// # Errors
    ///
    /// When cargo cannot read the manifests.
    pub(crate) fn members(&self) -> Result<Vec<Member>, MetadataError> {
        Ok(members(&self.metadata()?, &self.root)?)
    }

    fn metadata(&self) -> Result<String, CommandError> {
        let mut cargo = self.cargo();
        command::output(cargo.args(["metadata", "--format-version", "1", "--no-deps"]))
    }
}

fn is_about_this_program(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || ABOUT_THIS_PROGRAM.contains(&name)
}

const ABOUT_THIS_PROGRAM: [&str; 4] = ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// Reads the answer of `cargo metadata --no-deps`.
fn members(json: &str, root: &Path) -> Result<Vec<Member>, serde_json::Error> {
    let metadata: Metadata = serde_json::from_str(json)?;
    let names: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.clone()).collect();
    Ok(metadata.packages.into_iter().map(|package| package.into_member(&names, root)).collect())
}

/// The part of cargo's format that is read here.
#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    optional: bool,
    /// Only where it is a folder on this machine.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    fn into_member(self, names: &BTreeSet<String>, root: &Path) -> Member {
        let folder = self.manifest_path.parent().unwrap_or(root);
        let folder = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().replace('\\', "/");
        let internal = self
            .dependencies
            .into_iter()
            .filter(|dependency| dependency.path.is_some() && names.contains(&dependency.name));
        Member {
            name: self.name,
            folder,
            manifest: self.manifest_path,
            internal: internal.map(Edge::from).collect(),
            test_binaries: self
                .targets
                .into_iter()
                .filter(|target| target.kind.iter().any(|kind| kind == "test"))
                .map(|target| target.name)
                .collect(),
        }
    }
}

impl From<Dependency> for Edge {
    fn from(dependency: Dependency) -> Self {
        let kind = match dependency.kind.as_deref() {
            Some("dev") => EdgeKind::Dev,
            Some("build") => EdgeKind::Build,
            _ => EdgeKind::Normal,
        };
        Self { to: dependency.name, kind, optional: dependency.optional }
    }
}

#[cfg(test)]
mod tests;
