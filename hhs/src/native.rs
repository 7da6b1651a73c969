//! Running on tokio: its timers and tasks, the system's clocks and randomness.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hhs_model::Author;
use hhs_model::Runtime;
use hhs_model::identity::KeyError;
use hhs_model::runtime::BoxFuture;

/// The tokio runtime that is current when it is used.
#[derive(Debug, Clone, Copy)]
pub struct Tokio {
    start: Instant,
}

impl Tokio {
    /// A runtime whose time starts now.
    #[expect(clippy::disallowed_methods, reason = "this is where the clock comes in from outside")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Somebody new, whom people know by a name, with a random key.
    ///
    /// # Errors
    /// If the name is too long.
    pub fn new_author(&self, name: &str) -> Result<Author, KeyError> {
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        self.fill_random(&mut *seed);
        Author::from_seed(name, &seed)
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for Tokio {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the clock comes in from outside")]
    fn wall_clock_ms(&self) -> u64 {
        // A clock before 1970 is as wrong as any other wrong one.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}
