//! Judged bars for people (one aligned table) and for programs (one JSON object a line).

use serde::Serialize;

use super::bar::Judged;

/// One line a bar: name, figure, floor or rival, ratio, target, met or not.
pub(crate) fn table(group: &str, bars: &[Judged]) -> String {
    let mut rows = vec![["bar", "figure", "floor or rival", "ratio", "target", ""].map(str::to_owned)];
    rows.extend(bars.iter().map(row));
    let widths: Vec<usize> =
        (0..COLUMNS).map(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0)).collect();
    let mut text = format!("{group}\n");
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
        text.push_str(format!("  {}", cells.collect::<Vec<_>>().join("   ")).trim_end());
        text.push('\n');
    }
    text
}

/// `{"group","name","figure","unit","reference","reference_name","ratio","target","met"}`, one a line.
pub(crate) fn json_lines(group: &str, bars: &[Judged]) -> String {
    let line = |bar| serde_json::to_string(&Line { group, bar }).expect("figures are finite and keys are text");
    bars.iter().map(|bar| line(bar) + "\n").collect()
}

#[derive(Serialize)]
struct Line<'a> {
    group: &'a str,
    #[serde(flatten)]
    bar: &'a Judged,
}

const COLUMNS: usize = 6;

fn row(bar: &Judged) -> [String; COLUMNS] {
    let reference = match (bar.reference, &bar.reference_name) {
        (Some(reference), Some(name)) => format!("{} {} ({name})", number(reference), bar.unit),
        (Some(reference), None) => format!("{} {}", number(reference), bar.unit),
        (None, _) => "–".to_owned(),
    };
    [
        bar.name.to_owned(),
        format!("{} {}", number(bar.figure), bar.unit),
        reference,
        format!("{:.2}", bar.ratio),
        bar.target.clone(),
        if bar.met { "met" } else { "NOT MET" }.to_owned(),
    ]
}

/// Whole numbers from 100 on, two decimals below: no more digits than a measurement has.
fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests;
