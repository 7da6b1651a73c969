//! The files of golden vectors: their names and texts.

use serde_json::{Value as Json, json};

#[path = "authority.rs"]
mod authority;
#[path = "identities.rs"]
pub(crate) mod identities;
#[path = "ops.rs"]
mod ops;
#[path = "refused.rs"]
pub(crate) mod refused;
#[path = "signatures.rs"]
pub(crate) mod signatures;
#[path = "typed.rs"]
mod typed;
#[path = "values.rs"]
pub(crate) mod values;

/// Every file with its text, one vector a line.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![
        file(
            "values.json",
            "Values, their canonical bytes and their ids; docs/format.md says how values stand here.",
            values::all(),
        ),
        file(
            "refused.json",
            "Bytes that are no value, with our reason, and which of the other implementations refuse them.",
            refused::all(),
        ),
        file("identities.json", "Identities: their parts, their bytes and their ids.", identities::all()),
        file(
            "signatures.json",
            "Signatures over messages bound to a domain, good and bad; singly and in batches alike.",
            signatures::all(),
        ),
        file(
            "ops.json",
            "Geneses, and headers of ops with their payloads, signed by the keys in identities.json.",
            ops::all(),
        ),
        file(
            "authority.json",
            "Histories of authority: geneses, ops in causal order, and the verdict on each op when all of them are there.",
            authority::all(),
        ),
        file(
            "derived.json",
            "Children of replicas, whose ids follow from the parent, the path and the class.",
            ops::derived(),
        ),
    ]
}

fn file(name: &'static str, about: &str, vectors: Vec<Json>) -> (&'static str, String) {
    let lines: Vec<String> = vectors.iter().map(|vector| format!("    {vector}")).collect();
    (name, format!("{{\n  \"about\": {},\n  \"vectors\": [\n{}\n  ]\n}}\n", json!(about), lines.join(",\n")))
}

/// Bytes as they stand in the files.
fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}
