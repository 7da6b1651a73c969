//! The two tasks of a connection, and what the loop keeps of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::{SinkExt, StreamExt};
use hhs_model::runtime::{BoxFuture, Runtime};
use hhs_store::Store;

use super::run::Happened;
use crate::proto::{ConnectionId, Message};
use crate::transport::{MessageReceiver, MessageSender, Traffic};

/// Bytes waiting to be sent to a peer above which nothing more is read from it.
const QUEUE_PAUSE: usize = 2 << 20;
/// Bytes waiting to be sent to a peer above which it is given up as too slow.
const QUEUE_MOST: usize = 64 << 20;

/// How long a connection that has to end may take with what was sent before.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// What the loop keeps of a connection.
pub(super) struct Link {
    outbox: mpsc::UnboundedSender<Outgoing>,
    queued: Arc<AtomicUsize>,
    /// Tells the reader to read one more message.
    turns: mpsc::UnboundedSender<()>,
    /// Tells the writer to give up at once.
    abort: oneshot::Sender<()>,
    /// Store tasks under way that its last message has caused.
    pub(super) busy: usize,
    /// Whether the reader waits for its turn.
    pub(super) waiting: bool,
    /// Whether the writer has ended: nothing more can be sent, and the reader will say why.
    writer_ended: bool,
}

enum Outgoing {
    Frame(Vec<u8>),
    Close(String),
}

/// The ends of the channels that the two tasks hold.
pub(super) struct Tasks {
    pub(super) outgoing: OutgoingFrames,
    pub(super) turns: mpsc::UnboundedReceiver<()>,
}

/// What the writer takes from.
pub(super) struct OutgoingFrames {
    frames: mpsc::UnboundedReceiver<Outgoing>,
    queued: Arc<AtomicUsize>,
    aborted: oneshot::Receiver<()>,
}

impl Link {
    pub(super) fn new() -> (Self, Tasks) {
        let (outbox, frames) = mpsc::unbounded();
        let (turns, taken) = mpsc::unbounded();
        let queued = Arc::new(AtomicUsize::new(0));
        let (abort, aborted) = oneshot::channel();
        let outgoing = OutgoingFrames { frames, queued: queued.clone(), aborted };
        let link = Self { outbox, queued, turns, abort, busy: 0, waiting: true, writer_ended: false };
        (link, Tasks { outgoing, turns: taken })
    }

    /// Queues a frame. False if the peer is too slow to be worth it.
    pub(super) fn send(&self, frame: Vec<u8>) -> bool {
        if self.writer_ended {
            return true;
        }
        let queued = self.queued.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        // If the writer is gone, the reader will say so.
        self.outbox.unbounded_send(Outgoing::Frame(frame)).ok();
        queued <= QUEUE_MOST
    }

    /// Notes that nothing more leaves: what is queued must not keep the reader from finding out that it is over.
    pub(super) fn writer_has_ended(&mut self) {
        self.writer_ended = true;
        self.queued.store(0, Ordering::Relaxed);
    }

    /// Ends the connection after what was queued.
    pub(super) fn close(&self, reason: String) {
        self.outbox.unbounded_send(Outgoing::Close(reason)).ok();
    }

    /// Ends the connection at once, whatever was queued.
    pub(super) fn abort(self) {
        // If the writer is gone, it is over already.
        self.abort.send(()).ok();
    }

    /// Lets the reader go on, if it waits and nothing stands against it.
    pub(super) fn give_turn(&mut self) {
        if self.waiting && self.busy == 0 && self.queued.load(Ordering::Relaxed) <= QUEUE_PAUSE {
            self.waiting = false;
            self.turns.unbounded_send(()).ok();
        }
    }
}

