//! How connections end: killed, silent, closed on somebody who does not read.

use std::time::Duration;

use hhs_mesh::transport::{Transport, TransportError};
use tokio::time::{Instant, timeout};

use crate::{LIMIT, listen, raw, transport, works};

/// The machine on the other side loses its power, or is cut off: both notice within fifteen seconds, whether they wait
/// for messages or send them.
#[tokio::test]
async fn a_killed_peer_is_noticed() {
    let mut listener = listen().await;
    let relay = raw::Relay::to(&listener.endpoint()).await;
    let mut dialled = transport(2).dial(&relay.url).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    dialled.sender.send(b"all is well").await.unwrap();
    accepted.receiver.receive().await.unwrap();

    relay.cut();
    let waits = async {
        let error = accepted.receiver.receive().await.unwrap_err();
        assert!(matches!(error, TransportError::TimedOut(_)), "{error}");
    };
    let sends = async {
        let error = loop {
            if let Err(error) = dialled.sender.send(&[0; 100_000]).await {
                break error;
            }
        };
        assert!(matches!(error, TransportError::TimedOut(_)), "{error}");
    };
    let both = async { tokio::join!(waits, sends) };
    timeout(Duration::from_secs(15), both).await.expect("both notice in time");
}

/// Nobody has anything to say for longer than the idle time-out: the connection is as good as before.
#[tokio::test]
async fn a_silent_connection_stays_open() {
    let mut listener = listen().await;
    let (mut dialled, mut accepted) = works(&mut *listener).await;
    let silence = timeout(Duration::from_secs(12), accepted.receiver.receive()).await;
    assert!(silence.is_err(), "nothing was sent, and nothing ended");
    dialled.sender.send(b"so").await.unwrap();
    assert_eq!(accepted.receiver.receive().await.unwrap().as_deref(), Some(&b"so"[..]));
}

/// Somebody closes while the network is gone: it takes no more than the two seconds, and the other side is not told that
/// it has everything.
#[tokio::test]
async fn closing_does_not_wait_for_the_dead() {
    let mut listener = listen().await;
    let relay = raw::Relay::to(&listener.endpoint()).await;
    let mut dialled = transport(2).dial(&relay.url).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    relay.cut();
    dialled.sender.send(b"this is lost").await.unwrap();
    let begun = Instant::now();
    dialled.sender.close("in a hurry").await;
    assert!(begun.elapsed() < Duration::from_secs(4), "it took {:?}", begun.elapsed());
    let told = timeout(Duration::from_millis(200), accepted.receiver.receive()).await;
    assert!(told.is_err(), "nothing has arrived, and no end");
}

/// Somebody closes on a peer that reads later, with all that fits under way: nothing is waited for but the network, and
/// nothing is lost.
#[tokio::test]
async fn what_fits_under_way_outlives_the_end() {
    let mut listener = listen().await;
    let (mut dialled, mut accepted) = works(&mut *listener).await;
    for _ in 0..15 {
        timeout(LIMIT, dialled.sender.send(&vec![1; 256 << 10])).await.unwrap().unwrap();
    }
    timeout(LIMIT, dialled.sender.close("that was all")).await.unwrap();
    drop(dialled);
    // The other side's tasks know of the end before they read.
    while accepted.sender.send(b"?").await.is_ok() {}
    for _ in 0..15 {
        assert_eq!(accepted.receiver.receive().await.unwrap().map(|message| message.len()), Some(256 << 10));
    }
    assert_eq!(accepted.receiver.receive().await.unwrap(), None);
}

/// Who is closed upon learns the reason when sending; what it says is shown as text, whatever it holds.
#[tokio::test]
async fn the_reason_of_the_end_is_told_as_plain_text() {
    let mut listener = listen().await;
    let (mut dialled, mut accepted) = works(&mut *listener).await;
    let reason = format!("\u{1b}[31mred\n{}", "ä".repeat(400));
    dialled.sender.close(&reason).await;
    assert_eq!(accepted.receiver.receive().await.unwrap(), None);
    let error = loop {
        if let Err(error) = accepted.sender.send(b"why?").await {
            break error.to_string();
        }
    };
    assert!(error.contains("[31mred") && error.len() < 400, "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
}

/// A message is given up half way, because the peer does not read: the connection is of no use after that, and says so
/// instead of mixing messages up.
#[tokio::test]
async fn a_cancelled_sending_spoils_the_connection() {
    let mut listener = listen().await;
    let (mut dialled, mut accepted) = works(&mut *listener).await;
    let cancelled = timeout(Duration::from_millis(300), dialled.sender.send(&vec![1; 12 << 20])).await;
    assert!(cancelled.is_err(), "nobody reads, so it cannot be sent");
    dialled.sender.send(b"another").await.unwrap_err();
    dialled.sender.close("enough").await;
    accepted.receiver.receive().await.unwrap_err();
}
