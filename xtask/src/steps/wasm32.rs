//! The step that compiles the portable crates for `wasm32-unknown-unknown`.

use crate::ci::Outcome;
use crate::command;
use crate::law::PORTABLE;
use crate::wasm;
use crate::workspace::Workspace;

pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let toolchain = match wasm::find(workspace) {
        Ok(toolchain) => toolchain,
        Err(why) => {
            return Outcome::LeftOut { why, remedy: "cargo xtask setup", needs: "Debian, root" };
        }
    };
    match command::run(&mut wasm::check_command(workspace, toolchain, PORTABLE)) {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::failed(error.to_string()),
    }
}
