//! The one place of this program that reads a clock.

use std::time::{Duration, Instant};

/// Measures the time since it was started.
pub(crate) struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a native chore that reports seconds; nothing of it is simulated or compiled for wasm32"
    )]
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A time limit that several commands share.
pub(crate) struct Deadline {
    stopwatch: Stopwatch,
    limit: Duration,
}

impl Deadline {
    /// Starts the clock now.
    pub(crate) fn within(limit: Duration) -> Self {
        Self { stopwatch: Stopwatch::start(), limit }
    }

    /// What is left; zero once the limit has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.stopwatch.elapsed())
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}
