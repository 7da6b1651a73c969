//! `PositiveCounter`: a number that never goes below zero.

use hhs_model::IdentityId;

use super::{Machine, Rejection};

/// The machine of a number that begins at zero and never goes below: entries are added to it, and those that would make it
/// negative, or greater than it can be, have no effect.
///
/// ```
/// use hhs_crdt::{Ledger, PositiveCounter, Replica};
///
/// #[derive(Replica)]
/// #[replica(class = "purse/v1/Purse")]
/// struct Purse {
///     coins: Ledger<PositiveCounter>,
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PositiveCounter;

impl Machine for PositiveCounter {
    type Entry = i64;
    type State = u64;

    fn start() -> u64 {
        0
    }

    fn apply(state: &mut u64, entry: &i64, _author: &IdentityId) -> Result<(), Rejection> {
        let sum = state.checked_add_signed(*entry);
        *state = sum.ok_or_else(|| Rejection::new(format!("{state} and {entry} is no number from 0 to 2⁶⁴ − 1")))?;
        Ok(())
    }
}
