//! Records at their limits.

use hhs_model::authority::Seen;

use super::{OpRecord, Signed};

fn bytes_of(record: &OpRecord) -> Vec<u8> {
    let OpRecord { height, parents, seen, header, payload } = record;
    OpRecord::encode(*height, parents, seen, header, payload.as_deref())
}

/// A member grants millions of times without looking at their own grants, and somebody merges all of it: what the merge has
/// seen is larger than a block. The record is written all the same, and it is for the backend to say that it is too large.
#[test]
fn an_op_that_has_seen_more_than_fits_into_a_block() {
    let seen = Seen::acts((1 << 20..5 << 20).step_by(2).collect());
    let record = OpRecord { height: 7, parents: vec![1, 2], seen, header: vec![0; 400], payload: None };
    let bytes = bytes_of(&record);
    assert!(bytes.len() > hhs_model::bounds::MAX_BLOCK_BYTES);
    assert_eq!(OpRecord::from_bytes(&bytes).ok(), Some(record));
}

/// Records with and without a payload, an empty one among them, are read part by part as they are read whole.
#[test]
fn the_parts_of_a_record() {
    for payload in [None, Some(vec![]), Some(vec![5; 30]), Some(vec![6; 1024])] {
        let record = OpRecord {
            height: 300,
            parents: vec![1, 70_000],
            seen: Seen::acts(vec![3]),
            header: vec![9; 300],
            payload,
        };
        let bytes = bytes_of(&record);
        assert_eq!(OpRecord::from_bytes(&bytes).ok().as_ref(), Some(&record));
        let OpRecord { height, parents, seen, header, payload } = record.clone();
        let signed = Signed { height, parents, seen, header, payload };
        assert_eq!(OpRecord::into_signed(bytes.clone()).ok(), Some(signed));
        assert_eq!(OpRecord::into_header(bytes.clone()).ok().as_ref(), Some(&record.header));
        assert_eq!(OpRecord::header_of(&bytes).ok(), Some(record.header.as_slice()));
        assert_eq!(OpRecord::payload_bytes(&bytes).ok(), Some(record.payload.as_ref().map(Vec::len)));
        assert_eq!(OpRecord::parents_of(&bytes).ok(), Some(record.parents));
        for end in 0..bytes.len() {
            assert!(
                OpRecord::from_bytes(&bytes[..end]).is_err() && OpRecord::into_signed(bytes[..end].to_vec()).is_err()
            );
        }
        assert!(OpRecord::header_of(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}
