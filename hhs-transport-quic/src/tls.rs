//! The two TLS configurations: TLS 1.3 only, raw public keys both ways (RFC 7250), one cryptography, nothing kept.

mod identity;
mod verify;

use std::sync::Arc;

use hhs_model::Signer;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

pub(crate) use verify::proven_key;

use crate::error::QuicError;
use identity::IdentityKey;
use verify::AnyIdentity;

/// The application protocol: both sides have to name it.
const ALPN: &[u8] = b"hhs/1";

/// The configurations to dial and to listen with, as the identity of `signer`.
pub(crate) fn configurations(signer: Arc<dyn Signer>) -> Result<(QuicClientConfig, QuicServerConfig), QuicError> {
    // Given by hand, never the default of the process, which belongs to the program.
    let provider = Arc::new(ring::default_provider());
    let key = Arc::new(IdentityKey::new(signer).certified());
    let client = client(provider.clone(), key.clone())?;
    let server = server(provider, key)?;
    Ok((client.try_into()?, server.try_into()?))
}

fn client(provider: Arc<CryptoProvider>, key: Arc<CertifiedKey>) -> Result<ClientConfig, rustls::Error> {
    let verifier = Arc::new(AnyIdentity::new(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_sni = false;
    // Sessions are found again by server name, and all our servers have the same: to resume one would be to trust a
    // stranger with the key of another.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn server(provider: Arc<CryptoProvider>, key: Arc<CertifiedKey>) -> Result<ServerConfig, rustls::Error> {
    let verifier = Arc::new(AnyIdentity::new(&provider));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
