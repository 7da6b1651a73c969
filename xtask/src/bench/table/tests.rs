//! The two forms in which bars are shown.

use super::{json_lines, table};
use crate::bench::bar::Judged;

/// Columns line up, a bar without a reference has a dash, a missed bar stands out.
#[test]
fn the_table_lines_up() {
    let expected = "\
mesh
  bar           figure        floor or rival     ratio   target
  replay sync   20664 ops/s   –                  2.07    ≥ 10000 ops/s   met
  encode        410 ns        100 ns (SHA-256)   4.10    ≤ 3 ×           NOT MET
";
    assert_eq!(table("mesh", &bars()), expected);
}

/// Programs read one object a line, with every field in each.
#[test]
fn json_has_one_object_a_line() {
    let text = json_lines("mesh", &bars());
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for field in ["group", "name", "figure", "unit", "reference", "reference_name", "ratio", "target", "met"] {
        assert!(lines.iter().all(|line| line.get(field).is_some()), "{field} is missing");
    }
    assert_eq!(lines[0]["figure"], 20_664.0);
    assert_eq!(lines[1]["met"], false);
}

fn bars() -> Vec<Judged> {
    vec![
        Judged {
            name: "replay sync",
            figure: 20_664.0,
            unit: "ops/s",
            reference: None,
            reference_name: None,
            ratio: 2.0664,
            target: "≥ 10000 ops/s".into(),
            met: true,
        },
        Judged {
            name: "encode",
            figure: 410.0,
            unit: "ns",
            reference: Some(100.0),
            reference_name: Some("SHA-256".into()),
            ratio: 4.1,
            target: "≤ 3 ×".into(),
            met: false,
        },
    ]
}
