//! How long and how often something is tried again.

use std::time::Duration;

use tokio::time::{self, Instant};

use crate::error::Trouble;

/// The attempts at one operation: they stop when the time is up, with waits between them that grow and are not the same
/// on every host, so that hosts that collided do not collide again.
#[derive(Debug)]
pub(crate) struct Tries {
    end: Instant,
    wait: Duration,
}

impl Tries {
    /// Attempts for as long as `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { end: Instant::now() + patience, wait: FIRST_WAIT }
    }

    /// Waits before the next attempt; `trouble` comes back if it does not pass or the time is up.
    pub(crate) async fn again(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        if !trouble.is_passing() || Instant::now() >= self.end {
            return Err(trouble);
        }
        let wait = self.wait / 2 + self.wait.mul_f64(chance() / 2.0);
        time::sleep_until(self.end.min(Instant::now() + wait)).await;
        self.wait = MAX_WAIT.min(self.wait * 2);
        Ok(())
    }
}

/// The outcome of `work`, or [`Trouble::Silence`] when it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    time::timeout(limit, work).await.unwrap_or(Err(Trouble::Silence(limit)))
}

/// A number from 0 to 1.
fn chance() -> f64 {
    // Without randomness the waits are merely the same everywhere.
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

const FIRST_WAIT: Duration = Duration::from_millis(10);
const MAX_WAIT: Duration = Duration::from_secs(1);
