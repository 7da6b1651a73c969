//! Where a PostgreSQL server for the tests comes from: the PATH, or Debian's package.
//!
//! The tests start the server themselves, with a folder of its own; here is only asked whether they can.

use std::env;
use std::path::{Path, PathBuf};

/// Debian's package; it depends on the version that the release has.
pub(crate) const DEBIAN_PACKAGE: &str = "postgresql";

/// The package that keeps the settings of all of Debian's servers.
pub(crate) const DEBIAN_SETTINGS_PACKAGE: &str = "postgresql-common";

/// Looks for the server's programs; the reason, where they are not.
pub(crate) fn find() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    find_in(env::split_paths(&path), Path::new(DEBIAN_FOLDER))
}

/// The folder among `places`, or for any version below `debian`, that has all programs.
fn find_in(places: impl Iterator<Item = PathBuf>, debian: &Path) -> Result<PathBuf, String> {
    let versions = debian.read_dir().into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let complete = |place: &PathBuf| PROGRAMS.iter().all(|program| place.join(program).is_file());
    places.chain(versions).find(complete).ok_or_else(|| {
        format!("PostgreSQL is not installed: {} are neither on the PATH nor in {DEBIAN_FOLDER}", PROGRAMS.join(", "))
    })
}

/// What the tests of `hhs-store-postgres` run (`tests/it/server.rs` looks in the same places).
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

#[cfg(test)]
mod tests;
