//! Whether what was said agrees with what was proven.

use hhs_model::codec::DecodeError;
use hhs_model::{Identity, IdentityId, PublicKey};
use url::{Host, Url};

use super::Message;
use crate::proto::PeerAddress;

/// The version of the protocols.
pub(crate) const VERSION: u64 = 1;
/// Endpoints that one peer may announce.
const MAX_LISTEN: usize = 8;
/// Bytes of an endpoint; longer ones are passed over.
const MAX_ENDPOINT_BYTES: usize = 256;

/// A peer that has proven who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Who.
    pub id: IdentityId,
    /// Their identity, encoded.
    pub identity: Vec<u8>,
    /// Which run of their program.
    pub instance: [u8; 16],
    /// Where they say they listen.
    pub addresses: Vec<PeerAddress>,
}

/// Why a peer is not who it says, or not who was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// Another version of the protocols.
    #[error(
        "the peer speaks version {0} of the protocol, and this program {VERSION}: the older program has to be updated"
    )]
    Version(u64),
    /// Not an identity.
    #[error("the peer's identity is refused: {0}")]
    Identity(#[from] DecodeError),
    /// The key of the identity is not the one proven.
    #[error("the peer names an identity whose key it has not proven to hold")]
    NotProven,
    /// The instance is not 16 bytes.
    #[error("the peer's instance is not 16 bytes")]
    Instance,
    /// Somebody else than expected.
    #[error(
        "the peer there is {found}, not {expected} as the address says: ask for a new address, and do not trust this one"
    )]
    WrongIdentity {
        /// Whom the address names.
        expected: IdentityId,
        /// Who is there.
        found: IdentityId,
    },
}

/// Compares what a peer says with what it has proven and with who was expected.
///
/// # Errors
/// What does not agree.
pub fn check(
    message: Message,
    proven: PublicKey,
    expected: Option<IdentityId>,
    remote: &Url,
) -> Result<Known, HelloError> {
    if message.version != VERSION {
        return Err(HelloError::Version(message.version));
    }
    let identity = Identity::from_bytes(&message.identity.0)?;
    if identity.key != proven {
        return Err(HelloError::NotProven);
    }
    let id = IdentityId::of(&message.identity.0);
    if let Some(expected) = expected.filter(|expected| *expected != id) {
        return Err(HelloError::WrongIdentity { expected, found: id });
    }
    let instance = message.instance.0.try_into().map_err(|_| HelloError::Instance)?;
    let listen = message.listen.iter().filter(|endpoint| endpoint.len() <= MAX_ENDPOINT_BYTES).take(MAX_LISTEN);
    let listen = listen.filter_map(|endpoint| endpoint_seen_from(endpoint, remote));
    let addresses = listen.map(|endpoint| PeerAddress { endpoint, identity: id }).collect();
    Ok(Known { id, identity: message.identity.0, instance, addresses })
}

/// An endpoint that a peer announces, as we can reach it: one that listens everywhere is where the peer comes from.
fn endpoint_seen_from(endpoint: &str, remote: &Url) -> Option<Url> {
    let mut endpoint = Url::parse(endpoint).ok()?;
    let everywhere = match parsed_host(&endpoint)? {
        Host::Ipv4(address) => address.is_unspecified(),
        Host::Ipv6(address) => address.is_unspecified(),
        Host::Domain(_) => false,
    };
    if everywhere {
        endpoint.set_host(Some(remote.host_str()?)).ok()?;
    }
    Some(endpoint)
}

/// The host of a URL, also where the scheme is one that the URL standard does not know, so that it is left as text.
fn parsed_host(url: &Url) -> Option<Host<String>> {
    Host::parse(url.host_str()?).ok()
}
