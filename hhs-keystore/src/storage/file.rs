//! A keystore in a file: replaced whole, readable by its owner alone.
//!
//! A change is written to `.NAME.new` beside the file, flushed, and renamed; then the directory is flushed, without which
//! the new name might not survive the loss of power. What a crash leaves of `.NAME.new` is removed by the next change.
//! Writers take turns by a lock on `.NAME.lock`, which stays. A lock on the file itself would be lost with each rename.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use hhs_model::seam;
use zeroize::Zeroizing;

use super::{Storage, StorageError};
use disk::{Disk, OsDisk};

mod disk;

/// A [`Storage`] in a file. Its directory has to be there.
///
/// Nothing here is asynchronous: each method blocks while the disk works, some milliseconds.
#[derive(Debug, Clone)]
pub struct FileStorage {
    path: PathBuf,
}

impl FileStorage {
    /// A file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others on this machine can read or write the file, by its mode. A change to the keystore makes it private.
    ///
    /// # Errors
    /// If the file's metadata cannot be read.
    #[cfg(unix)]
    pub fn is_exposed(&self) -> io::Result<bool> {
        let permissions = std::fs::metadata(&self.path)?.permissions();
        Ok(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o077 != 0)
    }

    /// As on systems whose files have modes, which here they have not.
    ///
    /// # Errors
    /// If the file's metadata cannot be read.
    #[cfg(not(unix))]
    pub fn is_exposed(&self) -> io::Result<bool> {
        std::fs::metadata(&self.path).map(|_| false)
    }

    fn place(&self) -> String {
        format!("the key file {}", self.path.display())
    }

    fn read_from(&self, disk: &impl Disk) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        disk.read(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => StorageError::TooLarge(self.place()),
            _ => StorageError::Read { place: self.place(), source },
        })
    }

    fn replace_on(&self, disk: &impl Disk, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StorageError> {
        let unwritable = |source| StorageError::Write { place: self.place(), source };
        // A link stays a link, and what it leads to is replaced.
        let path = disk.resolve(&self.path);
        let _turn = disk.lock(&beside(&path, "lock")).map_err(unwritable)?;
        let found = self.read_from(disk)?;
        if found.as_ref().map(|bytes| bytes.as_slice()) != expected {
            return Err(StorageError::Changed(self.place()));
        }
        replace(disk, &path, new).map_err(unwritable)
    }
}

#[seam]
impl Storage for FileStorage {
    async fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        self.read_from(&OsDisk)
    }

    async fn replace(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StorageError> {
        self.replace_on(&OsDisk, expected, new)
    }
}

fn replace(disk: &impl Disk, path: &Path, new: &[u8]) -> io::Result<()> {
    let temporary = beside(path, "new");
    disk.remove(&temporary)?;
    let written = disk.write_new(&temporary, new).and_then(|()| disk.sync(&temporary));
    if let Err(error) = written.and_then(|()| disk.rename(&temporary, path)) {
        // It may hold keys; if it cannot be removed now, the next change does it.
        disk.remove(&temporary).ok();
        return Err(error);
    }
    disk.sync_directory(directory_of(path))
}

/// `.NAME.SUFFIX` in the same directory.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests;
