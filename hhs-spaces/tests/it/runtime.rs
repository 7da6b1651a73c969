//! A runtime on tokio's clock, which tests stop, with randomness that is not random.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hhs_model::Runtime;
use hhs_model::runtime::BoxFuture;
use tokio::time::Instant;

static LAST: AtomicU64 = AtomicU64::new(0);

pub(super) struct TestRuntime {
    start: Instant,
}

impl TestRuntime {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Runtime for TestRuntime {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall_clock_ms(&self) -> u64 {
        self.elapsed().as_millis() as u64
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&number[8 - chunk.len()..]);
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}
