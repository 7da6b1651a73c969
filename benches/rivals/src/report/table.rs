//! The figures as text, one line a task.

use super::{Report, number};
use crate::task::{Cell, Task};

/// An aligned table, then why figures are missing, what was left out, and what was measured on.
pub fn table(report: &Report) -> String {
    let mut rows = vec![header(report)];
    let mut subject = "";
    for task in &report.tasks {
        if task.subject != subject {
            rows.push(vec![task.subject.clone()]);
            subject = &task.subject;
        }
        rows.push(row(task));
    }
    let mut text = aligned(&rows);
    for lines in [report.reasons(), report.left_out.clone(), report.notes(), report.footer()] {
        if !lines.is_empty() {
            text.push('\n');
        }
        lines.iter().for_each(|line| text.extend([line, "\n"]));
    }
    text
}

fn header(report: &Report) -> Vec<String> {
    let names = report.rivals.iter().map(|rival| rival.name.to_owned());
    [String::new(), String::new()].into_iter().chain(names).collect()
}

fn row(task: &Task) -> Vec<String> {
    let cells = task.cells.iter().map(|cell| match cell {
        Cell::Figure(figure) => number(*figure),
        Cell::Lacks(_) => "—".to_owned(),
        Cell::Failed(_) => "✗".to_owned(),
    });
    [format!("  {}", task.work), task.unit.to_string()].into_iter().chain(cells).collect()
}

/// Figures stand to the right; a line of one cell is a heading.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() > 1).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            match column {
                0 | 1 => text.extend([cell, padding.as_str(), "  "]),
                _ => text.extend([padding.as_str(), cell, "   "]),
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
