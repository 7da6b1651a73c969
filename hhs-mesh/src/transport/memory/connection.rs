//! A connection in memory: two pipes, and the halves that each side has of them.

use std::sync::{Arc, Weak};

use hhs_model::{PublicKey, seam};
use url::Url;

use super::pipe::Pipe;
use crate::transport::{Connection, MAX_MESSAGE_BYTES, MessageReceiver, MessageSender, Traffic, TransportError};

/// What the network keeps of a connection, to be able to cut it.
pub(super) struct Link {
    /// Whom it connects.
    pub(super) keys: (PublicKey, PublicKey),
    pipes: [Weak<Pipe>; 2],
}

impl Link {
    /// A connection: what the network, the dialler and the listener hold of it.
    pub(super) fn new(dialler: (PublicKey, Url), listener: (PublicKey, Url)) -> (Self, Connection, Connection) {
        let (there, back) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
        let keys = (dialler.0, listener.0);
        let ours = side(listener, &there, &back);
        let theirs = side(dialler, &back, &there);
        (Self { keys, pipes: [Arc::downgrade(&there), Arc::downgrade(&back)] }, ours, theirs)
    }

    /// Whether any half of the connection still exists.
    pub(super) fn is_in_use(&self) -> bool {
        self.pipes.iter().any(|pipe| pipe.strong_count() > 0)
    }

    /// Breaks it; what is under way is lost.
    pub(super) fn break_off(&self, reason: &str) {
        self.pipes.iter().filter_map(Weak::upgrade).for_each(|pipe| pipe.break_off(reason));
    }
}

fn side((key, url): (PublicKey, Url), outgoing: &Arc<Pipe>, incoming: &Arc<Pipe>) -> Connection {
    Connection {
        proven: Some(key),
        remote: url,
        sender: Box::new(Sender { outgoing: outgoing.clone(), incoming: incoming.clone() }),
        receiver: Box::new(Receiver { incoming: incoming.clone() }),
    }
}

struct Sender {
    outgoing: Arc<Pipe>,
    incoming: Arc<Pipe>,
}

struct Receiver {
    incoming: Arc<Pipe>,
}

#[seam]
impl MessageSender for Sender {
    async fn send(&mut self, message: &[u8]) -> Result<(), TransportError> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(TransportError::TooLarge(message.len() as u64));
        }
        self.outgoing.push(message).await
    }

    async fn close(&mut self, reason: &str) {
        // What is in the queue counts as arrived: it is the other side's to read.
        self.outgoing.finish(reason);
        self.incoming.break_off(reason);
    }

    fn traffic(&self) -> Traffic {
        Traffic { sent: self.outgoing.pushed_bytes(), received: self.incoming.pulled_bytes() }
    }
}

#[seam]
impl MessageReceiver for Receiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        self.incoming.pull().await
    }
}

const DROPPED: &str = "the other side has dropped the connection";

impl Drop for Sender {
    fn drop(&mut self) {
        self.outgoing.break_off_unless_ended(DROPPED);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.incoming.break_off(DROPPED);
    }
}
