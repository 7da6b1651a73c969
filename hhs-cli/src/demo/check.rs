//! The check at the end: what the three stores hold, read by this process once theirs have ended.

use std::path::Path;

use hhs::model::Frontier;

use super::DemoError;
use super::report::{Report, Step};
use crate::chat::{MessageLine, read_log};

/// Reads the stores and compares them; returns the messages that all have.
///
/// # Errors
/// If a store cannot be read, or the three are not equal.
pub(super) async fn compare(
    stores: [(&'static str, &Path); 3],
    expected: usize,
    report: &Report,
) -> Result<Vec<MessageLine>, DemoError> {
    let mut first: Option<(Frontier, Vec<MessageLine>)> = None;
    let mut equal = true;
    for (person, directory) in stores {
        let log = read_log(directory).await.map_err(|source| DemoError::Store { person, source })?;
        let heads = log.frontier.heads.iter().map(ToString::to_string).collect();
        report.step(&Step::Checked { person, messages: log.messages.len(), ops: log.ops, heads })?;
        equal &= log.messages.len() == expected;
        match &first {
            None => first = Some((log.frontier, log.messages)),
            Some((frontier, messages)) => equal &= *frontier == log.frontier && *messages == log.messages,
        }
    }
    match first {
        Some((_, messages)) if equal => Ok(messages),
        _ => Err(DemoError::Unequal),
    }
}
