//! Where passphrases come from: a file, the environment, or somebody at a terminal.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use hhs::keystore::Passphrase;
use zeroize::Zeroizing;

/// Where the passphrase of the key file is.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArguments {
    /// The file whose only line is the passphrase of the key file [default: what HHS_PASSPHRASE says, or asked for on a
    /// terminal]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Where a new passphrase is.
#[derive(Debug, Args)]
pub(crate) struct NewPassphrase {
    /// The file whose only line is the new passphrase [default: what HHS_NEW_PASSPHRASE says, or asked for on a terminal]
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Take the passphrase away: keep the key file without encryption
    #[arg(long, conflicts_with = "new_passphrase_file")]
    remove: bool,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// The file cannot be read.
    #[error("the passphrase file {path} cannot be read: {source}")]
    File { path: PathBuf, source: io::Error },
    /// What is there is none.
    #[error("{place} holds no passphrase: it has to be 1 to 1024 bytes of UTF-8 on one line")]
    Unfit { place: String },
    /// The terminal failed.
    #[error("the terminal cannot be asked for a passphrase: {0}")]
    Terminal(#[source] io::Error),
    /// What was typed the second time is something else.
    #[error("the two passphrases are not the same: try again")]
    Differs,
    /// Nobody can be asked.
    #[error(
        "there is no new passphrase: set HHS_NEW_PASSPHRASE, give --new-passphrase-file FILE, run this on a terminal, to be asked, or give --remove"
    )]
    NoNew,
}

impl PassphraseArguments {
    /// The passphrase that is given without asking anybody.
    ///
    /// # Errors
    /// If there is to be one, and it cannot be read or is none.
    pub(super) fn given(&self) -> Result<Option<Passphrase>, PassphraseError> {
        match &self.passphrase_file {
            Some(path) => read(path).map(Some),
            None => from_environment("HHS_PASSPHRASE"),
        }
    }
}

impl NewPassphrase {
    /// The new passphrase; `None` to have none.
    ///
    /// # Errors
    /// If it cannot be read or is none, or nobody can be asked.
    pub(crate) fn get(&self) -> Result<Option<Passphrase>, PassphraseError> {
        if self.remove {
            return Ok(None);
        }
        let given = match &self.new_passphrase_file {
            Some(path) => Some(read(path)?),
            None => from_environment("HHS_NEW_PASSPHRASE")?,
        };
        match given {
            Some(passphrase) => Ok(Some(passphrase)),
            None => ask_twice().map(Some),
        }
    }
}

/// Asks for a passphrase, which is not shown; `None` if there is no terminal.
///
/// # Errors
/// If the terminal fails, or what is typed is no passphrase.
pub(super) fn ask(prompt: &str) -> Result<Option<Passphrase>, PassphraseError> {
    let typed = type_in(prompt)?;
    typed.map(|typed| fit(typed, || "what was typed".to_owned())).transpose()
}

fn ask_twice() -> Result<Passphrase, PassphraseError> {
    let first = type_in("New passphrase: ")?.ok_or(PassphraseError::NoNew)?;
    let second = type_in("Once more: ")?.ok_or(PassphraseError::NoNew)?;
    if first != second {
        return Err(PassphraseError::Differs);
    }
    fit(first, || "what was typed".to_owned())
}

fn type_in(prompt: &str) -> Result<Option<Zeroizing<String>>, PassphraseError> {
    // What comes from elsewhere is input of the command, even where the process has a terminal.
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let typed = rpassword::prompt_password(prompt).map_err(PassphraseError::Terminal)?;
    Ok(Some(Zeroizing::new(typed)))
}

fn read(path: &Path) -> Result<Passphrase, PassphraseError> {
    let unreadable = |source| PassphraseError::File { path: path.to_owned(), source };
    // It never grows, which would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_FILE_BYTES));
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    let place = || path.display().to_string();
    let text = std::str::from_utf8(&bytes).map_err(|_| PassphraseError::Unfit { place: place() })?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    fit(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()), place)
}

/// What a variable says; nothing if it is not set, or empty.
fn from_environment(name: &str) -> Result<Option<Passphrase>, PassphraseError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.into_string().map_err(|_| PassphraseError::Unfit { place: name.to_owned() })?;
    fit(Zeroizing::new(text), || name.to_owned()).map(Some)
}

fn fit(mut text: Zeroizing<String>, place: impl Fn() -> String) -> Result<Passphrase, PassphraseError> {
    let unfit = || PassphraseError::Unfit { place: place() };
    if text.contains(['\n', '\r']) {
        return Err(unfit());
    }
    Passphrase::new(std::mem::take(&mut *text)).map_err(|_| unfit())
}

/// More than a passphrase and the end of its line.
const MAX_FILE_BYTES: usize = 2048;
