//! Steps that are one call of cargo, or two.

use std::process::Command;

use super::postgres;
use crate::ci::Outcome;
use crate::command;
use crate::workspace::Workspace;

pub(crate) fn fmt(workspace: &Workspace) -> Outcome {
    component(workspace, "fmt", "rustfmt", &["--all", "--check"])
}

pub(crate) fn clippy(workspace: &Workspace) -> Outcome {
    component(
        workspace,
        "clippy",
        "clippy",
        &["--workspace", "--all-features", "--all-targets", "--", "-D", "warnings"],
    )
}

pub(crate) fn tests(workspace: &Workspace) -> Outcome {
    run(workspace.cargo().args(["test", "--workspace", "--exclude", postgres::PACKAGE, "--no-fail-fast"]))
}

/// Optimised, as it looks at twenty million orders of delivery.
pub(crate) fn authority(workspace: &Workspace) -> Outcome {
    let test = ["test", "--release", "--package", "hhs-model", "--lib", "every_history", "--", "--nocapture"];
    run(workspace.cargo().args(test).env("HHS_MODEL_CHECK", "6"))
}

/// Programs first, libraries after them: the program `hhs` and the facade `hhs` share a folder of the output, and it
/// is the library's pages that one wants to find there.
pub(crate) fn docs(workspace: &Workspace) -> Outcome {
    let mut failures = Vec::new();
    for targets in ["--bins", "--lib"] {
        let mut command = workspace.cargo();
        command.args(["doc", "--workspace", "--no-deps", targets]).env("RUSTDOCFLAGS", "-D warnings");
        if let Err(error) = command::run(&mut command) {
            failures.push(error.to_string());
        }
    }
    if failures.is_empty() { Outcome::Passed } else { Outcome::Failed(failures) }
}

/// Runs a subcommand that rustup brings as a component, and says so where it is missing.
fn component(workspace: &Workspace, subcommand: &str, component: &str, arguments: &[&str]) -> Outcome {
    if !command::works(workspace.cargo().args([subcommand, "--version"])) {
        return Outcome::failed(format!("`cargo {subcommand}` is missing: run `rustup component add {component}`"));
    }
    run(workspace.cargo().arg(subcommand).args(arguments))
}

fn run(command: &mut Command) -> Outcome {
    match command::run(command) {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::failed(error.to_string()),
    }
}
