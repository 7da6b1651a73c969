//! What people write for an endpoint.

use super::{Endpoint, reachable};

/// Somebody gives a host and a port, or a URL: both name the same endpoint.
#[test]
fn host_and_port_or_a_url() {
    for (text, url) in [
        ("127.0.0.1:7400", "quic://127.0.0.1:7400"),
        ("localhost:0", "quic://localhost:0"),
        ("example.org:1", "quic://example.org:1"),
        ("[::1]:7400", "quic://[::1]:7400"),
        ("quic://0.0.0.0:0", "quic://0.0.0.0:0"),
    ] {
        assert_eq!(text.parse::<Endpoint>().unwrap().0.as_str(), url);
    }
}

/// Somebody leaves out the port, or writes something else: the error says what is wrong and what is right.
#[test]
fn other_texts_are_refused_with_an_example() {
    for (text, reason) in [
        ("", "host"),
        ("example.org", "no port"),
        (":7400", "host"),
        ("example.org:port", "port"),
        ("127.0.0.1:70000", "port"),
        ("http://example.org:80", "speaks"),
        ("quic://127.0.0.1:1/path", "follows"),
    ] {
        let error = text.parse::<Endpoint>().unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("HOST:PORT"), "{text:?}: {error}");
    }
}

/// A node listens on all addresses: what it gives to others is one that can be dialled.
#[test]
fn everywhere_becomes_somewhere() {
    for text in ["quic://0.0.0.0:7400", "quic://[::]:7400"] {
        let url = reachable(&text.parse().unwrap());
        assert!(!url.as_str().contains("0.0.0.0") && !url.as_str().contains("[::]"), "{url}");
        assert_eq!(url.port(), Some(7400));
    }
    let url = "quic://127.0.0.1:7400".parse().unwrap();
    assert_eq!(reachable(&url), url);
}
