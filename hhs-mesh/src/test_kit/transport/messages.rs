//! Cases about messages under way.
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

use std::cell::Cell;

use futures::future::{Either, join, join4, select};
use futures::{FutureExt, pin_mut};

use super::{Fixture, message};
use crate::transport::{Connection, MAX_MESSAGE_BYTES, MessageReceiver, MessageSender, TransportError};

/// A lively talk: two thousand messages of changing sizes arrive whole and in the order they were sent in.
pub async fn messages_keep_their_order(fixture: &Fixture) {
    const COUNT: u64 = 2_000;
    let length = |number: u64| (number * 37 % 1_500) as usize;
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    let send = async {
        for number in 0..COUNT {
            dialled.sender.send(&message(number, length(number))).await.expect("it is open");
        }
    };
    let receive = async {
        for number in 0..COUNT {
            expect_message(&mut accepted.receiver, number, length(number)).await;
        }
    };
    join(send, receive).await;
}

/// From nothing at all to the largest message there may be, from either side.
pub async fn messages_of_every_size_arrive(fixture: &Fixture) {
    const LENGTHS: [usize; 8] = [0, 1, 3, 64 << 10, 0, 4 << 20, MAX_MESSAGE_BYTES, 5];
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    for (from, to) in [(&mut dialled.sender, &mut accepted.receiver), (&mut accepted.sender, &mut dialled.receiver)] {
        let send = async {
            for (seed, length) in (0..).zip(LENGTHS) {
                from.send(&message(seed, length)).await.expect("it is open");
            }
        };
        let receive = async {
            for (seed, length) in (0..).zip(LENGTHS) {
                expect_message(to, seed, length).await;
            }
        };
        join(send, receive).await;
    }
}

/// An app tries to send one byte too many: it is told, nothing is sent, and the next message arrives.
pub async fn a_message_over_the_bound_is_refused(fixture: &Fixture) {
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    let too_large = vec![0; MAX_MESSAGE_BYTES + 1];
    let error = dialled.sender.send(&too_large).await.expect_err("it is over the bound");
    assert!(matches!(error, TransportError::TooLarge(bytes) if bytes == too_large.len() as u64), "{error}");
    dialled.sender.send(b"shorter").await.expect("the connection is as good as before");
    assert_eq!(accepted.receiver.receive().await.expect("it is open").as_deref(), Some(&b"shorter"[..]));
}

/// Both sides send sixteen megabytes at the same time: neither waits for the other to be done.
pub async fn both_directions_at_once(fixture: &Fixture) {
    const COUNT: u64 = 64;
    const LENGTH: usize = 256 << 10;
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    async fn send(sender: &mut Box<dyn MessageSender>, seed: u64) {
        for number in 0..COUNT {
            sender.send(&message(seed + number, LENGTH)).await.expect("it is open");
        }
    }
    async fn receive(receiver: &mut Box<dyn MessageReceiver>, seed: u64) {
        for number in 0..COUNT {
            expect_message(receiver, seed + number, LENGTH).await;
        }
    }
    join4(
        send(&mut dialled.sender, 0),
        send(&mut accepted.sender, 1_000),
        receive(&mut dialled.receiver, 1_000),
        receive(&mut accepted.receiver, 0),
    )
    .await;
}

/// A reader is busy elsewhere: the sender has to wait, memory stays bounded, and later everything arrives.
///
/// With no clock, the sender counts as waiting once it has stood still while another connection went to and fro a
/// hundred times.
pub async fn a_sender_waits_for_a_slow_reader(fixture: &Fixture) {
    const LENGTH: usize = 64 << 10;
    const BOUND: u64 = (2 * MAX_MESSAGE_BYTES / LENGTH) as u64;
    let mut listener = fixture.listen().await;
    let (mut dialled, mut accepted) = fixture.connect(&mut listener).await;
    let (mut there, mut back) = fixture.connect(&mut listener).await;

    let sent = Cell::new(0);
    let send = async {
        for number in 0..=BOUND {
            dialled.sender.send(&message(number, LENGTH)).await.expect("it is open");
            sent.set(number + 1);
        }
    }
    .fuse();
    let stands_still = async {
        let mut seen = u64::MAX;
        while seen != sent.get() {
            seen = sent.get();
            go_to_and_fro(&mut there, &mut back).await;
        }
    }
    .fuse();
    pin_mut!(send, stands_still);
    let send = match select(send, stands_still).await {
        Either::Left(_) => panic!("{} messages of {LENGTH} bytes were sent, and none was read", sent.get()),
        Either::Right(((), send)) => send,
    };
    let receive = async {
        for number in 0..=BOUND {
            expect_message(&mut accepted.receiver, number, LENGTH).await;
        }
    };
    join(send, receive).await;
}

/// A task looks for messages between other work, and gives up waiting again and again: no byte is lost by that.
pub async fn receiving_can_be_cancelled(fixture: &Fixture) {
    const COUNT: u64 = 40;
    const LENGTH: usize = 300_000;
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    let send = async {
        for number in 0..COUNT {
            dialled.sender.send(&message(number, LENGTH)).await.expect("it is open");
        }
    };
    let receive = async {
        for number in 0..COUNT {
            let received = loop {
                let attempt = select(accepted.receiver.receive(), yield_once().boxed()).await;
                if let Either::Left((result, _)) = attempt {
                    break result.expect("it is open");
                }
            };
            assert!(received.as_deref() == Some(&message(number, LENGTH)[..]), "message {number} is another");
        }
    };
    join(send, receive).await;
}

/// What a connection has carried is counted on both sides, at least what was sent.
pub async fn traffic_is_counted(fixture: &Fixture) {
    const LENGTH: usize = 1 << 20;
    let (mut dialled, mut accepted, _listener) = fixture.connected().await;
    let send = async { dialled.sender.send(&message(0, LENGTH)).await.expect("it is open") };
    join(send, expect_message(&mut accepted.receiver, 0, LENGTH)).await;
    assert!(dialled.sender.traffic().sent >= LENGTH as u64);
    assert!(accepted.sender.traffic().received >= LENGTH as u64);
    assert!(dialled.sender.traffic().received < LENGTH as u64 / 2);
}

async fn expect_message(receiver: &mut Box<dyn MessageReceiver>, seed: u64, length: usize) {
    let received = receiver.receive().await.expect("it is open").expect("there is more to come");
    assert_eq!(received.len(), length, "message {seed} has another length");
    assert!(received == message(seed, length), "message {seed} has other bytes");
}

async fn go_to_and_fro(there: &mut Connection, back: &mut Connection) {
    for _ in 0..100 {
        there.sender.send(b"ping").await.expect("it is open");
        back.receiver.receive().await.expect("it is open");
        back.sender.send(b"pong").await.expect("it is open");
        there.receiver.receive().await.expect("it is open");
    }
}

/// Is ready when it is polled for the second time, and sees to it that it is.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
