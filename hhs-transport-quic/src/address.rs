//! `quic://host:port`: from URLs to addresses, and back.

use std::net::{IpAddr, SocketAddr};

use hhs_mesh::transport::TransportError;
use url::{Host, Url};

/// The scheme of the URLs.
pub(crate) const SCHEME: &str = "quic";
/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 8;

/// The host and port of a URL, resolved; never empty.
pub(crate) async fn resolve(url: &Url) -> Result<Vec<SocketAddr>, TransportError> {
    let wrong = |reason| TransportError::Address { url: url.clone(), reason };
    if url.scheme() != SCHEME {
        return Err(wrong("it begins with quic://"));
    }
    let port = url.port().ok_or_else(|| wrong("it needs a port, as in quic://example.org:7400"))?;
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Host::Ipv6(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Host::Domain(name)) if !name.is_empty() => name,
        _ => return Err(wrong("it needs a host, as in quic://example.org:7400")),
    };
    // The URL standard leaves the host of an unknown scheme as it is written.
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    let found = tokio::net::lookup_host((name, port)).await;
    let found = found.map_err(|source| TransportError::Resolve { url: url.clone(), source })?;
    let addresses: Vec<SocketAddr> = found.take(MAX_ADDRESSES).collect();
    if addresses.is_empty() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
        return Err(TransportError::Resolve { url: url.clone(), source });
    }
    Ok(addresses)
}

/// The URL of an address. An IPv4 address in IPv6 dress, as sockets for both have it, is undressed.
pub(crate) fn to_url(address: SocketAddr) -> Url {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    // The scope of a link-local address means something on this machine only, and has no place in a URL.
    let text = match address {
        SocketAddr::V4(v4) => format!("{SCHEME}://{v4}"),
        SocketAddr::V6(v6) => format!("{SCHEME}://[{}]:{}", v6.ip(), v6.port()),
    };
    text.parse().expect("an address and a port make a URL")
}

#[cfg(test)]
mod tests;
