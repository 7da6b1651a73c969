//! The step that tests the backend on PostgreSQL, which needs a server to start.

use crate::ci::Outcome;
use crate::command;
use crate::postgres;
use crate::workspace::Workspace;

/// The package that the step `tests` leaves to this one.
pub(crate) const PACKAGE: &str = "hhs-store-postgres";

pub(crate) fn test(workspace: &Workspace) -> Outcome {
    if let Err(why) = postgres::find() {
        return Outcome::LeftOut { why, remedy: "cargo xtask setup", needs: "Debian, root" };
    }
    match command::run(workspace.cargo().args(["test", "--package", PACKAGE, "--no-fail-fast"])) {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::failed(error.to_string()),
    }
}
