//! The conformance suite of transports.

use std::net::UdpSocket;
use std::sync::Arc;

use hhs_mesh::test_kit::transport::{Fixture, Party};
use tokio::time::timeout;

use crate::{LIMIT, key, transport, url};

macro_rules! conformance {
    ($($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (fixture, _silent) = fixture();
            timeout(LIMIT, hhs_mesh::test_kit::transport::$case(&fixture)).await.expect("the case ends in time");
        }
    )*};
}
hhs_mesh::transport_conformance!(conformance);

/// Two parties, and the socket that never answers at the fixture's `nobody`.
fn fixture() -> (Fixture, UdpSocket) {
    let party = |seed| Party { transport: Arc::new(transport(seed)), key: Some(key(seed)) };
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let nobody = url(&format!("quic://{}", silent.local_addr().unwrap()));
    let endpoint = url("quic://127.0.0.1:0");
    (Fixture { listening: party(1), dialling: party(2), endpoint, nobody }, silent)
}
