//! `cargo xtask setup`: installs what `cargo xtask ci` would otherwise leave out (Debian, root).

use std::fs;
use std::process::Command;

use thiserror::Error;

use crate::command::{self, CommandError};
use crate::wasm::{self, DEBIAN_PACKAGES, TARGET, Toolchain};
use crate::workspace::Workspace;

/// Why nothing could be installed.
#[derive(Debug, Error)]
pub(crate) enum SetupError {
    /// There is no apt here.
    #[error(
        "this is not Debian, so nothing can be installed from here: run `rustup target add {TARGET}`, \
         or install that target with your system's packages, and then `cargo xtask ci --all`"
    )]
    NotDebian,
    /// apt asks for root.
    #[error(
        "installing {packages} needs root: run this again as root, or install them by hand with `apt-get install {packages}`"
    )]
    NotRoot { packages: String },
    /// apt did not do it.
    #[error("{0}; `rustup target add {TARGET}` serves as well")]
    Apt(#[from] CommandError),
    /// All packages are there, and still no compiler.
    #[error("the packages {packages} are installed, but {lack}: reinstall them, or run `rustup target add {TARGET}`")]
    StillLacking { packages: String, lack: String },
}

/// Makes sure that every step of `ci` can run.
///
/// # Errors
///
/// When the system is not Debian, the user is not root, or apt fails.
pub(crate) fn run(workspace: &Workspace) -> Result<(), SetupError> {
    if let Ok(toolchain) = wasm::find(workspace) {
        say_ready(toolchain);
        return Ok(());
    }
    let is_debian = fs::read_to_string("/etc/os-release").is_ok_and(|release| is_debian(&release));
    if !is_debian {
        return Err(SetupError::NotDebian);
    }
    install(&missing(workspace), workspace)?;
    match wasm::find(workspace) {
        Ok(toolchain) => {
            say_ready(toolchain);
            Ok(())
        }
        Err(lack) => Err(SetupError::StillLacking { packages: DEBIAN_PACKAGES.join(" "), lack }),
    }
}

fn say_ready(toolchain: Toolchain) {
    let which = match toolchain {
        Toolchain::InUse => "the toolchain in use",
        Toolchain::Debian => "Debian's compiler",
    };
    println!("setup: nothing is missing ({which} checks {TARGET})");
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
    command::run(apt_get(workspace).args(["install", "--yes", "--no-install-recommends"]).args(packages))?;
    Ok(())
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = workspace.command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The packages of the Debian way that are not installed.
fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let installed = |package: &&str| {
        let mut query = workspace.command("dpkg-query");
        query.args(["--show", "--showformat", "${db:Status-Status}", package]).stderr(std::process::Stdio::null());
        query.output().is_ok_and(|output| output.status.success() && output.stdout == b"installed")
    };
    DEBIAN_PACKAGES.into_iter().filter(|package| !installed(package)).collect()
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

#[cfg(test)]
mod tests;
