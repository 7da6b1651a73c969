//! The form of the figures, which programs rely on.

use super::*;

fn report() -> Report {
    Report {
        ops: 41_328,
        authors: 1335,
        merges: 17_043,
        build_s: 2.5,
        sync_s: 2.0,
        ops_per_s: 20_664.0,
        wire_bytes_per_op: 480.25,
        peak_bytes_builder: 90_000_000,
        peak_bytes_fetcher: 0,
        equal: true,
    }
}

/// The last line of `--json` has these keys, in this order.
#[test]
fn the_figures_have_the_keys_that_programs_expect() {
    let expected = "{\"ops\":41328,\"authors\":1335,\"merges\":17043,\"build_s\":2.5,\"sync_s\":2.0,\
        \"ops_per_s\":20664.0,\"wire_bytes_per_op\":480.25,\"peak_bytes_builder\":90000000,\"peak_bytes_fetcher\":0,\
        \"equal\":true}";
    assert_eq!(serde_json::to_string(&report()).unwrap(), expected);
}

/// People get the same in aligned lines, and are told what is not known.
#[test]
fn the_summary_is_aligned() {
    let text = summary(&report());
    assert!(text.contains("ops              41,328\n"), "{text}");
    assert!(text.contains("synchronised in  2.00 s: 20,664 ops/s\n"), "{text}");
    assert!(text.contains("memory, fetcher  unknown\n"), "{text}");
    assert!(text.ends_with("equal            yes: same frontier, same state"), "{text}");
}

/// Thousands are set apart from the right.
#[test]
fn large_numbers_are_grouped() {
    let texts = [0, 999, 1000, 1_234_567].map(grouped);
    assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
}
