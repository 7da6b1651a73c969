//! Time that work takes.

use std::time::{Duration, Instant};

/// What `work` gives, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let result = work();
    (result, start.elapsed())
}

/// So many a second.
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a native program that measures is itself the edge")]
fn now() -> Instant {
    Instant::now()
}
