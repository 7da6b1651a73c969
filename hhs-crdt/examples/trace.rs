//! Runs editing histories of real documents through a `Text` and says how long that takes.
//!
//! `cargo run --release -p hhs-crdt --example trace FILE…`: files as `benches/traces` reads them. No signatures are made. The
//! programs that hold figures to bars are `benches/crdt` and `benches/rivals`.

use std::time::{Duration, Instant};

use bench_traces::{Concurrent, Sequential, Trace};
use hhs_crdt::{At, Field, Text, TextMutation};
use hhs_model::class::{Changes, Loader, NoRights, OpContext, Saver, Unseen};
use hhs_model::codec::{decode, encode};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::{IdentityId, OpId};

/// A replica of nothing but a text.
#[derive(Default)]
struct Replica {
    graph: Graph,
    text: Text,
}

impl Replica {
    fn apply(&mut self, author: u64, parents: &[u64], mutations: Vec<TextMutation>) {
        let position = self.graph.push(parents);
        let hidden = SharedPositions::default();
        let mut name = [0; 16];
        name[..8].copy_from_slice(&position.to_le_bytes());
        name[8..].copy_from_slice(&author.to_le_bytes());
        let op = OpContext {
            id: OpId::of(&name),
            position,
            height: self.graph.height(position),
            author: IdentityId::of(&author.to_le_bytes()),
            time: 0,
            act: None,
            graph: &self.graph,
            hidden: &hidden,
            rights: &NoRights,
            unseen: Unseen::default(),
        };
        for (index, mutation) in (0..).zip(mutations) {
            self.text.apply(mutation, At { op: &op, index }, &mut Changes::unwatched());
        }
    }
}

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    for file in files {
        match bench_traces::read(file.as_ref()).expect("a file with a trace") {
            Trace::Sequential(trace) => sequential(&file, &trace),
            Trace::Concurrent(trace) => concurrent(&file, &trace),
        }
    }
}

fn sequential(file: &str, trace: &Sequential) {
    println!("{file}: {} edits by one author", trace.edits.len());
    for batch in [1, 100, 1_000, usize::MAX] {
        let ((replica, payloads), time) = best(|| write(trace, batch));
        assert_eq!(replica.text.to_string(), trace.end, "the content agrees");
        let bytes: usize = payloads.iter().map(Vec::len).sum();
        let joint = payloads.concat();
        println!(
            "  {batch} edits an op: {time:.1?}, {} ops, {bytes} bytes, {} deflated",
            payloads.len(),
            deflated(&joint)
        );
        let (other, time) = best(|| read(&payloads));
        assert_eq!(other.text, replica.text);
        println!("    taken in: {time:.1?}");
        open(&replica.text);
    }
}

/// Writes a trace as a local author does.
fn write(trace: &Sequential, batch: usize) -> (Replica, Vec<Vec<u8>>) {
    let (mut replica, mut payloads) = (Replica::default(), Vec::new());
    if !trace.start.is_empty() {
        let mut edit = replica.text.edit();
        edit.push_str(&trace.start);
        let recorded = Text::finish(edit);
        replica.apply(0, &[], recorded.mutations);
    }
    for edits in trace.edits.chunks(batch) {
        let mut session = replica.text.edit();
        for edit in edits {
            session.splice(edit.position, edit.deleted, &edit.inserted);
        }
        let mutations = Text::finish(session).mutations;
        payloads.extend(mutations.iter().map(|mutation| encode(mutation).expect("it can be saved")));
        let heads = replica.graph.heads().to_vec();
        replica.apply(0, &heads, mutations);
    }
    (replica, payloads)
}

fn read(payloads: &[Vec<u8>]) -> Replica {
    let mut replica = Replica::default();
    for payload in payloads {
        let heads = replica.graph.heads().to_vec();
        replica.apply(0, &heads, vec![decode(payload).expect("what was written")]);
    }
    replica
}

fn open(text: &Text) {
    let mut saver = Saver::new();
    text.save(&mut saver);
    let bytes = saver.finish();
    let (opened, time) = best(|| Text::load(&mut Loader::new(&bytes)).expect("what was saved").to_string());
    assert_eq!(opened, text.to_string());
    println!("    opened from a checkpoint of {} bytes: {time:.1?}", bytes.len());
}

fn concurrent(file: &str, trace: &Concurrent) {
    println!("{file}: {} transactions", trace.transactions.len());
    // What an op carries is relative to its own past, as the trace has it.
    let made = write_concurrent(trace);
    let (replica, time) = best(|| merge(trace, &made));
    assert_eq!(replica.text.to_string(), trace.end, "the content agrees");
    println!("  merged: {time:.1?}");
    open(&replica.text);
}

fn write_concurrent(trace: &Concurrent) -> Vec<TextMutation> {
    let blank = " ".repeat(trace.end.len() + 1_000_000);
    let mut scratch = Replica::default();
    let mut edit = scratch.text.edit();
    edit.push_str(&blank);
    let mutations = Text::finish(edit).mutations;
    scratch.apply(0, &[], mutations);
    let write = |transaction: &bench_traces::Transaction| {
        // The positions are all that counts.
        let mut session = scratch.text.edit();
        for edit in &transaction.edits {
            session.splice(edit.position, edit.deleted, &edit.inserted);
        }
        let mut mutations = Text::finish(session).mutations;
        mutations.pop()
    };
    trace.transactions.iter().map(|transaction| write(transaction).expect("a transaction has an effect")).collect()
}

fn merge(trace: &Concurrent, made: &[TextMutation]) -> Replica {
    let mut replica = Replica::default();
    for (transaction, mutation) in trace.transactions.iter().zip(made) {
        let parents: Vec<u64> = transaction.parents.iter().map(|parent| *parent as u64).collect();
        replica.apply(transaction.agent as u64, &parents, vec![mutation.clone()]);
    }
    replica
}

fn deflated(bytes: &[u8]) -> usize {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it").len()
}

fn best<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut time = || {
        #[expect(clippy::disallowed_methods, reason = "a program that measures is where time comes in")]
        let start = Instant::now();
        let result = run();
        (result, start.elapsed())
    };
    let first = time();
    (0..4).map(|_| time()).fold(first, |best, next| if next.1 < best.1 { next } else { best })
}
