//! The QUIC transport, against the conformance suite and against those who do not play by its rules.
//!
//! All traffic stays on the loopback interface.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod conformance;
mod endings;
mod endpoints;
mod hostile;
mod identity;
mod raw;

use std::sync::Arc;
use std::time::Duration;

use hhs_mesh::transport::{Connection, Listener, Transport};
use hhs_model::{PublicKey, SecretKey, Signer};
use hhs_transport_quic::QuicTransport;
use tokio::time::timeout;
use url::Url;

/// More than any of these takes; short of it, a test hangs.
const LIMIT: Duration = Duration::from_secs(60);

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn key(seed: u8) -> PublicKey {
    secret(seed).public_key()
}

fn transport(seed: u8) -> QuicTransport {
    QuicTransport::new(Arc::new(secret(seed))).unwrap()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

/// A listener of the key 1 on any port.
async fn listen() -> Box<dyn Listener> {
    transport(1).listen(&url("quic://127.0.0.1:0")).await.unwrap()
}

/// The port that a listener got.
fn port(listener: &dyn Listener) -> u16 {
    listener.endpoint().port().unwrap()
}

/// Shows that a listener still does its work: the key 2 dials, is the next to be accepted, and is understood.
async fn works(listener: &mut dyn Listener) -> (Connection, Connection) {
    let work = async {
        let mut dialled = transport(2).dial(&listener.endpoint()).await.unwrap();
        dialled.sender.send(b"hello").await.unwrap();
        let mut accepted = listener.accept().await.unwrap();
        assert_eq!((dialled.proven, accepted.proven), (Some(key(1)), Some(key(2))));
        assert_eq!(accepted.receiver.receive().await.unwrap().as_deref(), Some(&b"hello"[..]));
        (dialled, accepted)
    };
    timeout(LIMIT, work).await.expect("an honest peer gets through")
}
