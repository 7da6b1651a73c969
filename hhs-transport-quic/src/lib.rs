//! QUIC transport for Hyper Hyper Space: `quic://host:port`, each side proven by its identity key.
//!
//! # On the wire
//! - QUIC version 1 with TLS 1.3 (RFC 9001), ALPN `hhs/1`, no server name, no session resumption, no early data.
//! - Both sides authenticate with a raw public key (RFC 7250): the `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410),
//!   44 bytes, and a `CertificateVerify` signature by it. No certificate, and nobody who vouches: any key is taken, and
//!   the mesh decides whether it is the one that it expected.
//! - The dialler opens the only stream of the connection, a bidirectional one. Each side writes one byte to it first, the
//!   version of the framing (1): the dialler at once, the listener when it has accepted the dialler's proof. Then, each
//!   way, messages: a length of four bytes, big-endian, at most [`MAX_MESSAGE_BYTES`](hhs_mesh::transport::MAX_MESSAGE_BYTES),
//!   and as many bytes.
//! - The end in good order is the end of the stream between two messages (`FIN`), once it is acknowledged followed by
//!   `CONNECTION_CLOSE` with the application code 1 and a reason in UTF-8. Code 0 or a reset of the stream means dropped,
//!   2 a breach of the framing, 3 that the listener has too much to do.
//!
//! Signatures are checked as TLS has it (cofactorless, `s` below the order), not by the rule for ops: a handshake is
//! judged by one side only, so there is nobody to disagree with.

mod address;
mod config;
mod connection;
mod error;
mod frames;
mod listener;
mod socket;
mod tls;
mod transport;

pub use error::QuicError;
pub use transport::QuicTransport;
