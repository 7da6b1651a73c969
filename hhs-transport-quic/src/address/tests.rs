//! URLs, good and bad.

use super::*;

/// Addresses of both families, written as a person writes them, come back as they were.
#[tokio::test]
async fn addresses_survive_the_way_to_a_url_and_back() {
    for text in ["quic://127.0.0.1:7400", "quic://[::1]:7400", "quic://[2001:db8::1]:65535"] {
        let url: Url = text.parse().unwrap();
        let resolved = resolve(&url).await.unwrap();
        assert_eq!(resolved.len(), 1);
        assert_eq!(to_url(resolved[0]).as_str(), text);
    }
}

/// A path and a query say whom to expect there; they do not change where it is.
#[tokio::test]
async fn path_and_query_are_not_looked_at() {
    let url: Url = "quic://127.0.0.1:7400/space/x?key=y#z".parse().unwrap();
    assert_eq!(resolve(&url).await.unwrap(), vec![([127, 0, 0, 1], 7400).into()]);
}

/// A dialler of IPv4 at a socket for both families is shown with the address that it has.
#[test]
fn mapped_addresses_are_shown_as_ipv4() {
    assert_eq!(to_url("[::ffff:127.0.0.1]:80".parse().unwrap()).as_str(), "quic://127.0.0.1:80");
}

/// Half an address is an error that says what is missing.
#[tokio::test]
async fn incomplete_addresses_are_refused() {
    for text in ["quic://127.0.0.1", "quic:127.0.0.1:80", "quic:///path", "mem://alice:7"] {
        let error = resolve(&text.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, TransportError::Address { .. }), "{text}: {error}");
    }
}
