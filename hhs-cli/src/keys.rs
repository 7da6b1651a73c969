//! The key file: who somebody is on this device, in a keystore that only they can read.
//!
//! Without a passphrase it is not encrypted, and its mode is all that protects it.

mod former;
mod passphrase;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hhs::Tokio;
use hhs::keystore::{
    ChangeError, CreateError, FileStorage, Keystore, OpenError, Passphrase, Protection, Storage, StorageError,
    UnknownIdentity,
};

pub(crate) use passphrase::{NewPassphrase, PassphraseArguments, PassphraseError};

/// A name that people know somebody by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

/// Why a text cannot be somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_NAME_BYTES} bytes on one line, without control characters")]
pub(crate) struct NameError;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    /// It is not one.
    #[error("{0} is not a key file: restore it from a copy")]
    Foreign(PathBuf),
    /// It is one of the former format, and damaged.
    #[error("the key file {path} is damaged ({reason}): restore it from a copy")]
    Former { path: PathBuf, reason: &'static str },
    /// What keeps its former content has another one.
    #[error("{0} is in the way of keeping the former key file: move it elsewhere")]
    InTheWay(PathBuf),
    /// It is encrypted, and nobody can be asked.
    #[error(
        "the key file {0} is encrypted: set HHS_PASSPHRASE, give --passphrase-file FILE, or run this on a terminal, to be asked"
    )]
    NeedsPassphrase(PathBuf),
    /// It does not open.
    #[error("the key file {path} cannot be opened: {source}")]
    Open { path: PathBuf, source: OpenError },
    /// It is not made.
    #[error("the key file {path} cannot be made: {source}")]
    Create { path: PathBuf, source: CreateError },
    /// It is not changed.
    #[error("the key file {path} is as it was: {source}")]
    Change { path: PathBuf, source: ChangeError },
    /// It cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It has not that identity.
    #[error(transparent)]
    Unknown(#[from] UnknownIdentity),
    /// The passphrase cannot be had.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
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

/// Opens a key file; `None` if there is none. Others who can read the file are warned of. One of the former format is
/// carried over to this one.
///
/// # Errors
/// If it cannot be read, is not a key file, or does not open with the passphrase.
pub(crate) async fn open(path: &Path, arguments: &PassphraseArguments) -> Result<Option<Keystore>, KeyFileError> {
    let storage = FileStorage::new(path);
    let Some(bytes) = storage.read().await? else { return Ok(None) };
    if storage.is_exposed().unwrap_or(false) {
        warn(&format!("others on this machine can read the key file {path}: chmod 600 {path}", path = path.display()));
    }
    let passphrase = arguments.given()?;
    if former::is_one(&bytes) {
        former::carry_over(&storage, &bytes, protection(passphrase.clone())).await?;
    }
    let was_given = passphrase.is_some();
    let keystore = unlock(storage, passphrase).await?;
    if was_given && !keystore.is_encrypted() {
        warn(&format!(
            "the key file {} is not encrypted, although a passphrase is given: encrypt it with `hhs identity passphrase`",
            path.display()
        ));
    }
    Ok(Some(keystore))
}

/// Opens a keystore that is there; asks for the passphrase where it needs one and none is given.
async fn unlock(storage: FileStorage, mut passphrase: Option<Passphrase>) -> Result<Keystore, KeyFileError> {
    let path = storage.path().to_owned();
    // Nobody has mistyped one that is given.
    let mut tries = if passphrase.is_some() { 0 } else { MAX_TRIES };
    loop {
        match Keystore::open(storage.clone(), passphrase.as_ref(), Tokio::new()).await {
            Ok(keystore) => return Ok(keystore),
            Err(OpenError::NeedsPassphrase) => {}
            Err(OpenError::WrongPassphrase) if tries > 0 => warn("the passphrase is wrong"),
            Err(OpenError::Foreign) => return Err(KeyFileError::Foreign(path)),
            Err(OpenError::Storage(error)) => return Err(error.into()),
            Err(source) => return Err(KeyFileError::Open { path, source }),
        }
        tries = tries.saturating_sub(1);
        let prompt = format!("Passphrase of {}: ", path.display());
        passphrase = Some(passphrase::ask(&prompt)?.ok_or_else(|| KeyFileError::NeedsPassphrase(path.clone()))?);
    }
}

/// Makes a key file without anybody in it, where there is none; encrypted if a passphrase is given.
///
/// # Errors
/// If it cannot be written.
pub(crate) async fn create(path: &Path, arguments: &PassphraseArguments) -> Result<Keystore, KeyFileError> {
    let protection = protection(arguments.given()?);
    Keystore::create(FileStorage::new(path), protection, Tokio::new()).await.map_err(|error| match error {
        CreateError::Storage(error) => error.into(),
        source => KeyFileError::Create { path: path.to_owned(), source },
    })
}

/// The error of a change to a key file.
pub(crate) fn unchanged(path: &Path) -> impl Fn(ChangeError) -> KeyFileError {
    let path = path.to_owned();
    move |error| match error {
        ChangeError::Storage(error) => error.into(),
        source => KeyFileError::Change { path: path.clone(), source },
    }
}

fn protection(passphrase: Option<Passphrase>) -> Protection {
    passphrase.map_or(Protection::Plain, Protection::from)
}

fn warn(what: &str) {
    // A warning that nobody reads is no reason to stop.
    writeln!(io::stderr(), "hhs: warning: {what}").ok();
}

/// Bytes of a name: enough for anybody's, and short enough for a line.
const MAX_NAME_BYTES: usize = 64;
/// How often a passphrase is asked for.
const MAX_TRIES: usize = 3;

#[cfg(test)]
mod tests;
