//! `hhs store check`: the file first, then what is in it.

use std::io;
use std::path::Path;

use hhs::model::Registry;
use hhs::prelude::{RedbBackend, Store};
use hhs::redb::{self, Options};
use hhs::store::{BackendError, Checked, Depth, Finding, Severity};
use serde::Serialize;

use super::{CheckArguments, StoreCommandError, file};
use crate::output::Output;
use crate::progress::Progress;

/// What is printed of a finding.
#[derive(Debug, Serialize)]
struct FindingLine {
    event: &'static str,
    severity: &'static str,
    says: &'static str,
    key: String,
}

/// What is printed at the end.
#[derive(Debug, Serialize)]
struct Report {
    event: &'static str,
    sound: bool,
    objects: u64,
    replicas: u64,
    ops: u64,
    loose: u64,
    index: u64,
    damage: u64,
}

/// Checks a store.
///
/// # Errors
/// If there is none, or it is not sound.
pub(super) async fn run(arguments: CheckArguments) -> Result<(), StoreCommandError> {
    let CheckArguments { store, signatures } = arguments;
    let output = Output::new(store.json);
    let file = file(&store.store.directory)?;
    let depth = if signatures { Depth::Signatures } else { Depth::Structure };
    check_file(&file)?;
    let mut shown = Shown { output, count: 0, failed: None };
    let checked = check(&file, depth, |finding| shown.add(&finding)).await?;
    shown.finish()?;
    print(&output, &checked)?;
    if checked.is_sound() { Ok(()) } else { Err(StoreCommandError::Unsound(store.store.directory)) }
}

/// Checks the file itself; what the engine can put right without a loss it puts right.
///
/// # Errors
/// If it is damaged, or in use.
pub(super) fn check_file(file: &Path) -> Result<(), StoreCommandError> {
    let progress = Progress::of("entries of the file", 0);
    let checked = redb::check(file, &Options::default(), |at| progress.of_at(at.total, at.done));
    progress.finish();
    match checked {
        Ok(_) => Ok(()),
        Err(error @ BackendError::Corrupted { .. }) => Err(StoreCommandError::Unreadable(error)),
        Err(error) => Err(error.into()),
    }
}

/// Checks what is in the file.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn check(
    file: &Path,
    depth: Depth,
    found: impl FnMut(Finding) + Send,
) -> Result<Checked, StoreCommandError> {
    let backend = RedbBackend::open(file)?;
    Ok(Store::check_backend(&backend, &Registry::new(), depth, found).await?)
}

/// Prints findings as they come, up to a bound: a store that is damaged in one place may have many.
struct Shown {
    output: Output,
    count: usize,
    failed: Option<io::Error>,
}

impl Shown {
    fn add(&mut self, finding: &Finding) {
        self.count += 1;
        if self.failed.is_none() && (self.count <= MAX_SHOWN || self.output.is_json()) {
            self.failed = self.show(finding).err();
        }
    }

    fn show(&self, finding: &Finding) -> io::Result<()> {
        if !self.output.is_json() {
            return self.output.line(&finding.to_string());
        }
        let severity = match finding.severity {
            Severity::Loose => "loose",
            Severity::Index => "index",
            Severity::Damage => "damage",
        };
        let key = data_encoding::HEXLOWER.encode(&finding.key);
        self.output.json(&FindingLine { event: "finding", severity, says: finding.says, key })
    }

    fn finish(self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None if self.count > MAX_SHOWN && !self.output.is_json() => {
                self.output.line(&format!("… and {} more", self.count - MAX_SHOWN))
            }
            None => Ok(()),
        }
    }
}

fn print(output: &Output, checked: &Checked) -> io::Result<()> {
    let Checked { objects, replicas, ops, loose, index, damage, .. } = *checked;
    let sound = checked.is_sound();
    if output.is_json() {
        let event = "checked";
        return output.json(&Report { event, sound, objects, replicas, ops, loose, index, damage });
    }
    output.line(&format!("{objects} objects, {replicas} replicas and {ops} ops were looked at"))?;
    match sound {
        true => output.line("all is sound"),
        false => output.line(&format!("{damage} are damaged, {index} index entries are wrong")),
    }
}

/// Findings that are printed for people.
const MAX_SHOWN: usize = 100;
