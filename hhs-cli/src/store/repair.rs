//! `hhs store repair`: indexes in place, and a new store from what is sound where more is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use hhs::model::Registry;
use hhs::prelude::{RedbBackend, Store};
use hhs::store::{Depth, Salvaged};
use serde::Serialize;

use super::check::{check, check_file};
use super::{Arguments, StoreCommandError, file};
use crate::output::Output;

/// What is printed of something that was lost.
#[derive(Debug, Serialize)]
struct LostLine {
    event: &'static str,
    id: Option<String>,
    reason: String,
}

/// What is printed at the end.
#[derive(Debug, Serialize)]
struct Report {
    event: &'static str,
    /// `sound` (nothing was done), `indexes` or `salvaged`.
    done: &'static str,
    objects: u64,
    replicas: u64,
    ops: u64,
    lost: u64,
    /// Where the old store is now.
    old: Option<PathBuf>,
}

/// Repairs a store.
///
/// # Errors
/// If its file cannot be read at all, or the disk is full. The store is as it was then.
pub(super) async fn run(arguments: Arguments) -> Result<(), StoreCommandError> {
    let output = Output::new(arguments.json);
    let file = file(&arguments.store.directory)?;
    check_file(&file)?;
    let checked = check(&file, Depth::Signatures, drop).await?;
    let mut report = Report {
        event: "repaired",
        done: "sound",
        objects: checked.objects,
        replicas: checked.replicas,
        ops: checked.ops,
        lost: 0,
        old: None,
    };
    if checked.damage > 0 {
        let (salvaged, old) = salvage(&file, &output).await?;
        let Salvaged { objects, replicas, ops, lost, .. } = salvaged;
        report = Report { done: "salvaged", objects, replicas, ops, lost, old: Some(old), ..report };
    } else if checked.index > 0 {
        Store::rebuild_indexes(&RedbBackend::open(&file)?).await?;
        report.done = "indexes";
    }
    Ok(print(&output, &report)?)
}

/// Saves what is sound into a new store that takes the place of the old one; where the old one is then.
async fn salvage(file: &Path, output: &Output) -> Result<(Salvaged, PathBuf), StoreCommandError> {
    let (new, old) = (beside(file, "repaired"), free_beside(file, "damaged"));
    if new.exists() {
        // Of a repair that was interrupted.
        fs::remove_file(&new)?;
    }
    let mut lost = Vec::new();
    let salvaged = {
        let from = RedbBackend::open(file)?;
        let tell = |what: hhs::store::Lost| lost.push(what);
        let (store, salvaged) = Store::salvage(&from, RedbBackend::open(&new)?, Registry::new(), tell).await?;
        drop(store);
        salvaged
    };
    for lost in lost {
        let line = LostLine { event: "lost", id: lost.id.map(|id| id.to_string()), reason: lost.reason };
        match output.is_json() {
            true => output.json(&line)?,
            false => output.line(&format!("lost: {} ({})", line.id.as_deref().unwrap_or("an entry"), line.reason))?,
        }
    }
    put_in_place(&new, file, &old)?;
    Ok((salvaged, old))
}

/// Gives the new file the name of the old one, which keeps another. At every moment there is a store under that name.
fn put_in_place(new: &Path, file: &Path, old: &Path) -> Result<(), StoreCommandError> {
    let failed = |what: &Path, to: &Path| {
        let (what, to) = (what.to_owned(), to.to_owned());
        |source| StoreCommandError::Rename { what, to, source }
    };
    fs::hard_link(file, old).map_err(failed(file, old))?;
    fs::rename(new, file).map_err(failed(new, file))?;
    if cfg!(unix) {
        // The new names survive the loss of power only once the directory was flushed too.
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    file.with_file_name(name)
}

/// A name beside a file that nothing has yet: an older damaged store is not overwritten.
fn free_beside(file: &Path, suffix: &str) -> PathBuf {
    let names = std::iter::once(suffix.to_owned()).chain((2..).map(|number: u32| format!("{suffix}-{number}")));
    let mut paths = names.map(|name| beside(file, &name));
    paths.find(|path| !path.exists()).expect("a directory has fewer files than there are numbers")
}

fn print(output: &Output, report: &Report) -> std::io::Result<()> {
    if output.is_json() {
        return output.json(report);
    }
    let Report { done, objects, replicas, ops, lost, old, .. } = report;
    match (*done, old) {
        ("sound", _) => output.line("all is sound: nothing was done"),
        ("indexes", _) => output.line("the indexes were made again"),
        (_, old) => {
            output.line(&format!(
                "{objects} objects, {replicas} replicas and {ops} ops were saved, {lost} things lost"
            ))?;
            let old = old.as_deref().unwrap_or(Path::new("")).display();
            output.line(&format!("the damaged store is kept in {old}"))
        }
    }
}
