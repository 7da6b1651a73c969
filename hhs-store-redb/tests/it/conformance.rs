//! The backend under the conformance suite.

use futures::executor::block_on;
use hhs_store::test_kit;
use hhs_store_redb::{Options, RedbBackend};
use tempfile::tempdir;

/// Everything that the store above relies on holds for a file on disk, closed and opened again in between.
#[test]
fn the_redb_backend_conforms() {
    let directory = tempdir().unwrap();
    let open = async |name: String| RedbBackend::open(directory.path().join(name)).unwrap();
    block_on(test_kit::conformance(open));
}

/// It holds too where memory is short, commits save the free pages, and every opening checks the file.
#[test]
fn the_redb_backend_conforms_with_the_other_options() {
    let directory = tempdir().unwrap();
    let options = Options { cache_bytes: 64 << 10, quick_repair: true, check_on_open: true };
    let open = async |name: String| RedbBackend::open_with(directory.path().join(name), &options).unwrap();
    block_on(test_kit::conformance(open));
}
