//! What can go wrong, and how the errors of quinn become those of the transport trait.

use hhs_mesh::transport::TransportError;
use quinn::crypto::rustls::NoInitialCipherSuite;
use quinn::{ConnectionError, ReadError, TransportErrorCode, WriteError};
use url::Url;

use crate::config::IDLE_TIMEOUT;

/// Why a QUIC transport cannot be made. None of this depends on what a peer does: it is a build without the
/// cryptography that is needed.
#[derive(Debug, thiserror::Error)]
pub enum QuicError {
    /// The TLS configuration is refused.
    #[error("TLS 1.3 with raw public keys cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The cryptography lacks the cipher suite that QUIC begins with.
    #[error("QUIC cannot be set up, its first cipher suite is missing: {0}")]
    CipherSuite(#[from] NoInitialCipherSuite),
}

/// Why an open connection is over.
pub(crate) fn broken(error: ConnectionError) -> TransportError {
    let reason = match error {
        ConnectionError::TimedOut => return TransportError::TimedOut(IDLE_TIMEOUT),
        ConnectionError::ApplicationClosed(close) if close.reason.is_empty() => DROPPED.to_owned(),
        ConnectionError::ApplicationClosed(close) => printable(&close.reason),
        ConnectionError::ConnectionClosed(close) => {
            format!("the other side's QUIC gave up: {}", transport_reason(&close))
        }
        ConnectionError::Reset => "the other side knows of no such connection: it was restarted".to_owned(),
        ConnectionError::LocallyClosed => "by this side".to_owned(),
        error @ (ConnectionError::TransportError(_)
        | ConnectionError::VersionMismatch
        | ConnectionError::CidsExhausted) => error.to_string(),
    };
    TransportError::Closed { reason }
}

/// Why a connection that was dialled did not come about.
pub(crate) fn not_connected(url: &Url, error: ConnectionError) -> TransportError {
    let reason = match error {
        ConnectionError::TimedOut | ConnectionError::Reset => return TransportError::Unreachable { url: url.clone() },
        ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
            "it takes no connections now, try later".to_owned()
        }
        ConnectionError::ConnectionClosed(close) => format!("it refused: {}", transport_reason(&close)),
        ConnectionError::VersionMismatch => "it speaks no version of QUIC that we do".to_owned(),
        ConnectionError::TransportError(error) => printable(error.reason.as_bytes()),
        other => return handshake(url, broken(other).to_string()),
    };
    handshake(url, reason)
}

pub(crate) fn handshake(url: &Url, reason: String) -> TransportError {
    TransportError::Handshake { url: url.clone(), reason }
}

pub(crate) fn not_read(error: ReadError) -> TransportError {
    match error {
        ReadError::ConnectionLost(error) => broken(error),
        ReadError::Reset(_) => TransportError::Closed { reason: DROPPED.to_owned() },
        ReadError::ClosedStream | ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected => {
            TransportError::Closed { reason: error.to_string() }
        }
    }
}

pub(crate) fn not_written(error: WriteError) -> TransportError {
    match error {
        WriteError::ConnectionLost(error) => broken(error),
        WriteError::Stopped(_) => TransportError::Closed { reason: "the other side reads no more".to_owned() },
        WriteError::ClosedStream | WriteError::ZeroRttRejected => {
            TransportError::Closed { reason: "by this side".to_owned() }
        }
    }
}

/// The most bytes of a reason that are sent or shown.
pub(crate) const MAX_REASON_BYTES: usize = 256;
const DROPPED: &str = "the other side has dropped it";

fn transport_reason(close: &quinn::ConnectionClose) -> String {
    if close.reason.is_empty() {
        return close.error_code.to_string();
    }
    format!("{} ({})", close.error_code, printable(&close.reason))
}

/// A text that a peer has sent, fit for logs and terminals.
fn printable(text: &[u8]) -> String {
    let text = &text[..text.len().min(MAX_REASON_BYTES)];
    String::from_utf8_lossy(text).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
