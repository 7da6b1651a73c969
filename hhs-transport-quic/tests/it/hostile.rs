//! Peers that send rubbish, claim much or stall: they cost little, and nobody else.

use std::time::Duration;

use hhs_mesh::transport::{Transport, TransportError};
use quinn::{ConnectionError, VarInt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::{LIMIT, listen, port, raw, transport, works};

/// Somebody fires noise at the port, some of it dressed up as QUIC: an honest peer gets through in the middle of it.
#[tokio::test]
async fn garbage_datagrams_are_ignored() {
    let mut listener = listen().await;
    let noisy = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    noisy.connect(("127.0.0.1", port(&*listener))).await.unwrap();
    for round in 0..500usize {
        let mut noise: Vec<u8> = (0..round * 3).map(|i| (i * 31 + round * 17) as u8).collect();
        if round % 2 == 0 && noise.len() > 20 {
            // The long header of an Initial packet of QUIC version 1, with connection ids of 8 bytes.
            noise[..6].copy_from_slice(&[0xc0, 0, 0, 0, 1, 8]);
            noise[14] = 8;
        }
        noisy.send(&noise).await.unwrap();
    }
    works(&mut *listener).await;
}

/// A peer claims a message of 4 GiB: it is told why and is gone, and the error names the claim.
#[tokio::test]
async fn a_frame_that_claims_four_gigabytes_ends_the_connection() {
    let mut listener = listen().await;
    let (_client, connection) = raw::connected(&listener.endpoint()).await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    sender.write_all(&[1, 0xff, 0xff, 0xff, 0xff]).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    let error = accepted.receiver.receive().await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge(0xffff_ffff)), "{error}");
    let ConnectionError::ApplicationClosed(close) = connection.closed().await else {
        panic!("it is closed by the listener")
    };
    assert_eq!(close.error_code, VarInt::from_u32(2));
    assert!(String::from_utf8_lossy(&close.reason).contains("4294967295"), "{close}");
    accepted.sender.send(b"anybody?").await.unwrap_err();
    works(&mut *listener).await;
}

/// A peer ends its stream inside a message: that is not the end in good order that it looks like.
#[tokio::test]
async fn a_stream_that_ends_inside_a_message_is_truncated() {
    let mut listener = listen().await;
    let (_client, connection) = raw::connected(&listener.endpoint()).await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    sender.write_all(&[1, 0, 0, 0, 9, b'h', b'a']).await.unwrap();
    sender.finish().unwrap();
    let mut accepted = listener.accept().await.unwrap();
    let error = accepted.receiver.receive().await.unwrap_err();
    assert!(matches!(error, TransportError::Truncated), "{error}");
}

/// A peer of the future speaks another framing: it is told which one is spoken here.
#[tokio::test]
async fn another_framing_is_refused_with_a_reason() {
    let mut listener = listen().await;
    let (_client, connection) = raw::connected(&listener.endpoint()).await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    sender.write_all(&[2]).await.unwrap();
    let error = connection.closed().await;
    assert!(error.to_string().contains("version 2 of the framing"), "{error}");
    works(&mut *listener).await;
}

/// Hundreds of strangers begin a handshake and never answer, as if their datagrams had forged senders; hundreds more
/// prove a key and then say nothing. None is accepted, and an honest peer gets through at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_handshakes_do_not_hold_up_others() {
    let mut listener = listen().await;
    let relay = raw::Relay::to(&listener.endpoint()).await;
    relay.swallow_answers();
    let client = raw::client(raw::Proof::Key(3), b"hhs/1");
    let _unanswered: Vec<_> = (0..200).map(|_| raw::begin(&client, &relay.url)).collect();
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(raw::begin(&client, &listener.endpoint()).await.unwrap());
    }
    timeout(Duration::from_secs(5), works(&mut *listener)).await.expect("nobody is held up");
    let open = silent.iter().filter(|connection| connection.close_reason().is_none()).count();
    assert!(open <= 130, "{open} silent connections are kept");
}

/// An app does not accept for a while: connections that wait are bounded, those over the bound are turned away with a
/// reason, and once it accepts again, new ones get through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_nobody_accepts_do_not_pile_up() {
    let mut listener = listen().await;
    let dialler = transport(2);
    let mut waiting = Vec::new();
    let error = loop {
        match timeout(LIMIT, dialler.dial(&listener.endpoint())).await.unwrap() {
            Ok(connection) => waiting.push(connection),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100, "connections pile up");
    };
    assert!(error.to_string().contains("too many connections"), "{error}");
    for _ in &waiting {
        listener.accept().await.unwrap();
    }
    works(&mut *listener).await;
}
