//! `cargo xtask setup`: installs what `cargo xtask ci` would otherwise leave out (Debian, root).

use std::fs;
use std::path::Path;
use std::process::Command;

use thiserror::Error;

use crate::command::{self, CommandError};
use crate::postgres;
use crate::steps::vectors;
use crate::wasm::{self, DEBIAN_PACKAGES, TARGET, Toolchain};
use crate::workspace::Workspace;

/// Why nothing could be installed.
#[derive(Debug, Error)]
pub(crate) enum SetupError {
    /// There is no apt here.
    #[error(
        "this is not Debian, so nothing can be installed from here: run `rustup target add {TARGET}`, install that \
         target, a PostgreSQL server and Node.js with your system's packages, and then run `cargo xtask ci --all`"
    )]
    NotDebian,
    /// apt asks for root.
    #[error(
        "installing {packages} needs root: run this again as root, or install them by hand with `apt-get install {packages}`"
    )]
    NotRoot { packages: String },
    /// apt did not do it.
    #[error("{0}; instead of the compiler's packages, `rustup target add {TARGET}` serves as well")]
    Apt(#[from] CommandError),
    /// Debian would start a server that nobody needs.
    #[error("{CLUSTER_SETTINGS} cannot be changed ({0}): install PostgreSQL by hand")]
    Settings(std::io::Error),
    /// All packages are there, and still something is missing.
    #[error("the packages {packages} are installed, but {lack}: reinstall them, or install it from elsewhere")]
    StillLacking { packages: String, lack: String },
}

/// Makes sure that every step of `ci` can run.
///
/// # Errors
///
/// When the system is not Debian, the user is not root, or apt fails.
pub(crate) fn run(workspace: &Workspace) -> Result<(), SetupError> {
    let mut wanted = Vec::new();
    if wasm::find(workspace).is_err() {
        wanted.extend(DEBIAN_PACKAGES);
    }
    if postgres::find().is_err() {
        wanted.push(postgres::DEBIAN_PACKAGE);
    }
    if vectors::find(workspace).is_err() {
        wanted.extend(vectors::DEBIAN_PACKAGES);
    }
    if !wanted.is_empty() {
        if !fs::read_to_string("/etc/os-release").is_ok_and(|release| is_debian(&release)) {
            return Err(SetupError::NotDebian);
        }
        install(&missing(workspace, &wanted), workspace)?;
    }
    let still_lacking = |lack| SetupError::StillLacking { packages: wanted.join(" "), lack };
    let toolchain = wasm::find(workspace).map_err(still_lacking)?;
    let server = postgres::find().map_err(still_lacking)?;
    vectors::find(workspace).map_err(still_lacking)?;
    say_ready(toolchain, &server);
    Ok(())
}

fn say_ready(toolchain: Toolchain, server: &Path) {
    let which = match toolchain {
        Toolchain::InUse => "the toolchain in use",
        Toolchain::Debian => "Debian's compiler",
    };
    println!(
        "setup: nothing is missing ({which} checks {TARGET}, PostgreSQL is in {}, Node.js is here)",
        server.display()
    );
}

fn install(packages: &[&str], workspace: &Workspace) -> Result<(), SetupError> {
    if packages.is_empty() {
        return Ok(());
    }
    if !is_root(workspace) {
        return Err(SetupError::NotRoot { packages: packages.join(" ") });
    }
    println!("setup: installing {}", packages.join(" "));
    command::run(apt_get(workspace).arg("update"))?;
    if packages.contains(&postgres::DEBIAN_PACKAGE) {
        prevent_cluster(workspace)?;
    }
    Ok(apt_install(packages, workspace)?)
}

/// Debian's package makes a database cluster and starts a server, which the tests do not use. Its settings can forbid
/// that, and have to be there before it; where they are already, they are somebody's.
fn prevent_cluster(workspace: &Workspace) -> Result<(), SetupError> {
    let settings = postgres::DEBIAN_SETTINGS_PACKAGE;
    if missing(workspace, &[settings]).is_empty() {
        return Ok(());
    }
    apt_install(&[settings], workspace)?;
    let text = fs::read_to_string(CLUSTER_SETTINGS).map_err(SetupError::Settings)?;
    fs::write(CLUSTER_SETTINGS, without_cluster(&text)).map_err(SetupError::Settings)
}

/// Debian's settings with the one for the first cluster turned off; it is there as a comment.
fn without_cluster(settings: &str) -> String {
    let (name, off) = ("create_main_cluster", "create_main_cluster = false");
    let is_setting = |line: &&str| line.trim_start_matches(['#', ' ']).starts_with(name);
    let others = settings.lines().filter(|line| !is_setting(line));
    others.chain([off]).flat_map(|line| [line, "\n"]).collect()
}

fn apt_install(packages: &[&str], workspace: &Workspace) -> Result<(), CommandError> {
    command::run(apt_get(workspace).args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = workspace.command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Those of Debian's packages that are not installed.
fn missing(workspace: &Workspace, packages: &[&'static str]) -> Vec<&'static str> {
    let installed = |package: &&str| {
        let mut query = workspace.command("dpkg-query");
        query.args(["--show", "--showformat", "${db:Status-Status}", package]).stderr(std::process::Stdio::null());
        query.output().is_ok_and(|output| output.status.success() && output.stdout == b"installed")
    };
    packages.iter().copied().filter(|package| !installed(package)).collect()
}

fn is_root(workspace: &Workspace) -> bool {
    command::output(workspace.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Debian itself, or a system that says it is like it.
fn is_debian(os_release: &str) -> bool {
    os_release.lines().filter_map(|line| line.split_once('=')).any(|(key, value)| {
        ["ID", "ID_LIKE"].contains(&key) && value.trim_matches('"').split_whitespace().any(|system| system == "debian")
    })
}

/// What Debian's packages of PostgreSQL do when they are installed.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

#[cfg(test)]
mod tests;
