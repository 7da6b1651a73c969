//! The transport conformance suite: a transport is right when it passes every case.
//!
//! A case is an async function of a [`Fixture`] that panics when the transport is wrong. It names no runtime and has no
//! clock: who runs it gives it a time-out (a minute is ample) and counts a case that does not end as failed.
//! [`transport_conformance!`](crate::transport_conformance) makes a test of each.

mod connecting;
mod ending;
mod messages;

use std::sync::Arc;

use futures::try_join;
use hhs_model::PublicKey;
use url::Url;

use crate::transport::{Connection, Listener, Transport, TransportError};

pub use connecting::{
    a_connection_outlives_its_listener, a_foreign_scheme_is_refused, a_listener_that_is_dropped_cannot_be_dialled,
    a_taken_endpoint_is_refused, both_sides_prove_their_keys, dialling_nobody_fails, many_connect_at_once,
};
pub use ending::{
    close_delivers_all_that_was_sent_before, close_ends_both_halves, dropping_both_halves_breaks_the_connection,
    dropping_the_receiver_ends_the_other_sender, dropping_the_sender_is_no_good_order,
};
pub use messages::{
    a_message_over_the_bound_is_refused, a_sender_waits_for_a_slow_reader, both_directions_at_once,
    messages_keep_their_order, messages_of_every_size_arrive, receiving_can_be_cancelled, traffic_is_counted,
};

/// Two parties of the transport under test, fresh for every case.
pub struct Fixture {
    /// Who listens.
    pub listening: Party,
    /// Who dials.
    pub dialling: Party,
    /// Where to listen: an endpoint that is free, with port 0 if the transport knows ports.
    pub endpoint: Url,
    /// An endpoint of the right form where nobody listens.
    pub nobody: Url,
}

/// One party of a [`Fixture`].
pub struct Party {
    /// Its transport.
    pub transport: Arc<dyn Transport>,
    /// The key that the transport proves; `None` if it proves nothing.
    pub key: Option<PublicKey>,
}

impl Fixture {
    async fn listen(&self) -> Box<dyn Listener> {
        self.listening.transport.listen(&self.endpoint).await.expect("the fixture's endpoint can be listened on")
    }

    async fn connect(&self, listener: &mut Box<dyn Listener>) -> (Connection, Connection) {
        let endpoint = listener.endpoint();
        let dial = self.dialling.transport.dial(&endpoint);
        let accept = async {
            let closed = TransportError::Closed { reason: "the listener has ended".to_owned() };
            listener.accept().await.ok_or(closed)
        };
        try_join!(dial, accept).expect("two parties connect")
    }

    /// A connection that was dialled and accepted, and the listener that keeps its endpoint.
    async fn connected(&self) -> (Connection, Connection, Box<dyn Listener>) {
        let mut listener = self.listen().await;
        let (dialled, accepted) = self.connect(&mut listener).await;
        (dialled, accepted, listener)
    }
}

/// `length` bytes that differ by `seed` and do not repeat in any short period.
fn message(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Calls `$case!` with the names of all cases of the transport conformance suite, so that none can be left out.
///
/// ```text
/// macro_rules! tests {
///     ($($case:ident)*) => {$(
///         #[tokio::test]
///         async fn $case() {
///             timeout(LIMIT, hhs_mesh::test_kit::transport::$case(&fixture())).await.expect("ends in time");
///         }
///     )*};
/// }
/// hhs_mesh::transport_conformance!(tests);
/// ```
#[macro_export]
macro_rules! transport_conformance {
    ($case:ident) => {
        $case! {
            both_sides_prove_their_keys
            many_connect_at_once
            dialling_nobody_fails
            a_foreign_scheme_is_refused
            a_taken_endpoint_is_refused
            a_listener_that_is_dropped_cannot_be_dialled
            a_connection_outlives_its_listener
            messages_keep_their_order
            messages_of_every_size_arrive
            a_message_over_the_bound_is_refused
            both_directions_at_once
            a_sender_waits_for_a_slow_reader
            receiving_can_be_cancelled
            traffic_is_counted
            close_delivers_all_that_was_sent_before
            close_ends_both_halves
            dropping_both_halves_breaks_the_connection
            dropping_the_sender_is_no_good_order
            dropping_the_receiver_ends_the_other_sender
        }
    };
}
