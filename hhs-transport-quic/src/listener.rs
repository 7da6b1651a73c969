//! Accepting: handshakes run side by side, bounded in number and time, and only what is proven gets through.

use std::collections::VecDeque;

use hhs_mesh::transport::{Connection, Listener, TransportError};
use hhs_model::seam;
use quinn::{Endpoint, Incoming};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::timeout;
use url::Url;

use crate::config::{BACKLOG, HANDSHAKE_TIMEOUT, MAX_HANDSHAKES};
use crate::connection::{FRAMING_VERSION, code, greet, greeting, open, refuse};
use crate::error::broken;

/// An endpoint that accepts connections.
pub(crate) struct QuicListener {
    url: Url,
    endpoint: Endpoint,
    proven: mpsc::Receiver<Connection>,
    accepting: JoinHandle<()>,
}

impl QuicListener {
    /// Begins to accept at `endpoint`, which is at `url`.
    pub(crate) fn new(endpoint: Endpoint, url: Url) -> Self {
        let (sender, proven) = mpsc::channel(BACKLOG);
        let accepting = tokio::spawn(accept_all(endpoint.clone(), sender));
        Self { url, endpoint, proven, accepting }
    }
}

#[seam]
impl Listener for QuicListener {
    fn endpoint(&self) -> Url {
        self.url.clone()
    }

    async fn accept(&mut self) -> Option<Connection> {
        self.proven.recv().await
    }
}

impl Drop for QuicListener {
    fn drop(&mut self) {
        // The socket lives on while connections do; it answers no newcomers.
        self.endpoint.set_server_config(None);
        self.accepting.abort();
    }
}

async fn accept_all(endpoint: Endpoint, proven: mpsc::Sender<Connection>) {
    let mut handshakes = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    while let Some(incoming) = endpoint.accept().await {
        while handshakes.try_join_next().is_some() {}
        oldest_first.retain(|handshake| !handshake.is_finished());
        if oldest_first.len() >= MAX_HANDSHAKES
            && let Some(oldest) = oldest_first.pop_front()
        {
            tracing::debug!("a handshake has to go: too many are in progress");
            oldest.abort();
        }
        oldest_first.push_back(handshakes.spawn(handshake(incoming, proven.clone())));
    }
    tracing::warn!("the QUIC endpoint has failed: nobody is accepted any more");
}

/// One handshake, from the first datagram to a connection that waits to be accepted.
async fn handshake(incoming: Incoming, proven: mpsc::Sender<Connection>) {
    let from = incoming.remote_address();
    match timeout(HANDSHAKE_TIMEOUT, prove(incoming, proven)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%from, %error, "a handshake failed"),
        Err(_elapsed) => tracing::debug!(%from, "a handshake stalled"),
    }
}

async fn prove(incoming: Incoming, waiting: mpsc::Sender<Connection>) -> Result<(), TransportError> {
    let connection = incoming.await.map_err(broken)?;
    let (mut sender, mut receiver) = connection.accept_bi().await.map_err(broken)?;
    let version = greeting(&mut receiver).await?;
    if version != FRAMING_VERSION {
        let reason = format!("version {version} of the framing is not known here, only {FRAMING_VERSION}");
        refuse(&connection, code::BREACH, &reason);
        return Err(TransportError::Closed { reason });
    }
    let Ok(place) = waiting.try_reserve() else {
        let reason = "too many connections wait to be accepted";
        refuse(&connection, code::BUSY, reason);
        return Err(TransportError::Closed { reason: reason.to_owned() });
    };
    greet(&mut sender).await?;
    let opened = open(connection, sender, receiver);
    place.send(opened.ok_or_else(|| TransportError::Closed { reason: "no key was proven".to_owned() })?);
    Ok(())
}
