//! The list of features: `docs/features.md` has a row for everything that has to exist, and every test that it names exists.
//!
//! A row is `| id | what | done, begun or open | tests |`; a test is `path/to/file.rs::name` in backticks. A row that is
//! done or begun names one test at least.

use std::fs;
use std::path::Path;

/// Findings about the list, given its text and the root that its paths start from.
pub(crate) fn check(text: &str, root: &Path) -> Vec<String> {
    let rows: Vec<Row<'_>> = text.lines().enumerate().filter_map(|(index, line)| Row::read(index + 1, line)).collect();
    let missing = expected().into_iter().filter(|id| !rows.iter().any(|row| row.id == id));
    let mut findings: Vec<String> = missing.map(|id| format!("docs/features.md has no row {id}")).collect();
    for row in &rows {
        findings
            .extend(row.findings(root).into_iter().map(|finding| format!("docs/features.md:{}: {finding}", row.line)));
    }
    findings
}

/// The ids of all rows: the features by area, then the situations.
fn expected() -> Vec<String> {
    const AREAS: [(&str, u32); 8] =
        [("M", 10), ("C", 12), ("S", 7), ("N", 10), ("T", 6), ("P", 7), ("U", 5), ("situation ", 12)];
    AREAS.into_iter().flat_map(|(area, count)| (1..=count).map(move |number| format!("{area}{number}"))).collect()
}

struct Row<'a> {
    line: usize,
    id: &'a str,
    state: &'a str,
    tests: Vec<&'a str>,
}

impl<'a> Row<'a> {
    fn read(line: usize, text: &'a str) -> Option<Self> {
        let mut cells = text.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
        let (id, _, state, tests) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        let is_row = expected().iter().any(|expected| expected == id);
        is_row.then(|| Self { line, id, state, tests: tests.split('`').skip(1).step_by(2).collect() })
    }

    fn findings(&self, root: &Path) -> Vec<String> {
        let mut findings = Vec::new();
        match self.state {
            "done" | "begun" if self.tests.is_empty() => {
                findings.push(format!("{} is {} but names no test", self.id, self.state));
            }
            "done" | "begun" | "open" => {}
            other => findings.push(format!("{} is {other:?}: write done, begun or open", self.id)),
        }
        findings.extend(self.tests.iter().filter_map(|test| missing(test, root)));
        findings
    }
}

/// What is wrong with the name of a test, if anything.
fn missing(test: &str, root: &Path) -> Option<String> {
    let Some((path, name)) = test.rsplit_once("::").filter(|(path, _)| path.ends_with(".rs")) else {
        return Some(format!("`{test}` is not of the form path/to/file.rs::name"));
    };
    match fs::read_to_string(root.join(path)) {
        Err(error) => Some(format!("`{test}`: {path} cannot be read ({error})")),
        Ok(text) if text.contains(&format!("fn {name}(")) => None,
        Ok(_) => Some(format!("`{test}`: there is no such test")),
    }
}

#[cfg(test)]
mod tests;
