//! What replacing a file asks of a disk: a seam, so that tests can crash between any two steps.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::format::MAX_KEYSTORE_BYTES;

/// A disk, in the steps by which a file is replaced.
pub(super) trait Disk {
    /// Held while its owner writes; others wait.
    type Turn;

    /// The path behind links; itself if nothing is there.
    fn resolve(&self, path: &Path) -> PathBuf;
    /// The content of a file that is there; [`ErrorKind::FileTooLarge`] if it is more than a keystore.
    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>>;
    /// Waits for a turn by locking a file, which is made if it is missing.
    fn lock(&self, path: &Path) -> io::Result<Self::Turn>;
    /// Removes a file, if it is there.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Writes a file that is not there, for its owner alone.
    fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Makes a file's content durable.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Gives a file the name of another one, in its place.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes names in a directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// The system's.
pub(super) struct OsDisk;

impl Disk for OsDisk {
    type Turn = File;

    fn resolve(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }

    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(MAX_KEYSTORE_BYTES);
        // One more than is expected, so that it does not grow to see the end: it may hold plain keys.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
        file.take(MAX_KEYSTORE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_KEYSTORE_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    fn lock(&self, path: &Path) -> io::Result<File> {
        let file = private().truncate(false).create(true).open(path)?;
        match file.lock() {
            // There are such file systems; then only the comparison with what was expected tells writers apart.
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(file),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        private().create_new(true).open(path)?.write_all(content)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        // Elsewhere a directory is no file that could be opened, and names are durable with what they name.
        if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
    }
}

/// For writing a file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
