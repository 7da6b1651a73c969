//! Delta sync: moves exactly the ops that one side lacks.
//!
//! Who lacks ops says which heads it wants and which it has. If the other side knows all of those, the difference of the
//! two versions is exact and is sent at once. If not, because both have written, it first lists the ids of what it would
//! send, from the top, and is told which of them are there already, which leaves less to send; the next list goes on below,
//! four times as long, until nothing is left that was not listed. So the whole costs a few round trips and bytes in
//! proportion to the difference, never to the history. Batches come parents first, a few ahead of what has been dealt with.
//! What has been kept stays kept, so that a broken transfer goes on where it was.

mod fetch;
mod message;
mod serve;

pub use fetch::{Fetch, Lack, Phase};
pub use message::{Message, OpBytes};
pub use serve::Serve;

/// Ids in one list at most.
pub(crate) const LONGEST_LIST: u64 = 16_384;
/// Ops that are named as had, in one request at most. With as many heads as there may be, and what else a message names,
/// that stays below the bound on links.
pub(crate) const MAX_HAVE: usize = 32_768;
