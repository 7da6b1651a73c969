//! How many megabytes per second go one way over loopback, in messages of 64 KiB.
//!
//! `cargo run --release -p hhs-transport-quic --example throughput [MEGABYTES] [MESSAGE_BYTES]`

use std::error::Error;
use std::sync::Arc;

use hhs_mesh::transport::Transport;
use hhs_model::SecretKey;
use hhs_transport_quic::QuicTransport;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: usize = arguments.next().map_or(Ok(256), |text| text.parse())?;
    let length: usize = arguments.next().map_or(Ok(64 << 10), |text| text.parse())?;
    let count = megabytes * 1_000_000 / length;

    let transport = |seed| QuicTransport::new(Arc::new(SecretKey::from_seed(&[seed; 32])));
    let (listening, dialling) = (transport(1)?, transport(2)?);
    let mut listener = listening.listen(&"quic://127.0.0.1:0".parse()?).await?;
    let mut dialled = dialling.dial(&listener.endpoint()).await?;
    let mut accepted = listener.accept().await.ok_or("the listener has ended")?;

    let begun = Instant::now();
    let sending = tokio::spawn(async move {
        let message = vec![7; length];
        for _ in 0..count {
            dialled.sender.send(&message).await?;
        }
        dialled.sender.close("all sent").await;
        Ok::<_, hhs_mesh::transport::TransportError>(dialled.sender.traffic())
    });
    let mut received = 0;
    while let Some(message) = accepted.receiver.receive().await? {
        received += message.len();
    }
    let seconds = begun.elapsed().as_secs_f64();
    let traffic = sending.await??;
    let wire = traffic.sent + traffic.received;
    println!("{count} messages of {length} bytes, {received} bytes in {seconds:.2} s");
    println!("{:.1} MB/s, {:.0} messages/s", received as f64 / 1e6 / seconds, count as f64 / seconds);
    println!("{wire} bytes on the wire, both ways: {:.2} % more", 100.0 * (wire as f64 / received as f64 - 1.0));
    Ok(())
}
