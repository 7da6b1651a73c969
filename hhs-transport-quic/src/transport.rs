//! The transport: dialling and listening as one identity.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hhs_mesh::transport::{Connection, Listener, Transport, TransportError};
use hhs_model::{Signer, seam};
use quinn::{ClientConfig, ConnectError, Connecting, Endpoint, ServerConfig};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::address::{SCHEME, resolve, to_url};
use crate::config::DIAL_TIMEOUT;
use crate::connection::{FRAMING_VERSION, code, greet, greeting, open, refuse};
use crate::error::{QuicError, handshake, not_connected};
use crate::listener::QuicListener;
use crate::{config, socket, tls};

/// QUIC as one identity, for URLs `quic://host:port`. The host is an address or a name.
///
/// It dials and listens inside a tokio runtime, with I/O and time enabled; outside one it panics.
pub struct QuicTransport {
    client: ClientConfig,
    server: ServerConfig,
    /// What is dialled from, by address family; made when first needed.
    dialling: [Mutex<Option<Endpoint>>; 2],
}

impl QuicTransport {
    /// A transport that proves the key of `signer`, whose secret it never sees.
    ///
    /// # Errors
    /// If the cryptography that it was built with lacks something.
    pub fn new(signer: Arc<dyn Signer>) -> Result<Self, QuicError> {
        let (client, server) = tls::configurations(signer)?;
        Ok(Self { client: config::client(client), server: config::server(server), dialling: Default::default() })
    }

    /// Tries each address a little later than the one before (RFC 8305), and takes the first that works.
    async fn connect_any(&self, url: &Url) -> Result<Connection, TransportError> {
        const HEAD_START: Duration = Duration::from_millis(250);
        let attempts = (0..).zip(resolve(url).await?).map(async |(number, address)| {
            sleep(HEAD_START * number).await;
            self.connect(url, address).await
        });
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        let mut failure = TransportError::Unreachable { url: url.clone() };
        while let Some(result) = attempts.next().await {
            match result {
                Ok(connection) => return Ok(connection),
                // "Nobody answers" says the least.
                Err(TransportError::Unreachable { .. }) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect(&self, url: &Url, address: SocketAddr) -> Result<Connection, TransportError> {
        let failed = |error| not_connected(url, error);
        let connection = self.begin(url, address)?.await.map_err(failed)?;
        let (mut sender, mut receiver) = connection.open_bi().await.map_err(failed)?;
        // TLS 1.3 lets the dialler begin before the listener has judged its proof: only the answer shows that it has.
        let greetings = async {
            greet(&mut sender).await?;
            greeting(&mut receiver).await
        };
        let version = match (greetings.await, connection.close_reason()) {
            (Ok(version), _) => version,
            (Err(_), Some(error)) => return Err(failed(error)),
            (Err(error), None) => return Err(handshake(url, error.to_string())),
        };
        if version != FRAMING_VERSION {
            let reason = format!("it speaks version {version} of the framing, and we {FRAMING_VERSION}");
            refuse(&connection, code::BREACH, &reason);
            return Err(handshake(url, reason));
        }
        open(connection, sender, receiver).ok_or_else(|| handshake(url, "no key was proven".to_owned()))
    }

    fn begin(&self, url: &Url, address: SocketAddr) -> Result<Connecting, TransportError> {
        // TLS wants a name for the server; none is sent, and none is checked.
        const NAME: &str = "hhs";
        let from = &self.dialling[usize::from(address.is_ipv6())];
        let mut from = from.lock().unwrap_or_else(PoisonError::into_inner);
        let connect = |from: &Endpoint| from.connect_with(self.client.clone(), address, NAME);
        let result = match from.as_ref().map(connect) {
            // The first time; or its socket has failed, or the runtime that it was made in is gone.
            None | Some(Err(ConnectError::EndpointStopping)) => {
                let made = socket::dialling(address).map_err(|error| no_socket(url, &error))?;
                connect(from.insert(made))
            }
            Some(result) => result,
        };
        result.map_err(|error| match error {
            ConnectError::InvalidRemoteAddress(_) => {
                TransportError::Address { url: url.clone(), reason: "nobody can be at that address and port" }
            }
            other => handshake(url, other.to_string()),
        })
    }
}

#[seam]
impl Transport for QuicTransport {
    fn schemes(&self) -> &'static [&'static str] {
        &[SCHEME]
    }

    async fn listen(&self, endpoint: &Url) -> Result<Box<dyn Listener>, TransportError> {
        let failed = |source| TransportError::Listen { url: endpoint.clone(), source };
        let addresses = resolve(endpoint).await?;
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match socket::listening(address, &self.server).await {
                Ok(listening) => {
                    let url = to_url(listening.local_addr().map_err(failed)?);
                    return Ok(Box::new(QuicListener::new(listening, url)));
                }
                Err(error) => failure = error,
            }
        }
        Err(failed(failure))
    }

    async fn dial(&self, endpoint: &Url) -> Result<Connection, TransportError> {
        let unreachable = |_elapsed| TransportError::Unreachable { url: endpoint.clone() };
        timeout(DIAL_TIMEOUT, self.connect_any(endpoint)).await.map_err(unreachable)?
    }
}

fn no_socket(url: &Url, error: &io::Error) -> TransportError {
    handshake(url, format!("this machine gives no UDP socket to dial from: {error}"))
}
