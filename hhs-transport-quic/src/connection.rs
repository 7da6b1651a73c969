//! The two halves of a connection over one QUIC stream, and the byte that each side begins it with.

use std::time::Duration;

use hhs_mesh::transport::{Connection, MAX_MESSAGE_BYTES, MessageReceiver, MessageSender, Traffic, TransportError};
use hhs_model::seam;
use quinn::{ReadExactError, RecvStream, SendStream, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;

use crate::address::to_url;
use crate::config::CLOSE_TIMEOUT;
use crate::error::{MAX_REASON_BYTES, broken, not_read, not_written};
use crate::frames::Frames;
use crate::tls::proven_key;

/// Application codes of `CONNECTION_CLOSE`, `RESET_STREAM` and `STOP_SENDING`.
pub(crate) mod code {
    use quinn::VarInt;

    /// Dropped without a word.
    pub(crate) const DROPPED: VarInt = VarInt::from_u32(0);
    /// Closed in good order.
    pub(crate) const CLOSED: VarInt = VarInt::from_u32(1);
    /// The other side sent what is no message.
    pub(crate) const BREACH: VarInt = VarInt::from_u32(2);
    /// The listener has too much to do.
    pub(crate) const BUSY: VarInt = VarInt::from_u32(3);
}

/// The version of the framing, which each side writes to the stream before anything else.
pub(crate) const FRAMING_VERSION: u8 = 1;

/// Writes our byte.
pub(crate) async fn greet(sender: &mut SendStream) -> Result<(), TransportError> {
    sender.write_all(&[FRAMING_VERSION]).await.map_err(not_written)
}

/// Reads the other side's byte.
///
/// # Errors
/// What quinn says, or `Ok` with another version, which is for the caller to refuse.
pub(crate) async fn greeting(receiver: &mut RecvStream) -> Result<u8, TransportError> {
    let mut version = [0];
    match receiver.read_exact(&mut version).await {
        Ok(()) => Ok(version[0]),
        Err(ReadExactError::FinishedEarly(_)) => Err(TransportError::Truncated),
        Err(ReadExactError::ReadError(error)) => Err(not_read(error)),
    }
}

/// The connection as the mesh gets it; `None` if the other side has proven no key, which the handshake does not let
/// happen.
pub(crate) fn open(connection: quinn::Connection, sender: SendStream, receiver: RecvStream) -> Option<Connection> {
    let keys = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    Some(Connection {
        proven: Some(proven_key(keys.first()?).ok()?),
        remote: to_url(connection.remote_address()),
        sender: Box::new(QuicSender { connection: connection.clone(), stream: sender, state: State::Ready }),
        receiver: Box::new(QuicReceiver { connection, stream: receiver, frames: Frames::new() }),
    })
}

/// The sending half.
struct QuicSender {
    connection: quinn::Connection,
    stream: SendStream,
    state: State,
}

#[derive(PartialEq)]
enum State {
    /// Between two messages.
    Ready,
    /// Inside a message; after a failed or cancelled sending, for good.
    Sending,
    /// Closed by us.
    Closed,
}

/// Messages are handed to QUIC in pieces: it keeps a piece until all of it is acknowledged, so that large ones would
/// block the window long after most of them has arrived.
const PIECE_BYTES: usize = 64 << 10;

impl QuicSender {
    async fn write(&mut self, message: &[u8]) -> Result<(), TransportError> {
        let length = u32::try_from(message.len()).expect("the bound on messages is far below 4 GiB");
        let (first, rest) = message.split_at(message.len().min(PIECE_BYTES));
        // Length and message in one go, so that a small message is one packet and not two.
        let first = [&length.to_be_bytes()[..], first].concat();
        self.stream.write_chunk(first.into()).await.map_err(not_written)?;
        for piece in rest.chunks(PIECE_BYTES) {
            self.stream.write_all(piece).await.map_err(not_written)?;
        }
        Ok(())
    }

    /// Ends the stream, and waits until all of it is acknowledged.
    async fn finish(&mut self) {
        if self.stream.finish().is_ok() {
            let _over_or_too_late = timeout(CLOSE_TIMEOUT, self.stream.stopped()).await;
        }
    }

    /// Tells the other side, and waits a moment for that to leave: a program that closes is often about to exit.
    async fn say_goodbye(&self, reason: &str) {
        const ATTEMPTS: u32 = 20;
        const PAUSE: Duration = Duration::from_millis(1);
        let before = self.connection.stats().udp_tx.datagrams;
        let was_open = self.connection.close_reason().is_none();
        self.connection.close(code::CLOSED, shortened(reason).as_bytes());
        for _ in 0..ATTEMPTS {
            if !was_open || self.connection.stats().udp_tx.datagrams > before {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[seam]
impl MessageSender for QuicSender {
    async fn send(&mut self, message: &[u8]) -> Result<(), TransportError> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(TransportError::TooLarge(message.len() as u64));
        }
        if self.state != State::Ready {
            let error = self.connection.close_reason().map(broken);
            let cut_short = || TransportError::Closed { reason: "an earlier message was sent only in part".to_owned() };
            return Err(error.unwrap_or_else(cut_short));
        }
        self.state = State::Sending;
        self.write(message).await?;
        self.state = State::Ready;
        Ok(())
    }

    async fn close(&mut self, reason: &str) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Ready => self.finish().await,
            State::Sending => drop(self.stream.reset(code::DROPPED)),
            State::Closed => return,
        }
        self.say_goodbye(reason).await;
    }

    fn traffic(&self) -> Traffic {
        let stats = self.connection.stats();
        Traffic { sent: stats.udp_tx.bytes, received: stats.udp_rx.bytes }
    }
}

impl Drop for QuicSender {
    fn drop(&mut self) {
        // Left to itself, quinn would end the stream as if everything had been said.
        if self.state != State::Closed {
            let _already_over = self.stream.reset(code::DROPPED);
        }
    }
}

/// The receiving half.
struct QuicReceiver {
    connection: quinn::Connection,
    stream: RecvStream,
    frames: Frames,
}

impl QuicReceiver {
    fn breach(&self, error: TransportError) -> TransportError {
        self.connection.close(code::BREACH, error.to_string().as_bytes());
        error
    }
}

#[seam]
impl MessageReceiver for QuicReceiver {
    async fn receive(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        loop {
            match self.frames.next() {
                Ok(None) => {}
                Ok(message) => return Ok(message),
                Err(error) => return Err(self.breach(error)),
            }
            match self.stream.read(self.frames.space()).await {
                Ok(Some(count)) => self.frames.filled(count),
                Ok(None) => return self.frames.end().map(|()| None).map_err(|error| self.breach(error)),
                Err(error) => return Err(not_read(error)),
            }
        }
    }
}

/// The connection is closed by us for a fault of the other side, or of ours.
pub(crate) fn refuse(connection: &quinn::Connection, code: VarInt, reason: &str) {
    connection.close(code, shortened(reason).as_bytes());
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MAX_REASON_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
