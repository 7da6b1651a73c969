//! Doing the same with every rival, several times.

use std::time::Duration;

use bench_harness::{median, milliseconds, now};

use crate::rival::{Outcome, Rival};

/// What the last run gave, and how long a run takes.
pub(super) struct Measured<T> {
    pub(super) result: T,
    median: Duration,
}

impl<T> Measured<T> {
    pub(super) fn milliseconds(&self) -> f64 {
        milliseconds(self.median)
    }
}

/// A rival that has used this much time up gets no further run of a task.
const PATIENCE: Duration = Duration::from_secs(6);

/// Runs `work` with each rival in turn, so that what disturbs the machine disturbs all of them; `work` is told the place of
/// the rival among them.
pub(super) fn by_all<T>(
    rivals: &[Box<dyn Rival>],
    runs: usize,
    title: &str,
    work: impl Fn(&dyn Rival, usize) -> Outcome<T>,
) -> Vec<Outcome<Measured<T>>> {
    let mut times = vec![Vec::new(); rivals.len()];
    let mut outcomes: Vec<Option<Outcome<T>>> = rivals.iter().map(|_| None).collect();
    for run in 0..runs {
        for (index, rival) in rivals.iter().enumerate() {
            let failed = matches!(outcomes[index], Some(Err(_)));
            if failed || times[index].iter().sum::<Duration>() > PATIENCE {
                continue;
            }
            eprintln!("{title}: {}, run {} of {runs}", rival.name(), run + 1);
            // What the run before left is not to be freed on the clock.
            outcomes[index] = None;
            let start = now();
            let outcome = work(rival.as_ref(), index);
            times[index].push(start.elapsed());
            outcomes[index] = Some(outcome);
        }
    }
    let measured = outcomes
        .into_iter()
        .zip(times)
        .filter_map(|(outcome, times)| Some(outcome?.map(|result| Measured { result, median: median(times) })));
    measured.collect()
}
