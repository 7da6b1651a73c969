//! Any trace of editing, through a text.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bench_harness::{Outcome, milliseconds, timed};
use bench_traces::{Concurrent, Edit, Sequential, Trace};
use hhs_crdt::{Replica, Text};
use hhs_model::bounds::{MAX_PACK_BYTES, MAX_PACK_OPS};
use hhs_model::class::Draft;
use hhs_model::op::pack;
use hhs_model::replay::Replay;
use serde::Serialize;

use crate::replica::{Held, History};

#[cfg(test)]
mod tests;

/// Runs each file, and prints a line for it. Exit code 1 where a file cannot be read or does not agree.
pub(crate) fn run(files: &[PathBuf], json: bool) -> Outcome<ExitCode> {
    let mut well = true;
    for file in files {
        match ran(file) {
            Ok(ran) => {
                well &= ran.agrees;
                println!("{}", if json { serde_json::to_string(&ran)? } else { ran.in_words() });
            }
            Err(error) => {
                well = false;
                eprintln!("error: {error}");
            }
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What came of a file.
#[derive(Debug, Serialize)]
struct Ran {
    file: PathBuf,
    /// `sequential` or `concurrent`.
    form: &'static str,
    edits: usize,
    /// One for each transaction of several authors; one for each thousand edits of one author.
    ops: usize,
    /// To write all of it as one author, or to take in the ops of several.
    ms: f64,
    /// From a checkpoint, up to the whole text.
    ms_to_open: f64,
    /// The history with room for its signatures, packed.
    bytes: usize,
    /// Whether the content at the end is what the file says, from the checkpoint too.
    agrees: bool,
}

impl Ran {
    fn in_words(&self) -> String {
        let Self { file, form, edits, ops, ms, ms_to_open, bytes, agrees } = self;
        let agrees = if *agrees { "the content agrees" } else { "THE CONTENT DIFFERS" };
        let file = file.display();
        format!(
            "{file}: {form}, {edits} edits in {ops} ops, {ms:.1} ms, {bytes} bytes, opened in {ms_to_open:.2} ms, {agrees}"
        )
    }
}

#[derive(Replica)]
#[replica(class = "bench/v1/Page")]
struct Page {
    text: Text,
}

/// Edits in an op of one author.
const EDITS_PER_OP: usize = 1_000;

fn ran(file: &Path) -> Outcome<Ran> {
    let trace = bench_traces::read(file)?;
    let (form, (history, replay, time)) = match &trace {
        Trace::Sequential(trace) => ("sequential", typed(trace)?),
        Trace::Concurrent(trace) => ("concurrent", merged(trace)?),
    };
    let saved = replay.save();
    let (opened, opening) = timed(|| -> Outcome<String> {
        let opened = Replay::<Page>::load(&saved, &history.authority)?.ok_or("the checkpoint is outdated")?;
        Ok(opened.state().text.to_string())
    });
    Ok(Ran {
        file: file.to_owned(),
        form,
        edits: trace.edits(),
        ops: history.held.len(),
        ms: milliseconds(time),
        ms_to_open: milliseconds(opening),
        bytes: packed(&history.held)?,
        agrees: replay.state().text.to_string() == trace.end() && opened? == trace.end(),
    })
}

type Ended = (History, Replay<Page>, Duration);

/// Writes op after op; each shows before the next is written.
fn typed(trace: &Sequential) -> Outcome<Ended> {
    let mut history = History::new::<Page>()?;
    let mut replay = history.replay::<Page>();
    let (done, time) = timed(|| -> Outcome<()> {
        let mut edits = trace.edits_from_empty().peekable();
        while edits.peek().is_some() {
            let mut edit = replay.state().edit();
            for (position, deleted, inserted) in edits.by_ref().take(EDITS_PER_OP) {
                edit.text.splice(position, deleted, inserted);
            }
            let draft = Page::finish(edit)?;
            history.push(0, replay.graph().heads(), draft)?;
            history.catch_up(&mut replay);
        }
        Ok(())
    });
    done?;
    Ok((history, replay, time))
}

/// Takes in the ops that the agents would have written.
fn merged(trace: &Concurrent) -> Outcome<Ended> {
    let mut history = History::new::<Page>()?;
    let scratch = scratch(trace)?;
    for transaction in &trace.transactions {
        let parents: Vec<u64> = transaction.parents.iter().map(|parent| *parent as u64).collect();
        history.push(transaction.agent as u64, &parents, draft(&scratch, &transaction.edits)?)?;
    }
    let (replay, time) = timed(|| history.replay::<Page>());
    Ok((history, replay, time))
}

/// A text so long that every position of the trace is in it: an op says positions in what its author saw, not what stood there.
fn scratch(trace: &Concurrent) -> Outcome<Page> {
    let edits = || trace.transactions.iter().flat_map(|transaction| &transaction.edits);
    let furthest = edits().map(|edit| edit.position.saturating_add(edit.deleted)).max().unwrap_or(0);
    let inserted: usize = edits().map(|edit| edit.inserted.chars().count()).sum();
    if furthest > inserted {
        return Err(format!("an edit reaches to {furthest}, but only {inserted} characters are ever inserted").into());
    }
    let mut history = History::new::<Page>()?;
    let empty = Page::new();
    let mut edit = empty.edit();
    edit.text.push_str(&" ".repeat(inserted));
    history.push(0, &[], Page::finish(edit)?)?;
    Ok(history.replay().into_state())
}

fn draft(scratch: &Page, edits: &[Edit]) -> Outcome<Draft> {
    let mut edit = scratch.edit();
    for Edit { position, deleted, inserted } in edits {
        edit.text.splice(*position, *deleted, inserted);
    }
    Ok(Page::finish(edit)?)
}

/// How many bytes the ops take in packs as large as they may be.
fn packed(held: &[Held]) -> Outcome<usize> {
    let size = |held: &Held| held.op.bytes().len() + held.payload.as_ref().map_or(0, Vec::len);
    let (mut sum, mut first) = (0, 0);
    while first < held.len() {
        let mut bytes = 0;
        let fits = held[first..].iter().take(MAX_PACK_OPS).take_while(|held| {
            bytes += size(held);
            bytes <= MAX_PACK_BYTES / 2
        });
        let end = first + fits.count().max(1);
        sum += pack(held[first..end].iter().map(|held| (&held.op, held.payload.as_deref())))?.len();
        first = end;
    }
    Ok(sum)
}
