//! Where a compiler for `wasm32-unknown-unknown` comes from: the toolchain in use, or Debian's packages.
//!
//! rustup's toolchains know the target once it has been added. Debian ships a newer compiler (`rustc-web`) with the
//! sources of the standard library, which is then built along (`-Zbuild-std`). Both check the same crates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::workspace::Workspace;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The packages of the Debian way.
pub(crate) const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// A compiler that can check the portable crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The toolchain in use has the target.
    InUse,
    /// `/usr/bin/cargo` and `/usr/bin/rustc`, building the standard library along.
    Debian,
}

/// Looks for a compiler; the reason, where there is none.
pub(crate) fn find(workspace: &Workspace) -> Result<Toolchain, String> {
    if in_use_has_target(workspace) {
        return Ok(Toolchain::InUse);
    }
    match debian_lacks(workspace) {
        None => Ok(Toolchain::Debian),
        Some(lack) => Err(format!("the toolchain in use has no target {TARGET}, and for the Debian way {lack}")),
    }
}

/// The command that checks `packages` with `toolchain`.
pub(crate) fn check_command(workspace: &Workspace, toolchain: Toolchain, packages: &[&str]) -> Command {
    let mut command = match toolchain {
        Toolchain::InUse => workspace.cargo(),
        Toolchain::Debian => workspace.command(DEBIAN_CARGO),
    };
    command.args(["check", "--target", TARGET]);
    if toolchain == Toolchain::Debian {
        without_toolchain_in_use(&mut command)
            // Another compiler: its output must not push out what the toolchain in use has built.
            .args(["-Zbuild-std=std,panic_abort", "--target-dir", "target/wasm-check"])
            // Nothing of it runs but macros: the time to optimise them, as the profile asks, would be lost.
            .args(["--config", "profile.dev.package.'*'.opt-level=0"])
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
    }
    for package in packages {
        command.args(["-p", package]);
    }
    command
}

/// rustup's toolchains and those of distributions keep the standard library of a target in a folder of its own.
fn in_use_has_target(workspace: &Workspace) -> bool {
    let mut rustc = workspace.command("rustc");
    let printed = command::output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    printed.is_ok_and(|folder| holds_std(Path::new(folder.trim())))
}

fn holds_std(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// What the Debian way lacks on this machine; `None` when it lacks nothing.
fn debian_lacks(workspace: &Workspace) -> Option<String> {
    for file in [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_LINKER] {
        if !Path::new(file).exists() {
            return Some(format!("{file} is missing"));
        }
    }
    // A proxy of rustup in this place would be the toolchain in use once more.
    let mut rustc = workspace.command(DEBIAN_RUSTC);
    without_toolchain_in_use(&mut rustc);
    let sysroot = command::output(rustc.args(["--print", "sysroot"])).unwrap_or_default();
    if sysroot.trim() != "/usr" {
        return Some(format!("{DEBIAN_RUSTC} is not Debian's compiler"));
    }
    let sources = PathBuf::from("/usr/lib/rustlib/src/rust/library/std/Cargo.toml");
    (!sources.exists()).then(|| format!("{} is missing", sources.display()))
}

/// Debian's compiler must not be led astray by what the toolchain in use set for its own.
fn without_toolchain_in_use(command: &mut Command) -> &mut Command {
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";

#[cfg(test)]
mod tests;
