//! Bars, measurements, and the verdict that comes of putting one to the other.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a figure has to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    /// Of the figure, and of its reference if it has one.
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
}

/// A limit on the figure itself, or on its ratio to a floor or rival that was measured in the same run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(dead_code, reason = "the vocabulary of the table in `groups`, whole before every word is used")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    RatioAtLeast(f64),
    RatioAtMost(f64),
}

/// One line of a benchmark program's standard output. Other fields are allowed and ignored: the verdict is reached here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Measurement {
    /// The bar that it is for.
    pub(crate) name: String,
    /// In the bar's unit.
    pub(crate) figure: f64,
    /// The floor or rival, in the same unit, from the same run.
    #[serde(default)]
    pub(crate) reference: Option<f64>,
    /// What the reference is.
    #[serde(default)]
    pub(crate) reference_name: Option<String>,
}

/// A bar with its figure and verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Judged {
    pub(crate) name: &'static str,
    pub(crate) figure: f64,
    pub(crate) unit: &'static str,
    pub(crate) reference: Option<f64>,
    pub(crate) reference_name: Option<String>,
    /// To the reference; where there is none, to the limit itself.
    pub(crate) ratio: f64,
    /// In words, such as `≥ 10000 ops/s` or `≤ 3 ×`.
    pub(crate) target: String,
    pub(crate) met: bool,
}

/// Why bars and measurements do not fit together.
#[derive(Debug, Error)]
pub(crate) enum JudgeError {
    /// The program stopped measuring something.
    #[error("the bar `{0}` was not measured: the benchmark must print a line with that name")]
    Missing(&'static str),
    /// The program measures something that nobody asked for.
    #[error("`{0}` was measured but has no bar: give it one in xtask/src/bench/groups.rs")]
    Unknown(String),
    /// Two lines for one bar.
    #[error("the bar `{0}` was measured twice: which figure counts?")]
    Twice(&'static str),
    /// Not a number one can divide by or compare with.
    #[error("`{name}` was measured as {value}; a figure is finite and above 0")]
    Absurd { name: &'static str, value: f64 },
    /// A ratio without its other half.
    #[error("the bar `{0}` is a ratio, but its line names no reference")]
    NoReference(&'static str),
}

/// Puts every measurement to its bar, in the order of the bars.
///
/// # Errors
///
/// When the two do not fit together one to one, or a figure is no sensible number.
pub(crate) fn judge(bars: &[Bar], measurements: &[Measurement]) -> Result<Vec<Judged>, JudgeError> {
    if let Some(unknown) = measurements.iter().find(|measured| !bars.iter().any(|bar| bar.name == measured.name)) {
        return Err(JudgeError::Unknown(unknown.name.clone()));
    }
    bars.iter()
        .map(|bar| {
            let mut measured = measurements.iter().filter(|measured| measured.name == bar.name);
            let first = measured.next().ok_or(JudgeError::Missing(bar.name))?;
            if measured.next().is_some() {
                return Err(JudgeError::Twice(bar.name));
            }
            judge_one(bar, first)
        })
        .collect()
}

fn judge_one(bar: &Bar, measured: &Measurement) -> Result<Judged, JudgeError> {
    for value in [Some(measured.figure), measured.reference].into_iter().flatten() {
        if !value.is_finite() || value <= 0.0 {
            return Err(JudgeError::Absurd { name: bar.name, value });
        }
    }
    let to_reference = measured.reference.map(|reference| measured.figure / reference);
    let needed = to_reference.ok_or(JudgeError::NoReference(bar.name));
    let (ratio, met) = match bar.target {
        Target::AtLeast(limit) => (to_reference.unwrap_or(measured.figure / limit), measured.figure >= limit),
        Target::AtMost(limit) => (to_reference.unwrap_or(measured.figure / limit), measured.figure <= limit),
        Target::RatioAtLeast(limit) => needed.map(|ratio| (ratio, ratio >= limit))?,
        Target::RatioAtMost(limit) => needed.map(|ratio| (ratio, ratio <= limit))?,
    };
    Ok(Judged {
        name: bar.name,
        figure: measured.figure,
        unit: bar.unit,
        reference: measured.reference,
        reference_name: measured.reference_name.clone(),
        ratio,
        target: bar.in_words(),
        met,
    })
}

impl Bar {
    fn in_words(&self) -> String {
        match self.target {
            Target::AtLeast(_) | Target::AtMost(_) => format!("{} {}", self.target, self.unit),
            Target::RatioAtLeast(_) | Target::RatioAtMost(_) => format!("{} ×", self.target),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) | Self::RatioAtLeast(limit) => write!(formatter, "≥ {limit}"),
            Self::AtMost(limit) | Self::RatioAtMost(limit) => write!(formatter, "≤ {limit}"),
        }
    }
}

#[cfg(test)]
mod tests;
