//! News for one reader, held in bounded memory until it is read: what is posted goes into a bin, which decides what to
//! merge and what to pass over.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;

/// What waits to be read.
pub(crate) trait Bin: Default {
    /// What the reader gets.
    type Item;

    /// Takes out the next item.
    fn take(&mut self) -> Option<Self::Item>;
}

/// The side that posts. Dropping it ends the stream, once all that was posted is read.
pub(crate) struct Sender<B> {
    shared: Arc<Mutex<State<B>>>,
}

/// The side that reads.
pub(crate) struct Receiver<B> {
    shared: Arc<Mutex<State<B>>>,
}

#[derive(Default)]
struct State<B> {
    bin: B,
    reader: Option<Waker>,
    ended: bool,
}

/// A new mailbox.
pub(crate) fn mailbox<B: Bin>() -> (Sender<B>, Receiver<B>) {
    let shared = Arc::new(Mutex::new(State::default()));
    (Sender { shared: shared.clone() }, Receiver { shared })
}

impl<B> Sender<B> {
    /// Whether somebody may still read.
    pub(crate) fn is_read(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }

    /// Changes what waits, and wakes the reader.
    pub(crate) fn post(&self, change: impl FnOnce(&mut B)) {
        let reader = {
            let mut state = lock(&self.shared);
            change(&mut state.bin);
            state.reader.take()
        };
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<B> Drop for Sender<B> {
    fn drop(&mut self) {
        let reader = {
            let mut state = lock(&self.shared);
            state.ended = true;
            state.reader.take()
        };
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<B: Bin> Receiver<B> {
    /// The next item, if one is there now.
    pub(crate) fn take(&mut self) -> Option<B::Item> {
        lock(&self.shared).bin.take()
    }
}

impl<B: Bin> Stream for Receiver<B> {
    type Item = B::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<B::Item>> {
        let mut state = lock(&self.shared);
        match state.bin.take() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.ended => Poll::Ready(None),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn lock<B>(state: &Mutex<State<B>>) -> MutexGuard<'_, State<B>> {
    // Bins are changed by code of ours that does not panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
