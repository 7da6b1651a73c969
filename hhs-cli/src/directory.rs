//! The directory that a person's data is in: what lies where, and who may look into it.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

/// Which directory.
#[derive(Debug, Args)]
pub(crate) struct StoreArgument {
    /// The directory that holds the store and the key
    #[arg(long = "store", value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// The store.
const STORE: &str = "store.redb";

/// The key file.
const KEY: &str = "key";

/// The key file in a directory.
pub(crate) fn key_file(directory: &Path) -> PathBuf {
    directory.join(KEY)
}

/// The file of the store in a directory.
pub(crate) fn store_file(directory: &Path) -> PathBuf {
    directory.join(STORE)
}

/// Makes a directory that only its owner can look into, and in it the file of a store that only they can read, unless they
/// are there. The store makes of an empty file what it needs.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    make_directory(directory)?;
    make_file(&store_file(directory))
}

/// Makes a directory that only its owner can look into, unless it is there.
pub(crate) fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
