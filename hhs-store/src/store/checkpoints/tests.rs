//! Which checkpoints stay.

use super::{Head, MAX_OLDER, thinned};
use hhs_model::OpId;

/// A replica grows for long, with a checkpoint after every thousand ops: a few stay, the older the further apart.
#[test]
fn checkpoints_of_a_long_history() {
    let mut kept: Vec<u64> = Vec::new();
    for position in (1..=1000).map(|round| round * 1000) {
        let gone = thinned(position, &kept);
        kept.retain(|old| !gone.contains(old));
        assert!(kept.len() <= MAX_OLDER, "{kept:?}");
        kept.push(position);
        assert!(position <= 4000 || position - kept[kept.len() - 2] <= 4000, "one is near: {kept:?}");
    }
    let gaps: Vec<u64> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(kept.len() >= 3 && gaps.is_sorted_by(|older, newer| older >= newer), "{kept:?}");
}

/// What stands over a checkpoint is read as it was written, and nothing else is.
#[test]
fn the_head_of_a_checkpoint() {
    let head = Head::new("notes".into(), OpId::of(b"last"), &[7; 3 << 20]);
    let bytes = head.to_bytes();
    assert_eq!(Head::from_bytes(&bytes), Ok(head));
    for end in 0..bytes.len() {
        assert!(Head::from_bytes(&bytes[..end]).is_err());
    }
}
