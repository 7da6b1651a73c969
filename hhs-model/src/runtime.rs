//! The runtime: everything that a pure crate needs from where it runs, behind one small trait.

use std::pin::Pin;
use std::time::Duration;

use futures::Stream;

/// A future that can be spawned: `Send` except on wasm, where everything runs on one thread.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A future that can be spawned: `Send` except on wasm, where everything runs on one thread.
#[cfg(target_arch = "wasm32")]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A stream that can be handed to a spawned task.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
/// A stream that can be handed to a spawned task.
#[cfg(target_arch = "wasm32")]
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + 'a>>;

/// Where a node runs: its clock, its randomness, its timers and its tasks.
///
/// The node is the only caller. An implementation of tests may make time and chance up; protocols take both from here.
pub trait Runtime: Send + Sync + 'static {
    /// Time since an arbitrary start; never runs backwards. Called for timers and time-outs.
    fn elapsed(&self) -> Duration;

    /// Milliseconds since 1970-01-01T00:00Z by the wall clock, as far as it can be trusted. Written into ops as their
    /// claimed time; decides nothing.
    fn wall_clock_ms(&self) -> u64;

    /// Fills `bytes` with randomness fit for keys and secrets.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `task` in the background until it ends.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}
