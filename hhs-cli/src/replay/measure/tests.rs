//! Outcomes are equal only if everything is.

use super::*;

fn outcome() -> Outcome {
    Outcome { entries: 2, frontier: vec!["a".into()], state: "00".into() }
}

/// Each of the three parts that two sides can differ in is told apart.
#[test]
fn any_difference_is_found_and_named() {
    assert_eq!(outcome().difference(&outcome()), None);
    let differs = |other: Outcome| outcome().difference(&other).unwrap();
    assert!(differs(Outcome { entries: 3, ..outcome() }).contains("2 entries, the other 3"));
    assert!(differs(Outcome { frontier: vec![], ..outcome() }).contains("frontiers"));
    assert!(differs(Outcome { state: "01".into(), ..outcome() }).contains("entries are not the same"));
}

/// On Linux the system tells how much memory was used at most: no less than a test needs, no more than there is.
#[test]
#[cfg(target_os = "linux")]
fn the_peak_of_memory_is_known() {
    let peak = peak_bytes();
    assert!((1 << 20..1 << 40).contains(&peak), "{peak}");
}
