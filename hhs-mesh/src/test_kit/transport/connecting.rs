//! Cases about listening, dialling and proving.
#![expect(clippy::missing_panics_doc, reason = "a case fails by panicking")]

use futures::future::{join, join_all};
use url::Url;

use super::Fixture;
use crate::transport::TransportError;

/// Two strangers connect: each learns the other's key and where it is, and the listener says where it really listens.
pub async fn both_sides_prove_their_keys(fixture: &Fixture) {
    let (dialled, accepted, listener) = fixture.connected().await;
    assert_eq!(dialled.proven, fixture.listening.key);
    assert_eq!(accepted.proven, fixture.dialling.key);
    let schemes = fixture.listening.transport.schemes();
    for url in [listener.endpoint(), dialled.remote, accepted.remote] {
        assert!(schemes.contains(&url.scheme()), "{url} has none of the schemes {schemes:?}");
        assert_ne!(url.port(), Some(0), "{url} is no place");
    }
}

/// A busy evening: thirty-two connections are dialled in one moment, and each carries its own words both ways.
pub async fn many_connect_at_once(fixture: &Fixture) {
    const MANY: u8 = 32;
    let mut listener = fixture.listen().await;
    let endpoint = listener.endpoint();
    let dial = join_all((0..MANY).map(|number| {
        let endpoint = &endpoint;
        async move {
            let mut connection = fixture.dialling.transport.dial(endpoint).await.expect("there is room for it");
            connection.sender.send(&[number]).await.expect("it is open");
            let echo = connection.receiver.receive().await.expect("it is open");
            assert_eq!(echo.as_deref(), Some(&[number][..]));
            connection
        }
    }));
    let serve = async {
        let mut accepted = Vec::new();
        for _ in 0..MANY {
            accepted.push(listener.accept().await.expect("the listener is open"));
        }
        let mut numbers = join_all(accepted.iter_mut().map(async |connection| {
            let word = connection.receiver.receive().await.expect("it is open").expect("a word comes");
            connection.sender.send(&word).await.expect("it is open");
            word[0]
        }))
        .await;
        numbers.sort_unstable();
        assert_eq!(numbers, (0..MANY).collect::<Vec<_>>());
        accepted
    };
    join(dial, serve).await;
}

/// A peer that is not running is dialled: an error that says so.
pub async fn dialling_nobody_fails(fixture: &Fixture) {
    let error = fixture.dialling.transport.dial(&fixture.nobody).await.expect_err("nobody listens there");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

/// An address of another transport is dialled, and listened on, by mistake.
pub async fn a_foreign_scheme_is_refused(fixture: &Fixture) {
    let foreign: Url = "carrier-pigeon://alice:7".parse().expect("it is a URL");
    let error = fixture.dialling.transport.dial(&foreign).await.expect_err("it is no address of this transport");
    assert!(matches!(error, TransportError::Address { .. }), "{error}");
    let error = fixture.listening.transport.listen(&foreign).await.err().expect("it is no address of this transport");
    assert!(matches!(error, TransportError::Address { .. }), "{error}");
}

/// The program is started twice with the same endpoint: the second is told that it is taken, the first goes on.
pub async fn a_taken_endpoint_is_refused(fixture: &Fixture) {
    let mut listener = fixture.listen().await;
    let error = fixture.listening.transport.listen(&listener.endpoint()).await.err().expect("the endpoint is taken");
    assert!(matches!(error, TransportError::Listen { .. }), "{error}");
    fixture.connect(&mut listener).await;
}

/// A node stops listening: nobody gets in any more, not even who knew it.
pub async fn a_listener_that_is_dropped_cannot_be_dialled(fixture: &Fixture) {
    let (dialled, _accepted, listener) = fixture.connected().await;
    drop(listener);
    let again = fixture.dialling.transport.dial(&dialled.remote).await;
    assert!(again.is_err(), "nobody listens there any more");
}

/// A node stops listening and keeps the connections that it has.
pub async fn a_connection_outlives_its_listener(fixture: &Fixture) {
    let (mut dialled, mut accepted, listener) = fixture.connected().await;
    drop(listener);
    dialled.sender.send(b"still there?").await.expect("it is open");
    assert_eq!(accepted.receiver.receive().await.expect("it is open").as_deref(), Some(&b"still there?"[..]));
    accepted.sender.send(b"still here").await.expect("it is open");
    assert_eq!(dialled.receiver.receive().await.expect("it is open").as_deref(), Some(&b"still here"[..]));
}
