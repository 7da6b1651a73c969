//! The address of a space: where somebody is who has it, who that is, which space, and perhaps an invitation.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use hhs_mesh::PeerAddress;
use hhs_model::ReplicaId;
use url::Url;

/// Bytes of the secret of an invitation.
pub(crate) const SECRET_BYTES: usize = 16;

/// Where a space can be joined: `quic://HOST:PORT/<identity>/<space>`, and with an invitation `/<secret>` behind it.
///
/// It has no characters that a shell would take for something else.
#[derive(Clone, PartialEq, Eq)]
pub struct SpaceAddress {
    /// Somebody who has the space.
    pub peer: PeerAddress,
    /// The space.
    pub space: ReplicaId,
    /// The secret of an invitation. Whoever knows it can become a member.
    pub secret: Option<[u8; SECRET_BYTES]>,
}

/// Why a text is not the address of a space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not the address of a space ({reason}): it looks like quic://HOST:PORT/<identity>/<space>/<secret>"
)]
pub struct SpaceAddressError {
    /// The text, cut short if it is long.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for SpaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.peer, self.space)?;
        match &self.secret {
            Some(secret) => write!(f, "/{}", BASE32_NOPAD.encode(secret).to_ascii_lowercase()),
            None => Ok(()),
        }
    }
}

/// Without the secret, which has no place in a log.
impl fmt::Debug for SpaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.peer, self.space)?;
        f.write_str(if self.secret.is_some() { "/<secret>" } else { "" })
    }
}

impl FromStr for SpaceAddress {
    type Err = SpaceAddressError;

    fn from_str(text: &str) -> Result<Self, SpaceAddressError> {
        let wrong = |reason: String| SpaceAddressError { text: text.chars().take(200).collect(), reason };
        let mut endpoint = Url::parse(text.trim()).map_err(|error| wrong(error.to_string()))?;
        if endpoint.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host".into()));
        }
        let path = endpoint.path().trim_matches('/').to_owned();
        let mut parts = path.split('/');
        let (identity, space, secret) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(wrong("its path has more than three parts".into()));
        }
        let identity = identity.parse().map_err(|error| wrong(format!("its identity cannot be read: {error}")))?;
        let space = space.ok_or_else(|| wrong("it names no space".into()))?;
        let space = space.parse().map_err(|error| wrong(format!("its space cannot be read: {error}")))?;
        let secret = secret.map(|secret| read_secret(secret).ok_or_else(|| wrong("its secret cannot be read".into())));
        endpoint.set_path("");
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        Ok(Self { peer: PeerAddress { endpoint, identity }, space, secret: secret.transpose()? })
    }
}

fn read_secret(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != 26 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?.try_into().ok()
}
