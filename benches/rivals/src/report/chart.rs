//! The figures as a picture: one panel a task, one bar a rival.

use super::{Report, number};
use crate::task::{Cell, Task};

/// An SVG of all tasks that more than one rival can do; shorter bars are better everywhere.
///
/// A panel whose figures lie further apart than [`FAR_APART`] has a logarithmic scale, and says so.
pub fn svg(report: &Report) -> String {
    let figures = |task: &Task| task.cells.iter().filter(|cell| matches!(cell, Cell::Figure(_))).count();
    let tasks: Vec<&Task> = report.tasks.iter().filter(|task| figures(task) > 1).collect();
    let names: Vec<&str> = report.rivals.iter().map(|rival| rival.name).collect();
    let panel_height = PANEL_HEAD + BAR_STEP * names.len() as f64 + PANEL_GAP;
    let footer = report.footer();
    let panels = tasks.len().div_ceil(COLUMNS) as f64 * panel_height;
    let (width, height) =
        (MARGIN * 2.0 + PANEL_WIDTH * COLUMNS as f64, HEAD + panels + 20.0 * footer.len() as f64 + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    svg += &text(
        MARGIN,
        MARGIN + 6.0,
        "start",
        "font-size=\"20\" font-weight=\"600\" fill=\"#1c2330\"",
        "The same work, shorter is better",
    );
    for (index, task) in tasks.iter().enumerate() {
        let x = MARGIN + PANEL_WIDTH * (index % COLUMNS) as f64;
        let y = HEAD + panel_height * (index / COLUMNS) as f64;
        svg += &panel(task, &names, x, y);
    }
    for (index, line) in footer.iter().enumerate() {
        svg += &text(MARGIN, HEAD + panels + 20.0 * index as f64, "start", "fill=\"#5b6472\"", line);
    }
    svg + "</svg>\n"
}

const COLUMNS: usize = 3;
const MARGIN: f64 = 28.0;
const HEAD: f64 = 70.0;
const PANEL_WIDTH: f64 = 410.0;
const PANEL_HEAD: f64 = 44.0;
const PANEL_GAP: f64 = 26.0;
const BAR_STEP: f64 = 22.0;
const NAMES: f64 = 114.0;
const BARS: f64 = 190.0;

/// From this ratio of the largest figure to the smallest on, a linear scale shows nothing of the small ones.
const FAR_APART: f64 = 25.0;

const OURS: &str = "#1f6feb";
const OTHERS: &str = "#9aa5b4";

fn panel(task: &Task, names: &[&str], x: f64, y: f64) -> String {
    let figures =
        || task.cells.iter().filter_map(|cell| if let Cell::Figure(figure) = cell { Some(*figure) } else { None });
    let (least, most) = (figures().fold(f64::MAX, f64::min), figures().fold(0.0, f64::max));
    let logarithmic = most > least * FAR_APART;
    let scale = if logarithmic { format!("{}, logarithmic", task.unit) } else { task.unit.to_string() };
    let mut panel = text(x, y, "start", "font-weight=\"600\" fill=\"#1c2330\"", &task.subject);
    panel += &text(x, y + 18.0, "start", "fill=\"#5b6472\"", &format!("{} ({scale})", task.work));
    for (index, (name, cell)) in names.iter().zip(&task.cells).enumerate() {
        let base = y + PANEL_HEAD + BAR_STEP * index as f64;
        let ours = *name == "hhs";
        let weight = if ours { "font-weight=\"600\" fill=\"#1c2330\"" } else { "fill=\"#1c2330\"" };
        panel += &text(x + NAMES - 8.0, base, "end", weight, name);
        let length = match cell {
            Cell::Figure(figure) if logarithmic => {
                let floor = least / 2.0;
                BARS * (figure / floor).ln() / (most / floor).ln()
            }
            Cell::Figure(figure) => BARS * figure / most,
            Cell::Lacks(_) | Cell::Failed(_) => 0.0,
        };
        if length > 0.0 {
            panel += &format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"2\" fill=\"{}\"/>\n",
                x + NAMES,
                base - 11.0,
                length.max(1.5),
                if ours { OURS } else { OTHERS }
            );
        }
        let figure = match cell {
            Cell::Figure(figure) => number(*figure),
            Cell::Lacks(_) => "—".to_owned(),
            Cell::Failed(_) => "✗".to_owned(),
        };
        panel += &text(x + NAMES + length + 6.0, base, "start", weight, &figure);
    }
    panel
}

fn text(x: f64, y: f64, anchor: &str, style: &str, content: &str) -> String {
    let content = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{content}</text>\n")
}
