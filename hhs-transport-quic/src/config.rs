//! The numbers of the transport: times, windows, bounds.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt};

/// A connection on which nothing at all arrives for this long is given up. Lower, and a phone that changes networks loses
/// its peers; higher, and a killed peer is taken for a living one.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often something is sent when there is nothing to say: three may be lost before the connection is given up.
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// How long dialling takes at most, with the resolution of names.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(8);
/// How long the handshake of somebody who dials us may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many handshakes may be in progress at one listener. One more, and the oldest has to go: an honest one is done in
/// a few round trips, so the oldest is the likeliest to have stalled.
pub(crate) const MAX_HANDSHAKES: usize = 128;
/// How many connections may wait to be accepted at one listener; more are turned away.
pub(crate) const BACKLOG: usize = 64;
/// How long [`close`](hhs_mesh::transport::MessageSender::close) waits for what was sent to arrive.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How much may be under way in one direction: sent and not acknowledged, or arrived and not read. It bounds the memory
/// that a connection can hold on either side. 4 MiB is enough for 300 Mbit/s over 100 ms.
const WINDOW: u32 = 4 << 20;

pub(crate) fn client(crypto: QuicClientConfig) -> ClientConfig {
    let mut config = ClientConfig::new(Arc::new(crypto));
    // The listener opens no streams.
    config.transport_config(Arc::new(transport(0)));
    config
}

pub(crate) fn server(crypto: QuicServerConfig) -> ServerConfig {
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport(1)));
    // First datagrams that the listener has not yet looked at; it does so at once.
    config.max_incoming(2 * MAX_HANDSHAKES);
    config.incoming_buffer_size(64 << 10);
    config.incoming_buffer_size_total(1 << 20);
    config
}

fn transport(streams_of_the_other_side: u32) -> TransportConfig {
    let mut config = TransportConfig::default();
    let idle_ms = VarInt::from_u32(IDLE_TIMEOUT.as_millis() as u32);
    config
        .max_idle_timeout(Some(IdleTimeout::from(idle_ms)))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_concurrent_bidi_streams(streams_of_the_other_side.into())
        .max_concurrent_uni_streams(0u32.into())
        .stream_receive_window(WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(WINDOW.into())
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0);
    config
}
