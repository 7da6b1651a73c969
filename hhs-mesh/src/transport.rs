//! The transport trait: connections between endpoints that carry whole messages, in order.
//!
//! A transport is right when it passes the cases of `hhs_mesh::test_kit::transport` (feature `test-kit`).

mod memory;

use std::fmt;
use std::time::Duration;

use hhs_model::{PublicKey, seam};
use url::Url;

pub use memory::{MemoryNetwork, MemoryTransport};

/// The most bytes of one message. A frame that claims more is refused before anything is allocated for it.
pub const MAX_MESSAGE_BYTES: usize = 12 << 20;

/// A way to reach other endpoints, for URLs of certain schemes.
#[seam]
pub trait Transport: Send + Sync + 'static {
    /// The schemes of the URLs that it dials and listens on, such as `["quic"]`.
    fn schemes(&self) -> &'static [&'static str];

    /// Begins to accept connections at `endpoint`, whose path and query are not looked at; port 0 means any free one.
    /// The driver calls it once per endpoint.
    ///
    /// # Errors
    /// If the endpoint cannot be listened on.
    async fn listen(&self, endpoint: &Url) -> Result<Box<dyn Listener>, TransportError>;

    /// Connects to `endpoint`, whose path and query are not looked at. Returns once the other side has accepted our
    /// proof as we have accepted theirs. The driver calls it, and may give up (drop the future) after a time of its own;
    /// the transport gives up by itself after at most ten seconds.
    ///
    /// # Errors
    /// If nobody can be reached there, or the handshake fails.
    async fn dial(&self, endpoint: &Url) -> Result<Connection, TransportError>;
}

/// An endpoint that accepts connections until it is dropped. Connections that were accepted outlive it; those that
/// nobody has accepted are broken off with it.
#[seam]
pub trait Listener: Send + Sync {
    /// Where it listens, with the port that it really got.
    fn endpoint(&self) -> Url;

    /// The next connection whose handshake succeeded; `None` once the listener has failed for good. Handshakes that fail
    /// or stall do not hold up others, and how many may be in progress, or wait to be accepted, is bounded. Safe to
    /// cancel.
    async fn accept(&mut self) -> Option<Connection>;
}

/// An open connection: two halves that are used by two tasks.
///
/// It ends in good order by [`MessageSender::close`]. Whoever drops a half without that breaks it off: after the sender,
/// the other side receives an error; after the receiver, it can send no more; after both, the connection is over at
/// once. What was sent before and had not been received is lost then.
pub struct Connection {
    /// The key that the other side has proven to hold during the handshake, as ours was proven to it. `None` if this
    /// transport proves nothing, so that the mesh has to. Whether it is the key that was expected is for the mesh to say.
    pub proven: Option<PublicKey>,
    /// Where the other side is, as far as one can say: for people and logs, and to complete the addresses it announces.
    pub remote: Url,
    /// What we send.
    pub sender: Box<dyn MessageSender>,
    /// What we receive.
    pub receiver: Box<dyn MessageReceiver>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("proven", &self.proven)
            .field("remote", &self.remote.as_str())
            .finish_non_exhaustive()
    }
}

/// The sending half of a connection.
#[seam]
pub trait MessageSender: Send {
    /// Sends one message; waits while the other side is slower than we are. Not safe to cancel: a message may be sent in
    /// part, and the connection is then useless.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] if it is over [`MAX_MESSAGE_BYTES`]: nothing is sent, and the connection is as good
    /// as before. Everything else means that the connection is over.
    async fn send(&mut self, message: &[u8]) -> Result<(), TransportError>;

    /// Ends the connection after what was sent has arrived, or a short time (2 s) has passed. The other side receives
    /// everything that has arrived, then `None`, or an error if something has not; what it tries to send fails, with
    /// `reason`. What it has sent and we have not yet received may be lost.
    async fn close(&mut self, reason: &str);

    /// How much has gone over the connection so far, both ways.
    fn traffic(&self) -> Traffic;
}

/// The receiving half of a connection.
#[seam]
pub trait MessageReceiver: Send {
    /// The next message, whole; `None` once the other side has closed in good order and everything it sent was
    /// received. Safe to cancel. After an error or `None` there is nothing more to come.
    ///
    /// # Errors
    /// If the connection broke, we have closed it ourselves, or the other side sent something that is not a message.
    async fn receive(&mut self) -> Result<Option<Vec<u8>>, TransportError>;
}

/// What a connection has carried, in bytes as the network counts them (for UDP: the payload of datagrams).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// Why a transport failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The URL is not one of this transport.
    #[error("{url} is not an address of this transport: {reason}")]
    Address {
        /// The URL.
        url: Url,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name could not be resolved to an address.
    #[error("the host of {url} could not be found, check its name: {source}")]
    Resolve {
        /// The URL.
        url: Url,
        /// What the resolver says.
        source: std::io::Error,
    },
    /// The endpoint cannot be listened on: its port is taken, or its address is not one of this machine.
    #[error("cannot listen on {url}, try another port or address: {source}")]
    Listen {
        /// The URL.
        url: Url,
        /// What the system says.
        source: std::io::Error,
    },
    /// Nobody answered.
    #[error("{url} did not answer: check the address and whether that peer is running")]
    Unreachable {
        /// The URL.
        url: Url,
    },
    /// Somebody answered, but did not prove who they are, did not accept our proof, or speaks another protocol.
    #[error("the handshake with {url} failed: {reason}")]
    Handshake {
        /// The URL.
        url: Url,
        /// What failed.
        reason: String,
    },
    /// The connection is over: dial again if it is still wanted.
    #[error("the connection was closed: {reason}")]
    Closed {
        /// What the other side or the system says.
        reason: String,
    },
    /// The other side was silent for too long: it was killed, or the network between us failed. Dial again later.
    #[error("the other side was silent for {0:?}")]
    TimedOut(Duration),
    /// The message is larger than [`MAX_MESSAGE_BYTES`]: split it, or if it was received, blame the sender.
    #[error("a message of {0} bytes is more than the {MAX_MESSAGE_BYTES} allowed")]
    TooLarge(u64),
    /// The stream ended inside a message.
    #[error("the connection ended inside a message")]
    Truncated,
}
