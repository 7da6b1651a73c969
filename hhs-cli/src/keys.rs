//! The key file: who somebody is on this device, in a file that only they can read.
//!
//! Three lines of text:
//!
//! ```text
//! hhs key 1
//! name Ana
//! seed <64 hex digits: the seed of the Ed25519 key>
//! ```
//!
//! It is written in full under another name and then given its own, so that a crash leaves all of it or nothing.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use data_encoding::HEXLOWER;
use hhs::model::Author;
use hhs::model::identity::KeyError;
use zeroize::Zeroizing;

/// A name that people know somebody by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

/// Why a text cannot be somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_NAME_BYTES} bytes on one line, without control characters")]
pub(crate) struct NameError;

/// Why a key file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    /// It cannot be read.
    #[error("the key file {path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    /// It cannot be written.
    #[error("the key file {path} cannot be written, check the directory and the space on its disk: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// It has another version.
    #[error(
        "the key file {path} has version {found:?}, and this program reads \"{VERSION}\": use the program that wrote it, or a newer one"
    )]
    Version { path: PathBuf, found: String },
    /// It is not one.
    #[error("{path} is not a key file ({reason}): restore it from a copy")]
    Malformed { path: PathBuf, reason: &'static str },
    /// The system has no randomness.
    #[error("the system gives no randomness for a new key: {0}")]
    Random(getrandom::Error),
    /// The identity cannot be made.
    #[error(transparent)]
    Identity(#[from] KeyError),
}

impl Name {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
        if fits { Ok(Self(name.to_owned())) } else { Err(NameError) }
    }
}

/// Reads who somebody is; `None` if there is no such file. Others who can read the file are warned of.
///
/// # Errors
/// If the file cannot be read, or is not a key file.
pub(crate) fn load(path: &Path) -> Result<Option<Author>, KeyFileError> {
    let unreadable = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    warn_if_others_can_read(path, &file);
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    let (name, seed) = parse(path, &text)?;
    Ok(Some(Author::from_seed(name.as_str(), &seed)?))
}

/// Makes somebody new, and keeps their key in a file that must not be there yet.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn create(path: &Path, name: &Name) -> Result<Author, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(KeyFileError::Random)?;
    let author = Author::from_seed(name.as_str(), &seed)?;
    let digits = Zeroizing::new(HEXLOWER.encode(&*seed));
    let text = Zeroizing::new(format!("{VERSION}\nname {}\nseed {}\n", name.as_str(), *digits));
    let unwritable = |source| KeyFileError::Write { path: path.to_owned(), source };
    write_atomically(path, text.as_bytes()).map_err(unwritable)?;
    Ok(author)
}

fn parse(path: &Path, text: &str) -> Result<(Name, Zeroizing<[u8; 32]>), KeyFileError> {
    let malformed = |reason| KeyFileError::Malformed { path: path.to_owned(), reason };
    let mut lines = text.lines();
    match lines.next() {
        Some(VERSION) => {}
        Some(found) if found.starts_with("hhs key ") => {
            return Err(KeyFileError::Version { path: path.to_owned(), found: found.chars().take(40).collect() });
        }
        _ => return Err(malformed("its first line is not that of one")),
    }
    let name = lines.next().and_then(|line| line.strip_prefix("name "));
    let name = name.and_then(|name| name.parse().ok()).ok_or_else(|| malformed("its second line is not a name"))?;
    let digits = lines.next().and_then(|line| line.strip_prefix("seed "));
    let bytes = digits.and_then(|digits| HEXLOWER.decode(digits.as_bytes()).ok()).map(Zeroizing::new);
    let seed: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    let seed = seed.map(Zeroizing::new).ok_or_else(|| malformed("its third line is not a seed of 64 hex digits"))?;
    match lines.next() {
        None => Ok((name, seed)),
        Some(_) => Err(malformed("it has more than three lines")),
    }
}

/// Writes a file that is whole or not there, readable by its owner alone.
fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files have mode 0600 from the start.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    if cfg!(unix) {
        // The new name survives the loss of power only once the directory was flushed too.
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path, file: &File) {
    use std::os::unix::fs::PermissionsExt;

    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        let warning = format!(
            "hhs: warning: others on this machine can read the key file {path}: chmod 600 {path}\n",
            path = path.display()
        );
        // A warning that nobody reads is no reason to stop.
        io::stderr().write_all(warning.as_bytes()).ok();
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_path: &Path, _file: &File) {}

/// The first line.
const VERSION: &str = "hhs key 1";
/// Bytes of a name: enough for anybody's, and short enough for a line.
const MAX_NAME_BYTES: usize = 64;
/// Bytes that are read of a key file; a whole one has fewer.
const MAX_FILE_BYTES: u64 = 1024;

#[cfg(test)]
mod tests;
