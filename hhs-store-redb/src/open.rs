//! Opening a file: what is refused, and with which words.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use hhs_store::BackendError;
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageBackend, StorageError};

use crate::compact;
use crate::engine::Engine;
use crate::error::{Failure, guarded};
use crate::file::StoreFile;
use crate::format;
use crate::options::Options;

/// Opens the store at `path`, or creates one where nothing is or an empty file.
///
/// # Errors
/// Every kind but [`BackendError::TooLarge`] and [`BackendError::Closed`]; nothing that was there is changed then,
/// except that redb may have finished a commit of its own.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Database, BackendError> {
    loop {
        let database = open_locked(path, options)?;
        // What lies beside the store lies beside the file itself, not beside a link to it.
        let file = &path.canonicalize().map_err(|error| failed("find its file", error))?;
        if guarded(|| format::establish(&database, &path.display().to_string()))? {
            sync_directory_of(file)?;
        }
        // Whoever compacts holds the lock that is held here by now: what lies there was left by a crash.
        remove(&compact::new_file_beside(file))?;
        if !failed_flush_beside(file).exists() {
            return Ok(database);
        }
        compact::replace(&Engine::new(database), file, options, &mut |_| ())?;
    }
}

/// Opens or creates the database in the file that is at `path` once it is locked.
fn open_locked(path: &Path, options: &Options) -> Result<Database, BackendError> {
    let place = path.display().to_string();
    loop {
        refuse_what_is_no_file(path, &place)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| failed("open its file", error))?;
        let opened = file.metadata().map_err(|error| failed("look at its file", error))?;
        let resolved = path.canonicalize().map_err(|error| failed("find its file", error))?;
        let database = guarded(|| {
            let storage = FileBackend::new(file).map_err(|error| refusal(error, path, &place))?;
            let storage = StoreFile::new(storage, Some(failed_flush_beside(&resolved)));
            database_on(storage, options).map_err(|error| refusal(error, path, &place))
        })?;
        // Between opening the file and locking it, a compaction may have put another one in its place.
        if is_at(&opened, path).map_err(|error| failed("look at its file", error))? {
            return Ok(database);
        }
    }
}

/// Opens the store at `path`, which has to be there.
///
/// # Errors
/// As [`open`], and [`BackendError::Io`] where nothing is.
pub(crate) fn open_existing(path: &Path, options: &Options) -> Result<Database, BackendError> {
    match path.metadata() {
        Ok(found) if found.is_file() && found.len() == 0 => {
            Err(not_a_store(&path.display().to_string(), "it is an empty file"))
        }
        Ok(_) => open(path, options),
        Err(error) => Err(failed("look at its file", error)),
    }
}

/// Opens or creates what redb keeps in a storage.
pub(crate) fn database_on<S: StorageBackend>(
    storage: StoreFile<S>,
    options: &Options,
) -> Result<Database, DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache_bytes).set_check_integrity_on_open(options.check_on_open);
    builder.create_with_backend(storage)
}

/// The file that says that a flush of the store at `path` has failed since it was last written anew.
pub(crate) fn failed_flush_beside(path: &Path) -> PathBuf {
    beside(path, ".unflushed")
}

/// A path beside `path`, whose name goes on with `suffix`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), BackendError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove what lies beside its file", error)),
        _ => Ok(()),
    }
}

/// Whether the file that was opened is what lies at `path`.
#[cfg(unix)]
pub(crate) fn is_at(opened: &Metadata, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    match path.metadata() {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
pub(crate) fn is_at(_opened: &Metadata, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

fn refuse_what_is_no_file(path: &Path, place: &str) -> Result<(), BackendError> {
    let kind = match path.metadata() {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("look at its file", error)),
    };
    if kind.is_file() {
        return Ok(());
    }
    let reason = if kind.is_dir() { "it is a directory" } else { "it is not a regular file" };
    Err(not_a_store(place, reason))
}

fn refusal(error: DatabaseError, path: &Path, place: &str) -> BackendError {
    let version = |found: u8| {
        let (found, supported) = (format!("redb {found}"), format!("redb {REDB_VERSION}"));
        BackendError::Version { place: place.to_owned(), found, supported }
    };
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            BackendError::Locked { place: place.to_owned() }
        }
        // How redb says that the first bytes are not its own.
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
            not_a_store(place, "its first bytes are not those of a store")
        }
        DatabaseError::UpgradeRequired(_) | DatabaseError::Storage(StorageError::Corrupted(_)) => {
            match other_version(path) {
                Some(found) => version(found),
                None => BackendError::Corrupted { reason: error.to_string() },
            }
        }
        error => Failure::new("open its file", error).into(),
    }
}

/// The version of a file in another format of redb. redb calls newer files corrupted, and damaged ones old where the
/// damage hit a version, so this looks again: the header has the version twice, and where both agree, it is no damage.
fn other_version(path: &Path) -> Option<u8> {
    let mut header = Vec::new();
    File::open(path).ok()?.take(HEADER_BYTES).read_to_end(&mut header).ok()?;
    let [first, second] = VERSIONS_AT.map(|at| header.get(at).copied());
    first.filter(|found| first == second && *found != REDB_VERSION)
}

/// A new file survives the loss of power only once its directory was flushed too.
pub(crate) fn sync_directory_of(path: &Path) -> Result<(), BackendError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| failed("flush its directory", error))
}

fn not_a_store(place: &str, reason: &str) -> BackendError {
    BackendError::NotAStore { place: place.to_owned(), reason: reason.to_owned() }
}

pub(crate) fn failed(action: &'static str, error: io::Error) -> BackendError {
    BackendError::Io { action, source: Box::new(error) }
}

/// Where the two commit slots of a file, as redb's design page lays them out, say which version of the format it has.
const VERSIONS_AT: [usize; 2] = [64, 192];
const HEADER_BYTES: u64 = 320;
/// The version that redb 4 reads and writes.
const REDB_VERSION: u8 = 3;
