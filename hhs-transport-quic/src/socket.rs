//! UDP sockets, with the options that QUIC wants.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};

/// How much the system should hold for us between two looks at the socket, each way. It gives what it allows
/// (`net.core.rmem_max` on Linux).
const SOCKET_BUFFER: usize = 4 << 20;

/// An endpoint to dial from, on any free port of the address family of `peer`.
pub(crate) fn dialling(peer: SocketAddr) -> io::Result<Endpoint> {
    let any: SocketAddr = if peer.is_ipv6() { ([0u16; 8], 0).into() } else { ([0u8; 4], 0).into() };
    endpoint(any, None)
}

/// An endpoint that listens at `address`.
///
/// A port that this process listened on until a moment ago is taken until its last connections have been seen off
/// (three probe time-outs), so that a restarted node would fail: it is tried again for a second.
pub(crate) async fn listening(address: SocketAddr, config: &ServerConfig) -> io::Result<Endpoint> {
    const ATTEMPTS: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 0..ATTEMPTS {
        match endpoint(address, Some(config.clone())) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && address.port() != 0 => {
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
    endpoint(address, Some(config.clone()))
}

fn endpoint(address: SocketAddr, server: Option<ServerConfig>) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), server, bind(address)?, Arc::new(TokioRuntime))
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Whoever listens on all addresses of IPv6 means those of IPv4 too; the default differs between systems.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    for result in [socket.set_recv_buffer_size(SOCKET_BUFFER), socket.set_send_buffer_size(SOCKET_BUFFER)] {
        if let Err(error) = result {
            tracing::debug!(%error, "the UDP socket keeps its small buffers");
        }
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
