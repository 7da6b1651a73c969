//! `hhs store stats`: how much is in a store, and what takes its room.

use std::io;

use hhs::store::{Room, Stats};
use serde::Serialize;

use super::{Arguments, StoreCommandError, file};
use crate::node::open_store;
use crate::output::{Output, printable};

#[derive(Debug, Serialize)]
struct Report<'a> {
    entries: u64,
    stored_bytes: u64,
    disk_bytes: u64,
    index_bytes: u64,
    checkpoint_bytes: u64,
    deleting: u64,
    replicas: Vec<Replica<'a>>,
    classes: Vec<Class<'a>>,
}

#[derive(Debug, Serialize)]
struct Replica<'a> {
    replica: String,
    class: &'a str,
    ops: u64,
    heads: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Class<'a> {
    class: &'a str,
    objects: u64,
    bytes: u64,
}

/// Prints the statistics of a store. It reads everything in it.
///
/// # Errors
/// If there is no store, or it cannot be read.
pub(super) async fn run(arguments: Arguments) -> Result<(), StoreCommandError> {
    let store = open_store(&file(&arguments.store.directory)?).await?;
    let (stats, room) = (store.stats().await?, store.room().await?);
    let report = report(&stats, &room);
    let output = Output::new(arguments.json);
    let written = if output.is_json() { output.json(&report) } else { print(&output, &report) };
    Ok(written?)
}

fn report<'a>(stats: &'a Stats, room: &'a Room) -> Report<'a> {
    let replica = |replica: &'a hhs::store::ReplicaStats| Replica {
        replica: replica.id.to_string(),
        class: &replica.class,
        ops: replica.ops,
        heads: replica.heads,
        bytes: room.replicas.get(&replica.id).map_or(0, |ops| ops.records.bytes + ops.payloads.bytes),
    };
    let class = |(class, amount): (&'a String, &hhs::store::Amount)| Class {
        class,
        objects: amount.count,
        bytes: amount.bytes,
    };
    Report {
        entries: stats.backend.entries,
        stored_bytes: stats.backend.stored_bytes,
        disk_bytes: stats.backend.disk_bytes,
        index_bytes: room.indexes.bytes,
        checkpoint_bytes: room.checkpoints.bytes,
        deleting: stats.deleting,
        replicas: stats.replicas.iter().map(replica).collect(),
        classes: room.classes.iter().map(class).collect(),
    }
}

fn print(output: &Output, report: &Report<'_>) -> io::Result<()> {
    let Report { entries, stored_bytes, disk_bytes, index_bytes, checkpoint_bytes, deleting, replicas, classes } =
        report;
    output.line(&format!(
        "{entries} entries, {stored_bytes} bytes; {disk_bytes} bytes on the disk; {index_bytes} bytes are indexes, {checkpoint_bytes} \
         checkpoints"
    ))?;
    for Replica { replica, class, ops, heads, bytes } in replicas {
        output.line(&format!("{replica}  {}  {ops} ops, {heads} heads, {bytes} bytes", printable(class)))?;
    }
    for Class { class, objects, bytes } in classes {
        output.line(&format!("{}  {objects} objects, {bytes} bytes", printable(class)))?;
    }
    if *deleting > 0 {
        output.line(&format!("{deleting} replicas are being deleted; opening the store goes on with it"))?;
    }
    Ok(())
}
