//! Connections over TLS.

use std::fs;
use std::sync::Arc;

use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_postgres::{Options, PostgresBackend};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::server::{Server, free_port};

/// A server on the network with a certificate: a host that trusts it reads and writes over TLS alone, one that trusts
/// another one does not connect, and neither does one that calls the server by a name that the certificate has not.
#[tokio::test]
async fn a_store_is_reached_over_tls_or_not_at_all() {
    let (server, port, certificate) = start();
    let address = |name: &str| format!("host={name} hostaddr=127.0.0.1 port={port} user=hhs dbname=postgres");
    let store = PostgresBackend::open(&address("localhost"), &trusting(certificate.clone())).await.unwrap();
    let mut batch = Batch::new();
    batch.put("key", "value");
    store.commit(batch).await.unwrap();
    assert!(store.get(b"key").await.unwrap().is_some());

    let stranger = generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.der().clone();
    let plain = format!("{} sslmode=disable", address("localhost"));
    let plain = PostgresBackend::open(&plain, &trusting(stranger.clone())).await.map(drop);
    for refused in [
        PostgresBackend::open(&address("localhost"), &trusting(stranger)).await.map(drop),
        PostgresBackend::open(&address("elsewhere"), &trusting(certificate)).await.map(drop),
        plain,
    ] {
        assert!(matches!(refused, Err(BackendError::Io { .. })), "got {refused:?}");
        assert!(refused.unwrap_err().to_string().contains("certificate"));
    }
    drop(server);
}

/// A server that takes encrypted connections only, besides its socket; its port and its certificate.
fn start() -> (Server, u16, CertificateDer<'static>) {
    let port = free_port();
    let settings = ["ssl=on", "listen_addresses=127.0.0.1", &format!("port={port}"), "fsync=off"];
    let server = Server::create(&settings);
    let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [("server.crt", own.cert.pem()), ("server.key", own.signing_key.serialize_pem())] {
        let file = server.folder().join("data").join(name);
        fs::write(&file, text).unwrap();
        server.hand_over(&file);
    }
    let rules = server.folder().join("data/pg_hba.conf");
    fs::write(&rules, "local all all trust\nhostssl all all 127.0.0.1/32 trust\n").unwrap();
    server.up();
    (server, port, own.cert.der().clone())
}

fn trusting(certificate: CertificateDer<'static>) -> Options {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Options { tls: Some(Arc::new(config)), ..Options::default() }
}
