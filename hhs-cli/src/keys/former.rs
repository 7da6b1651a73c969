//! Key files as they were before keystores: three lines of text, carried over the first time they are used.
//!
//! ```text
//! hhs key 1
//! name Ana
//! seed <64 hex digits: the seed of the Ed25519 key>
//! ```

use std::path::Path;

use data_encoding::HEXLOWER;
use hhs::Tokio;
use hhs::keystore::{CreateError, FileStorage, Keystore, MemoryStorage, Policy, Protection, Storage, StorageError};
use hhs::model::{Identity, SecretKey, Signer};
use zeroize::Zeroizing;

use super::{KeyFileError, Name, unchanged, warn};

/// Whether these are the bytes of one.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(FIRST_LINE)
}

/// Puts a keystore with the same identity in the place of a former key file, whose content stays in `NAME.old`.
///
/// The former content is durable under its new name before anything else takes the old one, so that a crash at any
/// moment leaves it whole; then this is done again the next time.
pub(super) async fn carry_over(
    storage: &FileStorage,
    former: &[u8],
    protection: Protection,
) -> Result<(), KeyFileError> {
    let path = storage.path();
    let (name, seed) = parse(path, former)?;
    let made = MemoryStorage::new();
    let failed = |source: CreateError| KeyFileError::Create { path: path.to_owned(), source };
    let mut keystore = Keystore::create(made.clone(), protection, Tokio::new()).await.map_err(failed)?;
    let identity = Identity::named(SecretKey::from_seed(&seed).public_key(), name.as_str());
    keystore.import(identity, &seed, Policy::peer()).await.map_err(unchanged(path))?;

    let kept = keep(path, former).await?;
    storage.replace(Some(former), &made.bytes().unwrap_or_default()).await?;
    warn(&format!(
        "the key file {} has a new format now; the former one is in {}, not encrypted: delete that once you have a copy",
        path.display(),
        kept.path().display()
    ));
    Ok(())
}

/// Keeps a former content beside the file.
async fn keep(path: &Path, former: &[u8]) -> Result<FileStorage, KeyFileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".old");
    let kept = FileStorage::new(path.with_file_name(name));
    match kept.replace(None, former).await {
        // A crash may have kept us from going on.
        Err(StorageError::Changed(_)) if kept.read().await?.is_some_and(|bytes| *bytes == former) => Ok(kept),
        Err(StorageError::Changed(_)) => Err(KeyFileError::InTheWay(kept.path().to_owned())),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(kept),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<(Name, Zeroizing<[u8; 32]>), KeyFileError> {
    let damaged = |reason| KeyFileError::Former { path: path.to_owned(), reason };
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
    let mut lines = text.lines().skip(1);
    let name = lines.next().and_then(|line| line.strip_prefix("name "));
    let name = name.and_then(|name| name.parse().ok()).ok_or_else(|| damaged("its second line is not a name"))?;
    let digits = lines.next().and_then(|line| line.strip_prefix("seed "));
    let bytes = digits.and_then(|digits| HEXLOWER.decode(digits.as_bytes()).ok()).map(Zeroizing::new);
    let seed: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    let seed = seed.map(Zeroizing::new).ok_or_else(|| damaged("its third line is not a seed of 64 hex digits"))?;
    match lines.next() {
        None => Ok((name, seed)),
        Some(_) => Err(damaged("it has more than three lines")),
    }
}

const FIRST_LINE: &[u8] = b"hhs key 1\n";
