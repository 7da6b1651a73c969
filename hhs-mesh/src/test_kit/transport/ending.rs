//! Cases about how a connection ends.
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

use futures::future::join;

use super::{Fixture, message};
use crate::transport::MessageSender;

/// Somebody says a lot and leaves: the other side, who reads only after that, receives every message, then the end.
pub async fn close_delivers_all_that_was_sent_before(fixture: &Fixture) {
    const COUNT: u64 = 60;
    const LENGTH: usize = 10_000;
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    for number in 0..COUNT {
        dialled.sender.send(&message(number, LENGTH)).await.expect("it is open");
    }
    dialled.sender.close("that was all").await;
    drop(dialled);
    for number in 0..COUNT {
        let received = accepted.receiver.receive().await.expect("it was sent before the end");
        assert!(received.as_deref() == Some(&message(number, LENGTH)[..]), "message {number} is another");
    }
    for _ in 0..2 {
        assert_eq!(accepted.receiver.receive().await.expect("it was closed in good order"), None);
    }
}

/// Somebody closes: the other side receives the end and cannot send any more, and who closed can do neither.
pub async fn close_ends_both_halves(fixture: &Fixture) {
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    let (_, received) = join(dialled.sender.close("good night"), accepted.receiver.receive()).await;
    assert_eq!(received.expect("it was closed in good order"), None);
    sending_fails(&mut accepted.sender).await;
    dialled.sender.send(b"one more thing").await.expect_err("we have closed it");
    dialled.receiver.receive().await.expect_err("we have closed it");
    // Closing what is closed is harmless.
    dialled.sender.close("good night again").await;
    accepted.sender.close("good night").await;
}

/// Somebody's tasks are dropped without a word: the other side notices, whether it reads or sends.
pub async fn dropping_both_halves_breaks_the_connection(fixture: &Fixture) {
    let (dialled, mut accepted, _listener) = fixture.connected().await;
    drop(dialled);
    let end = accepted.receiver.receive().await;
    assert!(!matches!(end, Ok(Some(_))), "nothing was sent");
    sending_fails(&mut accepted.sender).await;
}

/// The task that sends is gone, the one that reads is not: that is no end in good order.
pub async fn dropping_the_sender_is_no_good_order(fixture: &Fixture) {
    let (dialled, mut accepted, _listener) = fixture.connected().await;
    let _receiver = dialled.receiver;
    drop(dialled.sender);
    accepted.receiver.receive().await.expect_err("the sender has not closed");
}

/// The task that reads is gone: sending to it fails before long.
pub async fn dropping_the_receiver_ends_the_other_sender(fixture: &Fixture) {
    let (dialled, mut accepted, _listener) = fixture.connected().await;
    let _sender = dialled.sender;
    drop(dialled.receiver);
    sending_fails(&mut accepted.sender).await;
}

/// Messages may go out until the news of the end has come back; then they must not.
async fn sending_fails(sender: &mut Box<dyn MessageSender>) {
    while sender.send(&[7; 1_000]).await.is_ok() {}
}
