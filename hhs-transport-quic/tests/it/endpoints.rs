//! Where one can listen and dial.

use std::net::{Ipv6Addr, UdpSocket};

use hhs_mesh::transport::{Transport, TransportError};
use tokio::time::timeout;

use crate::{LIMIT, listen, port, transport, url, works};

/// Two talk over IPv6; on a machine that has none, listening says so.
#[tokio::test]
async fn ipv6_works_where_the_machine_has_it() {
    let listening = transport(1).listen(&url("quic://[::1]:0")).await;
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        assert!(matches!(listening, Err(TransportError::Listen { .. })));
        return;
    }
    let mut listener = listening.unwrap();
    assert!(listener.endpoint().as_str().starts_with("quic://[::1]:"));
    let (dialled, accepted) = works(&mut *listener).await;
    assert_eq!(dialled.remote, listener.endpoint());
    assert!(accepted.remote.as_str().starts_with("quic://[::1]:"));
}

/// Whoever listens on all addresses of IPv6 is found by IPv4 too, and sees who dials with the address that they have.
#[tokio::test]
async fn one_listener_serves_both_families() {
    let Ok(mut listener) = transport(1).listen(&url("quic://[::]:0")).await else {
        assert!(UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err(), "the machine has IPv6");
        return;
    };
    let at = url(&format!("quic://127.0.0.1:{}", port(&*listener)));
    let dialled = transport(2).dial(&at).await.unwrap();
    let accepted = listener.accept().await.unwrap();
    assert_eq!(dialled.remote, at);
    assert_eq!(accepted.remote.host_str(), Some("127.0.0.1"));
}

/// A person types a name, and the path and query that an address carries are passed on as they are.
#[tokio::test]
async fn a_name_is_resolved() {
    let mut listener = listen().await;
    let named = url(&format!("quic://localhost:{}/room?key=abc", port(&*listener)));
    let dialler = transport(2);
    let (dialled, accepted) = tokio::join!(dialler.dial(&named), listener.accept());
    assert_eq!(dialled.unwrap().remote, listener.endpoint());
    accepted.unwrap();
}

/// Nobody can be at port 0.
#[tokio::test]
async fn port_0_cannot_be_dialled() {
    let error = transport(2).dial(&url("quic://127.0.0.1:0")).await.unwrap_err();
    assert!(matches!(error, TransportError::Address { .. }), "{error}");
}

/// An address that is not this machine's cannot be listened on: the error says so and does not wait.
#[tokio::test]
async fn a_foreign_address_cannot_be_listened_on() {
    // TEST-NET-1, which is nobody's (RFC 5737); nothing is sent there.
    let Err(error) = transport(1).listen(&url("quic://192.0.2.1:0")).await else { panic!("it is nobody's address") };
    assert!(matches!(error, TransportError::Listen { .. }), "{error}");
}

/// A node is restarted within its process and comes back at once on the port it had, although its last connection was
/// open a moment ago.
#[tokio::test]
async fn a_listener_comes_back_on_the_port_it_had() {
    let mut listener = listen().await;
    let endpoint = listener.endpoint();
    for _ in 0..3 {
        let connections = works(&mut *listener).await;
        drop((listener, connections));
        listener = timeout(LIMIT, transport(1).listen(&endpoint)).await.unwrap().unwrap();
        assert_eq!(listener.endpoint(), endpoint);
    }
    works(&mut *listener).await;
}
