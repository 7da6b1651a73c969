//! What a key may sign.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use hhs_model::identity::Domain;
use hhs_model::{Decode, Encode};

/// What a key may sign: for which domains, and whether to prove itself to peers.
///
/// It is kept beside the key. A program that is given an author can do no more in its name than its policy allows.
///
/// As text: `everything`, `nothing`, or the allowed, separated by commas, such as `op/v1,handshakes`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Policy {
    /// The allowed domains; absent for all.
    domains: Option<BTreeSet<String>>,
    /// Whether transcripts of TLS handshakes, which have no domain, are signed.
    handshakes: bool,
}

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is nothing that a key may sign: write `everything`, `nothing`, or a list such as `op/v1,handshakes`, of \
     `handshakes` and domains of 1 to 64 bytes of ASCII"
)]
pub struct PolicyError(String);

impl Policy {
    /// All domains, those to come too, and handshakes.
    pub fn everything() -> Self {
        Self { domains: None, handshakes: true }
    }

    /// Nothing: a key that is kept and not used.
    pub fn nothing() -> Self {
        Self { domains: Some(BTreeSet::new()), handshakes: false }
    }

    /// What a peer of a space needs: ops and handshakes.
    pub fn peer() -> Self {
        Self::nothing().and(Domain::OP).and_handshakes()
    }

    /// This, and what is signed for a domain.
    #[must_use]
    pub fn and(self, domain: Domain) -> Self {
        self.and_named(domain.name())
    }

    /// This, and handshakes.
    #[must_use]
    pub fn and_handshakes(mut self) -> Self {
        self.handshakes = true;
        self
    }

    /// Whether the key may sign for a domain.
    pub fn allows(&self, domain: Domain) -> bool {
        self.domains.as_ref().is_none_or(|domains| domains.contains(domain.name()))
    }

    /// Whether the key may prove itself to peers.
    pub fn allows_handshakes(&self) -> bool {
        self.handshakes
    }

    fn and_named(mut self, domain: &str) -> Self {
        if let Some(domains) = &mut self.domains {
            domains.insert(domain.to_owned());
        }
        self
    }

    /// Whether every domain of it could be one, as those of a policy that was read.
    pub(crate) fn is_valid(&self) -> bool {
        self.domains.iter().flatten().all(|domain| is_domain(domain))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handshakes = self.handshakes.then_some(HANDSHAKES);
        let words: Vec<&str> = match &self.domains {
            None if self.handshakes => vec![EVERYTHING],
            None => vec![ALL_DOMAINS],
            Some(domains) if domains.is_empty() && !self.handshakes => vec![NOTHING],
            Some(domains) => domains.iter().map(String::as_str).chain(handshakes).collect(),
        };
        f.write_str(&words.join(","))
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            EVERYTHING => return Ok(Self::everything()),
            ALL_DOMAINS => return Ok(Self { domains: None, handshakes: false }),
            NOTHING => return Ok(Self::nothing()),
            _ => {}
        }
        text.split(',').map(str::trim).try_fold(Self::nothing(), |policy, word| match word {
            HANDSHAKES => Ok(policy.and_handshakes()),
            EVERYTHING | ALL_DOMAINS | NOTHING => Err(PolicyError(text.to_owned())),
            domain if is_domain(domain) => Ok(policy.and_named(domain)),
            other => Err(PolicyError(other.to_owned())),
        })
    }
}

fn is_domain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

const EVERYTHING: &str = "everything";
const ALL_DOMAINS: &str = "domains";
const NOTHING: &str = "nothing";
const HANDSHAKES: &str = "handshakes";
