//! The traces that are there, by name.

use std::path::PathBuf;

use bench_traces::{Concurrent, ReadError, Sequential, Trace};

/// Traces by name, and those that this machine lacks.
#[derive(Default)]
pub struct Traces {
    /// Of one author.
    pub sequential: Vec<(String, Sequential)>,
    /// Of several authors.
    pub concurrent: Vec<(String, Concurrent)>,
    /// By name, with all the places where it was looked for.
    pub missing: Vec<(String, Vec<PathBuf>)>,
}

impl Traces {
    /// Reads those that are there.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn find(names: &[String]) -> Result<Self, ReadError> {
        let mut traces = Self::default();
        for name in names {
            match bench_traces::find(name).map(|path| bench_traces::read(&path)) {
                Ok(Ok(Trace::Sequential(trace))) => traces.sequential.push((name.clone(), trace)),
                Ok(Ok(Trace::Concurrent(trace))) => traces.concurrent.push((name.clone(), trace)),
                Ok(Err(error)) => return Err(error),
                Err(places) => traces.missing.push((name.clone(), places)),
            }
        }
        Ok(traces)
    }

    /// One line for each that is missing.
    pub fn left_out(&self) -> Vec<String> {
        let line = |(name, places): &(String, Vec<PathBuf>)| {
            let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
            format!("left out: the trace `{name}`, which is in none of {}", places.join(", "))
        };
        self.missing.iter().map(line).collect()
    }
}
