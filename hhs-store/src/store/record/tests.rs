//! Records at their limits.

use hhs_model::authority::Seen;

use super::OpRecord;

/// A member grants millions of times without looking at their own grants, and somebody merges all of it: what the merge has
/// seen is larger than a block. The record is written all the same, and it is for the backend to say that it is too large.
#[test]
fn an_op_that_has_seen_more_than_fits_into_a_block() {
    let seen = Seen((1 << 20..3 << 20).collect());
    let record = OpRecord { height: 7, parents: vec![1, 2], seen, header: vec![0; 400] };
    let bytes = record.to_bytes();
    assert!(bytes.len() > hhs_model::bounds::MAX_BLOCK_BYTES);
    assert_eq!(OpRecord::from_bytes(&bytes).ok(), Some(record));
}
