//! A client made by hand from quinn and rustls, which can leave out what an honest one does, and a relay of datagrams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hhs_model::{PublicKey, Signer};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connecting, Connection, Endpoint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, ResolvesClientCert};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use url::Url;

use crate::secret;

/// What a client has to show.
#[derive(Clone, Copy)]
pub(crate) enum Proof {
    /// The key of a seed.
    Key(u8),
    /// It says that it has a key, and shows none when asked.
    Withheld,
    /// It knows nothing of client keys.
    None,
}

/// A client that shows `proof` and offers `alpn`.
pub(crate) fn client(proof: Proof, alpn: &[u8]) -> Endpoint {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustsAnybody));
    let mut config = match proof {
        Proof::None => builder.with_no_client_auth(),
        Proof::Withheld => builder.with_client_cert_resolver(Arc::new(NoKey)),
        Proof::Key(seed) => {
            let key = Arc::new(certified(seed));
            builder.with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)))
        }
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    let mut endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let crypto = QuicClientConfig::try_from(config).unwrap();
    endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
    endpoint
}

/// Begins to connect to a listener.
pub(crate) fn begin(client: &Endpoint, listener: &Url) -> Connecting {
    client.connect(address(listener), "anything").unwrap()
}

/// A connection of a client that proves the key 3, past the handshake and no further.
pub(crate) async fn connected(listener: &Url) -> (Endpoint, Connection) {
    let client = client(Proof::Key(3), b"hhs/1");
    let connection = begin(&client, listener).await.unwrap();
    (client, connection)
}

/// The address in a URL.
pub(crate) fn address(url: &Url) -> SocketAddr {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap()
}

/// The key of a seed, with ring's own signer: what we prove is understood by others, and theirs by us.
fn certified(seed: u8) -> CertifiedKey {
    let pkcs8 = [&PKCS8_ED25519[..], &[seed; 32]].concat();
    let key = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(pkcs8)).unwrap();
    CertifiedKey::new(vec![CertificateDer::from(spki(&secret(seed).public_key()))], key)
}

fn spki(key: &PublicKey) -> Vec<u8> {
    rustls::sign::public_key_to_spki(&rustls::pki_types::alg_id::ED25519, key.as_bytes()).to_vec()
}

/// What comes before the seed in a PKCS #8 Ed25519 key (RFC 8410 §7).
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

#[derive(Debug)]
struct NoKey;

impl ResolvesClientCert for NoKey {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct TrustsAnybody;

impl ServerCertVerifier for TrustsAnybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// Stands between a dialler and a listener, and can stop to forward.
pub(crate) struct Relay {
    pub(crate) url: Url,
    forwards: Arc<AtomicBool>,
    answers: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(listener: &Url) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        back.connect(address(listener)).await.unwrap();
        let url = crate::url(&format!("quic://{}", front.local_addr().unwrap()));
        let (forwards, answers) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let task = tokio::spawn(relay(front, back, forwards.clone(), answers.clone()));
        Self { url, forwards, answers, task }
    }

    /// From now on nothing gets through, as when the machine on the other side has lost its power.
    pub(crate) fn cut(&self) {
        self.forwards.store(false, Ordering::Relaxed);
        self.swallow_answers();
    }

    /// From now on the dialler hears nothing, while the listener hears everything.
    pub(crate) fn swallow_answers(&self) {
        self.answers.store(false, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(front: UdpSocket, back: UdpSocket, forwards: Arc<AtomicBool>, answers: Arc<AtomicBool>) {
    let (mut there, mut here) = (vec![0; 65_536], vec![0; 65_536]);
    let mut dialler = None;
    loop {
        tokio::select! {
            Ok((length, from)) = front.recv_from(&mut there) => {
                dialler = Some(from);
                if forwards.load(Ordering::Relaxed) {
                    back.send(&there[..length]).await.unwrap();
                }
            }
            Ok(length) = back.recv(&mut here) => {
                if answers.load(Ordering::Relaxed) && let Some(dialler) = dialler {
                    front.send_to(&here[..length], dialler).await.unwrap();
                }
            }
            else => return,
        }
    }
}
