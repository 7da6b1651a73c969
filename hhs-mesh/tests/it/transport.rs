//! The transport in memory passes the conformance suite, and its links can be cut.

use std::sync::Arc;
use std::time::Duration;

use hhs_mesh::test_kit::transport::{Fixture, Party};
use hhs_mesh::transport::{Connection, Listener, MemoryNetwork, MemoryTransport, Transport, TransportError};
use hhs_model::{PublicKey, SecretKey, Signer};
use tokio::time::timeout;
use url::Url;

const LIMIT: Duration = Duration::from_secs(60);

macro_rules! conformance {
    ($($case:ident)*) => {$(
        #[tokio::test]
        async fn $case() {
            timeout(LIMIT, hhs_mesh::test_kit::transport::$case(&fixture())).await.expect("the case ends in time");
        }
    )*};
}
hhs_mesh::transport_conformance!(conformance);

fn fixture() -> Fixture {
    let network = MemoryNetwork::new();
    let party = |seed| {
        let key = key(seed);
        Party { transport: Arc::new(network.transport(key)), key: Some(key) }
    };
    Fixture { listening: party(1), dialling: party(2), endpoint: url("mem://alice:0"), nobody: url("mem://nobody:7") }
}

/// Two are talking when the link between them fails: both notice, what was under way is lost, and neither can dial until
/// the link is back.
#[tokio::test]
async fn a_cut_link_breaks_and_heals() {
    let (network, mut listener, transport) = alice_listens().await;
    let (mut dialled, mut accepted) = connect(&transport, &mut listener).await;
    dialled.sender.send(b"this is lost").await.unwrap();

    network.cut(key(2), key(1));
    assert!(matches!(accepted.receiver.receive().await, Err(TransportError::Closed { .. })));
    assert!(matches!(dialled.receiver.receive().await, Err(TransportError::Closed { .. })));
    assert!(dialled.sender.send(b"hello?").await.is_err());
    let error = transport.dial(&listener.endpoint()).await.unwrap_err();
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");

    network.heal(key(1), key(2));
    connect(&transport, &mut listener).await;
}

/// One of three loses its network: its connections break, the one between the others does not.
#[tokio::test]
async fn an_isolated_key_reaches_nobody() {
    let (network, mut listener, bob) = alice_listens().await;
    let carol = network.transport(key(3));
    let (mut from_bob, mut at_alice) = connect(&bob, &mut listener).await;
    let (mut from_carol, _at_alice) = connect(&carol, &mut listener).await;

    network.isolate(key(3));
    assert!(from_carol.sender.send(b"hello?").await.is_err());
    assert!(carol.dial(&listener.endpoint()).await.is_err());
    from_bob.sender.send(b"hello").await.unwrap();
    assert_eq!(at_alice.receiver.receive().await.unwrap().as_deref(), Some(&b"hello"[..]));

    network.rejoin(key(3));
    connect(&carol, &mut listener).await;
}

/// A message was read and the connection closed in good order before the link failed: the end stays a good one.
#[tokio::test]
async fn a_cut_after_a_good_end_changes_nothing() {
    let (network, mut listener, transport) = alice_listens().await;
    let (mut dialled, mut accepted) = connect(&transport, &mut listener).await;
    dialled.sender.send(b"bye").await.unwrap();
    dialled.sender.close("done").await;
    assert!(accepted.receiver.receive().await.unwrap().is_some());
    network.cut(key(1), key(2));
    assert_eq!(accepted.receiver.receive().await.unwrap(), None);
}

/// Nobody accepts: connections that wait are bounded, and those over the bound are turned away with the reason.
#[tokio::test]
async fn who_does_not_accept_is_not_flooded() {
    let (_network, listener, transport) = alice_listens().await;
    let mut open = Vec::new();
    let error = loop {
        match transport.dial(&listener.endpoint()).await {
            Ok(connection) => open.push(connection),
            Err(error) => break error,
        }
        assert!(open.len() < 100, "connections pile up");
    };
    assert!(matches!(error, TransportError::Handshake { .. }), "{error}");
}

/// One who listens itself dials: the other side sees the endpoint that it can dial back.
#[tokio::test]
async fn a_dialler_that_listens_can_be_dialled_back() {
    let (_network, mut listener, bob) = alice_listens().await;
    let _listening = bob.listen(&url("mem://bob")).await.unwrap();
    let (_dialled, accepted) = connect(&bob, &mut listener).await;
    assert_eq!(accepted.remote, url("mem://bob"));
}

async fn alice_listens() -> (MemoryNetwork, Box<dyn Listener>, MemoryTransport) {
    let network = MemoryNetwork::new();
    let listener = network.transport(key(1)).listen(&url("mem://alice")).await.unwrap();
    let bob = network.transport(key(2));
    (network, listener, bob)
}

async fn connect(transport: &MemoryTransport, listener: &mut Box<dyn Listener>) -> (Connection, Connection) {
    let dialled = transport.dial(&listener.endpoint()).await.unwrap();
    (dialled, listener.accept().await.unwrap())
}

fn key(seed: u8) -> PublicKey {
    SecretKey::from_seed(&[seed; 32]).public_key()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}
