//! Reading what benchmark programs print.

use super::{MeasureError, lines, replay};

const LAST: &str = r#"{"ops":41328,"authors":900,"merges":17043,"build_s":3.1,"sync_s":2.0,"ops_per_s":20664.0,"wire_bytes_per_op":412.5,"peak_bytes_builder":1,"peak_bytes_fetcher":2,"equal":true}"#;

/// Replay prints its progress and then its figures: the last line counts.
#[test]
fn the_last_line_of_a_replay_is_measured() {
    let measured = replay(&format!("{{\"event\":\"progress\"}}\n{LAST}\n")).unwrap();
    let figures: Vec<_> = measured.iter().map(|measured| (measured.name.as_str(), measured.figure)).collect();
    assert_eq!(figures, [("replay sync", 20_664.0), ("replay wire", 412.5)]);
}

/// A replay whose stores differ is fast for nothing.
#[test]
fn a_replay_with_unequal_stores_does_not_count() {
    let error = replay(&LAST.replace("\"equal\":true", "\"equal\":false")).unwrap_err();
    assert!(matches!(error, MeasureError::Unequal), "{error}");
}

/// No output, or prose instead of JSON: the message shows the line.
#[test]
fn output_that_is_no_measurement_is_an_error() {
    assert!(matches!(replay(""), Err(MeasureError::Silent)));
    assert!(matches!(lines("\n"), Err(MeasureError::Silent)));
    assert!(lines("done in 3 s").unwrap_err().to_string().contains("done in 3 s"));
}

/// A benchmark may print a verdict of its own along with its figures; only the figures are read.
#[test]
fn further_fields_of_a_line_are_ignored() {
    let line = r#"{"group":"model","name":"encode","figure":410,"unit":"ns","reference":180,"reference_name":"ciborium","ratio":2.3,"met":true}"#;
    let measured = lines(line).unwrap();
    assert_eq!((measured[0].figure, measured[0].reference), (410.0, Some(180.0)));
}
