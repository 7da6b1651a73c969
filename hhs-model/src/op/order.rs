//! Sets of ids in headers: strictly ascending lists, bounded before anything is allocated.

use crate::codec::{Decode, DecodeError, Decoder, Encoder};

/// Reads a strictly ascending list of at most `limit` items.
pub(super) fn ascending<T: Decode + Ord>(
    decoder: &mut Decoder<'_>,
    what: &'static str,
    limit: usize,
) -> Result<Vec<T>, DecodeError> {
    let count = decoder.list()?;
    if count > limit {
        return Err(DecodeError::Bound { what, count, limit });
    }
    let mut items: Vec<T> = Vec::with_capacity(count);
    for _ in 0..count {
        let at = decoder.position();
        let item = T::decode(decoder)?;
        if items.last().is_some_and(|last| *last >= item) {
            return Err(DecodeError::ItemOrder(at));
        }
        items.push(item);
    }
    decoder.leave();
    Ok(items)
}

/// Checks that `items` may be written as such a list.
pub(super) fn check<T: Ord>(encoder: &mut Encoder, items: &[T], what: &'static str, limit: usize) {
    use crate::codec::EncodeError;
    if items.len() > limit {
        encoder.fail(EncodeError::Bound { what, count: items.len(), limit });
    }
    if !items.is_sorted_by(|a, b| a < b) {
        encoder.fail(EncodeError::ItemOrder(what));
    }
}