/// Reads messages until the connection is over, and hands over one for each turn. One more is read and decoded while the
/// last one is dealt with; if both are ops, its signatures are checked meanwhile.
pub(super) async fn read(
    id: ConnectionId,
    mut receiver: Box<dyn MessageReceiver>,
    mut turns: mpsc::UnboundedReceiver<()>,
    mut happened: mpsc::Sender<Happened>,
    store: Store,
) {
    let mut has_turn = false;
    // Who has not been sent ops yet may have been asked for none: that is not checked here.
    let mut ops_came = false;
    let reason = loop {
        let received = match select(receiver.receive(), turns.next()).await {
            Either::Left((received, _)) => received,
            Either::Right((Some(()), _)) => {
                has_turn = true;
                continue;
            }
            Either::Right((None, _)) => break "closed here".to_owned(),
        };
        let message = match received {
            Ok(Some(frame)) => Message::from_bytes(&frame),
            Ok(None) => break "closed by the other side".to_owned(),
            Err(error) => break error.to_string(),
        };
        let ops = message.as_ref().ok().and_then(Message::ops);
        if let Some((identities, headers)) = ops.as_ref().filter(|_| ops_came && !has_turn)
            && let Err(error) = store.check_ahead(identities, headers).await
        {
            tracing::debug!(%error, "signatures cannot be checked ahead");
        }
        ops_came = ops.is_some();
        if !std::mem::take(&mut has_turn) && turns.next().await.is_none() {
            break "closed here".to_owned();
        }
        if happened.send(Happened::Received { id, message }).await.is_err() {
            return;
        }
    };
    // Not before what came before it was dealt with.
    if !has_turn {
        turns.next().await;
    }
    // If the loop is gone, nobody wants to know.
    happened.send(Happened::Over { id, reason }).await.ok();
}

/// Writes frames until the connection is to be closed or breaks; tells how much the connection has carried.
pub(super) async fn write(
    id: ConnectionId,
    mut sender: Box<dyn MessageSender>,
    mut outgoing: OutgoingFrames,
    mut happened: mpsc::Sender<Happened>,
    runtime: Arc<dyn Runtime>,
) {
    let mut told = Traffic::default();
    let mut reason = None;
    let mut limit = None;
    while let Some(next) = outgoing.frames.next().await {
        let frame = match next {
            Outgoing::Frame(frame) => frame,
            Outgoing::Close(why) => {
                reason = Some(why);
                break;
            }
        };
        let sent = match &mut limit {
            Some(limit) => sent_within(sender.send(&frame), limit).await,
            None => match select(sender.send(&frame), &mut outgoing.aborted).await {
                Either::Left((sent, _)) => sent.is_ok(),
                Either::Right((Ok(()), _)) => false,
                // The link is gone, but what was queued before is still to be sent, if the peer takes it.
                Either::Right((Err(oneshot::Canceled), sending)) => {
                    sent_within(sending, limit.insert(runtime.sleep(CLOSE_WITHIN))).await
                }
            },
        };
        let before = outgoing.queued.fetch_sub(frame.len(), Ordering::Relaxed);
        let drained = before > QUEUE_PAUSE && before - frame.len() <= QUEUE_PAUSE;
        let more = carried(&*sender, &mut told);
        if !sent || happened.send(Happened::Carried { id, more, drained }).await.is_err() {
            break;
        }
    }
    if let Some(reason) = reason {
        sender.close(&reason).await;
    }
    let more = carried(&*sender, &mut told);
    // If the loop is gone, nobody wants to know.
    happened.send(Happened::Closed { id, more }).await.ok();
}

async fn sent_within<T, E>(sending: impl Future<Output = Result<T, E>> + Unpin, limit: &mut BoxFuture<'_, ()>) -> bool {
    matches!(select(sending, limit).await, Either::Left((Ok(_), _)))
}

/// What the connection has carried since this was last asked.
fn carried(sender: &dyn MessageSender, told: &mut Traffic) -> Traffic {
    let now = sender.traffic();
    let more = Traffic { sent: now.sent - told.sent, received: now.received - told.received };
    *told = now;
    more
}
