//! `hhs identity`: who somebody is on this device, and what protects their keys.

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hhs::keystore::{KeptIdentity, Keystore, Policy, Protection};
use hhs::model::IdentityId;
use serde::Serialize;

use crate::directory::{self, key_file};
use crate::keys::{self, KeyFileError, Name, NewPassphrase, PassphraseArguments, PassphraseError, unchanged};
use crate::output::{Output, Paint, printable, reader_is_gone};

/// What one can do with identities.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print an identity: its id, its public key, and what the key may sign.
    Show(ShowArguments),
    /// Make a new identity, and the directory and the key file where they are missing.
    ///
    /// A new key file is encrypted if a passphrase is given.
    New(NewArguments),
    /// Print all identities in a key file, in the order in which they were made.
    List(ListArguments),
    /// Give the key file a passphrase, another one, or none.
    ///
    /// Copies of the file that were made before keep the passphrase that they had.
    Passphrase(ChangeArguments),
}

/// Whom to print.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    place: Place,
    /// The identity, by its name or its id [default: the only one]
    #[arg(value_name = "IDENTITY")]
    whom: Option<String>,
}

/// Whom to make.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    #[command(flatten)]
    place: Place,
    /// The name that others know them by
    #[arg(long)]
    name: Name,
    /// What the key may sign: `everything`, `nothing`, or a list of domains and `handshakes`
    #[arg(long, value_name = "POLICY", default_value = "op/v1,handshakes")]
    may: Policy,
}

/// Where to list identities.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    place: Place,
}

/// How to protect a key file.
#[derive(Debug, Args)]
pub(crate) struct ChangeArguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    new: NewPassphrase,
}

#[derive(Debug, Args)]
struct Place {
    /// The directory that holds the key file
    #[arg(long = "store", value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Print JSON, one object on a line
    #[arg(long)]
    json: bool,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// The directory cannot be made.
    #[error("the directory {directory} cannot be made: {source}")]
    Directory { directory: PathBuf, source: io::Error },
    /// There is no key file.
    #[error("there is no key file in {0}: make one with `hhs identity new`")]
    NoKeyFile(PathBuf),
    /// There is nobody.
    #[error("there is no identity in {0}: make one with `hhs identity new`")]
    Nobody(PathBuf),
    /// There is nobody of that name or id.
    #[error("there is no identity {whom:?} in {directory}: choose one of those that `hhs identity list` prints")]
    Unknown { directory: PathBuf, whom: String },
    /// There are several.
    #[error("there are {0} such identities: give the id of one, as `hhs identity list` prints it")]
    Several(usize),
    /// The key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// There is no new passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to: {0}")]
    Output(#[from] io::Error),
}

/// Runs a command.
///
/// # Errors
/// What kept it from being done.
pub(crate) async fn run(command: Command) -> Result<(), IdentityError> {
    let done = match command {
        Command::Show(arguments) => show(arguments).await,
        Command::New(arguments) => new(arguments).await,
        Command::List(arguments) => list(arguments).await,
        Command::Passphrase(arguments) => protect(arguments).await,
    };
    match done {
        Err(IdentityError::Output(error)) if reader_is_gone(&error) => Ok(()),
        done => done,
    }
}

async fn show(ShowArguments { place, whom }: ShowArguments) -> Result<(), IdentityError> {
    let keystore = place.open().await?;
    let mut all = keystore.identities();
    if all.is_empty() {
        return Err(IdentityError::Nobody(place.directory));
    }
    if let Some(whom) = whom {
        let id: Option<IdentityId> = whom.parse().ok();
        all.retain(|kept| Some(kept.id) == id || kept.identity.name() == Some(&whom));
        if all.is_empty() {
            return Err(IdentityError::Unknown { directory: place.directory, whom });
        }
    }
    let [kept] = &all[..] else { return Err(IdentityError::Several(all.len())) };
    let line = Line::of(kept, &keystore);
    let output = place.output();
    if output.is_json() {
        return Ok(output.json(&line)?);
    }
    let encrypted = if line.encrypted { "yes" } else { "no" };
    output.line(&output.paint(Paint::Bold, &line.shown_name()))?;
    for (what, value) in [("id", &*line.id), ("key", &line.key), ("may sign", &line.may), ("encrypted", encrypted)] {
        output.line(&format!("{what:<9}  {value}"))?;
    }
    Ok(())
}

async fn new(NewArguments { place, name, may }: NewArguments) -> Result<(), IdentityError> {
    directory::make_directory(&place.directory)
        .map_err(|source| IdentityError::Directory { directory: place.directory.clone(), source })?;
    let path = place.file();
    let mut keystore = match keys::open(&path, &place.passphrase).await? {
        Some(keystore) => keystore,
        None => keys::create(&path, &place.passphrase).await?,
    };
    let id = keystore.generate(name.as_str(), may).await.map_err(unchanged(&path))?;
    print(&keystore, |kept| kept.id == id, place.output())
}

async fn list(ListArguments { place }: ListArguments) -> Result<(), IdentityError> {
    print(&place.open().await?, |_| true, place.output())
}

async fn protect(ChangeArguments { place, new }: ChangeArguments) -> Result<(), IdentityError> {
    let mut keystore = place.open().await?;
    let passphrase = new.get()?;
    let protection = passphrase.map_or(Protection::Plain, Protection::from);
    keystore.protect(protection).await.map_err(unchanged(&place.file()))?;
    let output = place.output();
    let encrypted = keystore.is_encrypted();
    if output.is_json() {
        return Ok(output.json(&serde_json::json!({ "encrypted": encrypted }))?);
    }
    let state = if encrypted { "encrypted under the new passphrase" } else { "not encrypted" };
    Ok(output.line(&format!("{} is {state} now", place.file().display()))?)
}

fn print(keystore: &Keystore, wanted: impl Fn(&KeptIdentity) -> bool, output: Output) -> Result<(), IdentityError> {
    for kept in keystore.identities().iter().filter(|kept| wanted(kept)) {
        let line = Line::of(kept, keystore);
        if output.is_json() {
            output.json(&line)?;
        } else {
            let name = output.paint(Paint::Bold, &line.shown_name());
            output.line(&format!("{name}  {}  {}", line.id, output.paint(Paint::Dim, &line.may)))?;
        }
    }
    Ok(())
}

impl Place {
    fn file(&self) -> PathBuf {
        key_file(&self.directory)
    }

    async fn open(&self) -> Result<Keystore, IdentityError> {
        let keystore = keys::open(&self.file(), &self.passphrase).await?;
        keystore.ok_or_else(|| IdentityError::NoKeyFile(self.directory.clone()))
    }

    fn output(&self) -> Output {
        Output::new(self.json)
    }
}

/// What is printed of an identity.
#[derive(Serialize)]
struct Line {
    id: String,
    name: Option<String>,
    key: String,
    may: String,
    created: u64,
    encrypted: bool,
}

impl Line {
    fn of(kept: &KeptIdentity, keystore: &Keystore) -> Self {
        Self {
            id: kept.id.to_string(),
            name: kept.identity.name().map(str::to_owned),
            key: data_encoding::HEXLOWER.encode(kept.identity.key.as_bytes()),
            may: kept.policy.to_string(),
            created: kept.created,
            encrypted: keystore.is_encrypted(),
        }
    }

    fn shown_name(&self) -> String {
        printable(self.name.as_deref().unwrap_or("(no name)"))
    }
}
