//! Measuring two things side by side, so that whatever else the machine does slows down both.

use std::hint::black_box;

use bench_harness::now;

/// What something takes and what its floor or rival takes, in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) figure: f64,
    pub(crate) reference: f64,
}

/// Runs both by turns for so many rounds, each for about a fifth of a millisecond, and returns the round of the median ratio.
///
/// Rounds are short, so that few of them are interrupted, and only one of the two sides then.
pub(crate) fn compare<A, B>(rounds: usize, mut figure: impl FnMut() -> A, mut reference: impl FnMut() -> B) -> Pair {
    let (times, reference_times) = (calibrate(&mut figure), calibrate(&mut reference));
    let mut pairs: Vec<Pair> = (0..rounds)
        .map(|_| Pair { figure: nanos(times, &mut figure), reference: nanos(reference_times, &mut reference) })
        .collect();
    pairs.sort_by(|a, b| (a.figure / a.reference).total_cmp(&(b.figure / b.reference)));
    pairs[rounds / 2]
}

/// How often something has to run for about a fifth of a millisecond; warms up on the way.
fn calibrate<T>(run: &mut impl FnMut() -> T) -> u32 {
    let mut times = 1;
    while nanos(times, run) * f64::from(times) < 2e5 {
        times *= 2;
    }
    times
}

/// Nanoseconds that one run takes, over so many runs.
fn nanos<T>(times: u32, run: &mut impl FnMut() -> T) -> f64 {
    let start = now();
    for _ in 0..times {
        black_box(run());
    }
    start.elapsed().as_nanos() as f64 / f64::from(times)
}
