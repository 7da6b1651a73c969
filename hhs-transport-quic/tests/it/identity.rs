//! Who may connect: only who proves to hold a key, on either side.

use std::sync::Arc;

use hhs_mesh::transport::{Transport, TransportError};
use hhs_model::identity::{Domain, SignError};
use hhs_model::{PublicKey, Signature, Signer};
use hhs_transport_quic::QuicTransport;
use tokio::time::timeout;

use crate::raw::Proof;
use crate::{LIMIT, key, listen, raw, secret, transport, url, works};

/// Claims the key of one seed and signs with `sign`.
struct Impostor {
    claims: u8,
    sign: fn(&[u8]) -> Result<Signature, SignError>,
}

impl Signer for Impostor {
    fn public_key(&self) -> PublicKey {
        key(self.claims)
    }

    fn sign(&self, domain: Domain, message: &[u8]) -> Result<Signature, SignError> {
        secret(self.claims).sign(domain, message)
    }

    fn sign_tls13(&self, content: &[u8]) -> Result<Signature, SignError> {
        (self.sign)(content)
    }
}

fn impostor(claims: u8) -> QuicTransport {
    QuicTransport::new(Arc::new(Impostor { claims, sign: |content| secret(9).sign_tls13(content) })).unwrap()
}

/// A program that speaks QUIC but has no identity dials, or one that has one and keeps it to itself: both are turned
/// away, and the next peer is served.
#[tokio::test]
async fn a_client_without_a_key_is_turned_away() {
    let mut listener = listen().await;
    for (proof, alert) in [(Proof::None, "error 40"), (Proof::Withheld, "error 116")] {
        let client = raw::client(proof, b"hhs/1");
        // To the client the handshake may look done before the listener has judged it.
        let error = match raw::begin(&client, &listener.endpoint()).await {
            Ok(connection) => connection.closed().await.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(alert), "{error}");
    }
    works(&mut *listener).await;
}

/// A client made with another implementation's signer proves its key.
#[tokio::test]
async fn a_client_made_by_hand_is_understood() {
    let mut listener = listen().await;
    let (_endpoint, connection) = raw::connected(&listener.endpoint()).await;
    let (mut sender, mut receiver) = connection.open_bi().await.unwrap();
    sender.write_all(&[1, 0, 0, 0, 2, b'h', b'i']).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    assert_eq!(accepted.proven, Some(key(3)));
    assert_eq!(accepted.receiver.receive().await.unwrap().as_deref(), Some(&b"hi"[..]));
    accepted.sender.send(b"hello").await.unwrap();
    let mut answer = [0; 10];
    receiver.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\x01\x00\x00\x00\x05hello");
}

/// Somebody dials with a key that is not theirs: they are told, and the listener's app never hears of them.
#[tokio::test]
async fn a_dialler_who_signs_with_another_key_is_turned_away() {
    let mut listener = listen().await;
    let error = timeout(LIMIT, impostor(2).dial(&listener.endpoint())).await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Handshake { .. }), "{error}");
    works(&mut *listener).await;
}

/// Somebody listens with a key that is not theirs: who dials does not fall for it.
#[tokio::test]
async fn a_listener_who_signs_with_another_key_is_not_believed() {
    let listener = impostor(1).listen(&url("quic://127.0.0.1:0")).await.unwrap();
    let error = timeout(LIMIT, transport(2).dial(&listener.endpoint())).await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Handshake { .. }), "{error}");
}

/// The signer refuses, because its key is locked say: an error, and no connection without proof.
#[tokio::test]
async fn without_a_signature_there_is_no_connection() {
    let mut listener = listen().await;
    let mute = QuicTransport::new(Arc::new(Impostor { claims: 2, sign: |_| Err(SignError::NotAHandshake) })).unwrap();
    let error = timeout(LIMIT, mute.dial(&listener.endpoint())).await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Handshake { .. }), "{error}");
    works(&mut *listener).await;
}

/// Some other program over QUIC dials by mistake, with a key even: another protocol is no connection.
#[tokio::test]
async fn another_protocol_is_turned_away() {
    let mut listener = listen().await;
    let client = raw::client(Proof::Key(3), b"h3");
    let error = raw::begin(&client, &listener.endpoint()).await.unwrap_err();
    assert!(error.to_string().contains("known protocol"), "{error}");
    works(&mut *listener).await;
}

/// The program that uses the library may have a cryptography of its own for all its TLS: it is neither needed nor set.
#[tokio::test]
async fn the_default_of_the_process_is_left_alone() {
    let mut listener = listen().await;
    works(&mut *listener).await;
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
