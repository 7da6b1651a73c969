//! Steps that read the repository itself: the dependency law, the map, tidiness.

use std::fs;

use crate::ci::Outcome;
use crate::command;
use crate::features;
use crate::law::{self, LAW, PORTABLE};
use crate::map;
use crate::tidy;
use crate::workspace::{Member, Workspace};

pub(crate) fn law(workspace: &Workspace) -> Outcome {
    let members = match workspace.members() {
        Ok(members) => members,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let mut findings = law::check_edges(&members, LAW);
    for portable in members.iter().filter(|member| PORTABLE.contains(&member.name.as_str())) {
        match tree(workspace, portable) {
            Ok(tree) => findings.extend(law::check_absence(&portable.name, &tree)),
            Err(error) => findings.push(error.to_string()),
        }
    }
    Outcome::of(findings)
}

/// Everything that `member` is linked with, on any target and with any feature; macros run in the compiler and do not count.
fn tree(workspace: &Workspace, member: &Member) -> Result<String, command::CommandError> {
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--edges", "normal,no-proc-macro", "--target", "all", "--all-features"]);
    cargo.args(["--prefix", "none", "--package", &member.name]);
    command::output(&mut cargo)
}

pub(crate) fn map(workspace: &Workspace) -> Outcome {
    let members = match workspace.members() {
        Ok(members) => members,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let names: Vec<String> = members.into_iter().map(|member| member.name).collect();
    match fs::read_to_string(workspace.root().join("ARCHITECTURE.md")) {
        Ok(text) => Outcome::of(map::check(&text, workspace.root(), &names)),
        Err(error) => Outcome::failed(format!(
            "ARCHITECTURE.md cannot be read ({error}): it must stand at the root of the repository"
        )),
    }
}

pub(crate) fn features(workspace: &Workspace) -> Outcome {
    match fs::read_to_string(workspace.root().join("docs/features.md")) {
        Ok(text) => Outcome::of(features::check(&text, workspace.root())),
        Err(error) => Outcome::failed(format!("docs/features.md cannot be read ({error}): it lists every feature")),
    }
}

pub(crate) fn tidy(workspace: &Workspace) -> Outcome {
    let members = match workspace.members() {
        Ok(members) => members,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    match tidy::check(workspace.root(), &members) {
        Ok(findings) => Outcome::of(findings),
        Err(error) => Outcome::failed(error.to_string()),
    }
}
