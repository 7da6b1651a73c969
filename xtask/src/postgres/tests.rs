//! Where a server is found, and where not.

use std::fs;

use super::{PROGRAMS, find_in};

/// A client alone is no server: all programs have to be in one folder, on the PATH or below Debian's, which may hold several
/// versions of which some were removed.
#[test]
fn a_server_is_there_when_all_its_programs_are() {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str, programs: &[&str]| {
        let folder = root.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        programs.iter().for_each(|program| fs::write(folder.join(program), "").unwrap());
        folder
    };
    let debian = root.path().join("debian");
    let client = folder("client", &["psql", "initdb"]);
    let lack = find_in([client.clone()].into_iter(), &debian).unwrap_err();
    assert!(lack.starts_with("PostgreSQL is not installed: initdb, pg_ctl, postgres"), "{lack}");

    folder("debian/13/bin", &["psql"]);
    let installed = folder("debian/15/bin", &PROGRAMS);
    assert_eq!(find_in([client.clone()].into_iter(), &debian), Ok(installed));
    let built = folder("built", &PROGRAMS);
    assert_eq!(find_in([client, built.clone()].into_iter(), &debian), Ok(built));
}
