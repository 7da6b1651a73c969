//! Endpoints as people write them and as others can use them.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::str::FromStr;

use url::{Host, Url};

/// Where to listen: `HOST:PORT`, which means QUIC, or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(pub(crate) Url);

/// Why a text is not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reason}: give HOST:PORT, such as 0.0.0.0:7400 (port 0 is any free one), or a URL, such as quic://0.0.0.0:7400"
)]
pub(crate) struct EndpointError {
    reason: String,
}

impl Endpoint {
    /// Any free port, on all addresses of this machine.
    pub(crate) fn anywhere() -> Self {
        Self("quic://0.0.0.0:0".parse().expect("this is a URL"))
    }

    /// The same host with any free port.
    pub(crate) fn with_any_port(&self) -> Self {
        let mut url = self.0.clone();
        // Only URLs without a host have no port, and those were refused.
        let _set = url.set_port(Some(0));
        Self(url)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let wrong = |reason: &str| EndpointError { reason: reason.to_owned() };
        let url = if text.contains("://") { text.to_owned() } else { format!("quic://{text}") };
        let url = Url::parse(&url).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "quic" {
            let reason = format!("no transport here speaks {:?}", url.scheme());
            return Err(EndpointError { reason });
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        if url.port().is_none() {
            return Err(wrong("it names no port"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("something follows the port"));
        }
        Ok(Self(url))
    }
}

/// An endpoint as others can dial it: one that listens on all addresses is given the main one of this machine.
pub(crate) fn reachable(endpoint: &Url) -> Url {
    let mut endpoint = endpoint.clone();
    let everywhere = match endpoint.host_str().map(Host::parse) {
        Some(Ok(Host::Ipv4(address))) => address.is_unspecified(),
        Some(Ok(Host::Ipv6(address))) => address.is_unspecified(),
        _ => false,
    };
    if everywhere {
        // An address is a host for every URL that has one.
        let _set = endpoint.set_host(Some(&main_address().to_string()));
    }
    endpoint
}

/// The address from which this machine would speak to the rest of the world; loopback if there is none.
fn main_address() -> IpAddr {
    // Connecting a UDP socket sends nothing: it only asks the system which way it would send. The address is one that is
    // reserved for documentation (RFC 5737), behind the default route.
    let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match asked {
        Ok(address) if !address.ip().is_unspecified() => address.ip(),
        _ => Ipv4Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests;
