//! One figure, as `cargo xtask bench` reads it.

use serde::Serialize;

use crate::Outcome;

/// A figure, in the unit that its bar has in `xtask/src/bench/groups.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bar {
    name: &'static str,
    figure: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_name: Option<&'static str>,
}

impl Bar {
    /// A figure that is judged by itself.
    pub fn alone(name: &'static str, figure: f64) -> Self {
        Self { name, figure, reference: None, reference_name: None }
    }

    /// A figure that is judged beside another one of the same run.
    pub fn beside(name: &'static str, figure: f64, reference_name: &'static str, reference: f64) -> Self {
        Self { reference: Some(reference), reference_name: Some(reference_name), ..Self::alone(name, figure) }
    }

    /// Prints it as a line of JSON.
    ///
    /// # Errors
    /// If a figure is no number.
    pub fn print(&self) -> Result<(), serde_json::Error> {
        println!("{}", self.to_json()?);
        Ok(())
    }

    fn to_json(self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self)
    }
}

/// Prints a figure that is judged by itself.
///
/// # Errors
/// If it is no number.
pub fn alone(name: &'static str, figure: f64) -> Outcome<()> {
    Ok(Bar::alone(name, figure).print()?)
}

/// Prints a figure that is judged beside another one of the same run.
///
/// # Errors
/// If one of them is no number.
pub fn beside(name: &'static str, figure: f64, reference_name: &'static str, reference: f64) -> Outcome<()> {
    Ok(Bar::beside(name, figure, reference_name, reference).print()?)
}

#[cfg(test)]
mod tests;
