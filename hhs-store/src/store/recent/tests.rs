//! The bound holds, and what is in use stays.

use super::*;

/// A thousand keys pass by, and one is asked for all the time: it stays, and not much else does.
#[test]
fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
    let mut map = Recent::new(10);
    map.put(u32::MAX, 'x');
    for key in 0..1000 {
        map.put(key, 'y');
        assert_eq!(map.get(u32::MAX), Some('x'), "after {key}");
        assert!(map.recent.len() <= 10 && map.older.len() <= 10);
    }
    assert_eq!((map.get(0), map.get(999)), (None, Some('y')));
}

/// What is taken is there no more, in whichever generation it was.
#[test]
fn what_is_taken_is_gone() {
    let mut map = Recent::new(2);
    (0..3).for_each(|key| map.put(key, key));
    assert_eq!((map.take(&0), map.take(&0), map.take(&2), map.take(&2)), (Some(0), None, Some(2), None));
    assert_eq!(map.get(1), Some(1));
}
