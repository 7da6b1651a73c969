//! One direction of a connection in memory: a bounded queue of messages with one writer and one reader.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use crate::transport::TransportError;

/// A queue of messages that ends in good order or breaks.
#[derive(Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    queued_bytes: usize,
    pushed_bytes: u64,
    lost_bytes: u64,
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who has to be woken.
    due: [Option<Waker>; 2],
}

struct End {
    /// Whether the writer has ended it, so that what is queued can still be read.
    in_order: bool,
    reason: String,
}

/// The writer waits while this many messages are queued.
const MAX_QUEUED: usize = 64;
/// The writer waits while so many bytes are queued that its message would take them over this; a larger message waits
/// until it is alone.
const MAX_QUEUED_BYTES: usize = 4 << 20;

impl Pipe {
    /// Queues a message once there is room for it.
    pub(super) async fn push(&self, message: &[u8]) -> Result<(), TransportError> {
        poll_fn(|context| self.with(|state| state.poll_push(context, message))).await
    }

    /// The next message; `None` at an end in good order.
    pub(super) async fn pull(&self) -> Result<Option<Vec<u8>>, TransportError> {
        poll_fn(|context| self.with(|state| state.poll_pull(context))).await
    }

    /// The writer has nothing more to say; what is queued can still be read.
    pub(super) fn finish(&self, reason: &str) {
        self.with(|state| {
            if state.end.is_none() {
                state.end(End { in_order: true, reason: reason.to_owned() });
            }
        });
    }

    /// Nothing more is delivered, unless everything had been.
    pub(super) fn break_off(&self, reason: &str) {
        self.with(|state| state.break_off(reason));
    }

    /// As [`break_off`](Self::break_off), for a writer that may have ended it in good order.
    pub(super) fn break_off_unless_ended(&self, reason: &str) {
        self.with(|state| {
            if state.end.is_none() {
                state.break_off(reason);
            }
        });
    }

    /// Bytes of the messages queued so far.
    pub(super) fn pushed_bytes(&self) -> u64 {
        self.with(|state| state.pushed_bytes)
    }

    /// Bytes of the messages that were read so far.
    pub(super) fn pulled_bytes(&self) -> u64 {
        self.with(|state| state.pushed_bytes - state.lost_bytes - state.queued_bytes as u64)
    }

    /// Works on the state, and wakes who has to be woken once it is unlocked: a waker may run anything.
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().expect("nobody panics while holding a pipe");
        let result = work(&mut state);
        let due = std::mem::take(&mut state.due);
        drop(state);
        due.into_iter().flatten().for_each(Waker::wake);
        result
    }
}

impl State {
    fn poll_push(&mut self, context: &Context<'_>, message: &[u8]) -> Poll<Result<(), TransportError>> {
        if let Some(end) = &self.end {
            return Poll::Ready(Err(end.error()));
        }
        let fits = self.queue.len() < MAX_QUEUED && self.queued_bytes + message.len() <= MAX_QUEUED_BYTES;
        if !fits && !self.queue.is_empty() {
            self.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.queue.push_back(message.to_vec());
        self.queued_bytes += message.len();
        self.pushed_bytes += message.len() as u64;
        self.due[0] = self.reader.take();
        Poll::Ready(Ok(()))
    }

    fn poll_pull(&mut self, context: &Context<'_>) -> Poll<Result<Option<Vec<u8>>, TransportError>> {
        if let Some(message) = self.queue.pop_front() {
            self.queued_bytes -= message.len();
            self.due[1] = self.writer.take();
            return Poll::Ready(Ok(Some(message)));
        }
        match &self.end {
            None => {
                self.reader = Some(context.waker().clone());
                Poll::Pending
            }
            Some(end) if end.in_order => Poll::Ready(Ok(None)),
            Some(end) => Poll::Ready(Err(end.error())),
        }
    }

    fn break_off(&mut self, reason: &str) {
        let delivered = self.queue.is_empty() && self.end.as_ref().is_some_and(|end| end.in_order);
        if !delivered {
            self.queue = VecDeque::new();
            self.lost_bytes += self.queued_bytes as u64;
            self.queued_bytes = 0;
            self.end(End { in_order: false, reason: reason.to_owned() });
        }
    }

    fn end(&mut self, end: End) {
        self.end = Some(end);
        self.due = [self.reader.take(), self.writer.take()];
    }
}

impl End {
    fn error(&self) -> TransportError {
        TransportError::Closed { reason: self.reason.clone() }
    }
}
