//! The end, in good order.

use std::time::Duration;

use futures::StreamExt;
use hhs_mesh::transport::MemoryNetwork;
use hhs_mesh::{Event, MeshError};
use tokio::time::timeout;

use super::{LIMIT, Peer, agree};

/// A mesh is stopped: its peer is told at once and why, its endpoint is free again, its events end, and whoever still has a
/// handle is told that it was stopped.
#[tokio::test(start_paused = true)]
async fn a_mesh_is_stopped() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    timeout(Duration::from_secs(1), alice.mesh.stop()).await.expect("nothing holds it up");
    let gone = |event: &Event| matches!(event, Event::PeerDisconnected { .. });
    let event = timeout(Duration::from_secs(1), bob.told("Alice is gone", gone)).await.unwrap();
    let Event::PeerDisconnected { reason, .. } = event else { panic!() };
    assert_eq!(reason, "closed by the other side");
    while alice.events.next().await.is_some() {}
    assert!(matches!(alice.mesh.share(room).await, Err(MeshError::Stopped)));
    alice.mesh.stop().await;
    Peer::start(&network, "alice", 1).await;
}

/// Somebody stops in the middle of a fetch. What has come is there, each op with its past, and the rest comes from whoever
/// else has it.
#[tokio::test(start_paused = true)]
async fn one_stops_in_the_middle_of_a_fetch() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let carol = Peer::start(&network, "carol", 3).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[]).await;
    for _ in 0..200 {
        alice.write(room, &"x".repeat(50_000)).await;
    }
    carol.meet(room, alice.address()).await;
    agree(&[&alice, &carol], room).await;
    network.cut(bob.author.identity().key, carol.author.identity().key);
    bob.meet(room, alice.address()).await;
    let some = |event: &Event| matches!(event, Event::Fetched { ops, last: false, .. } if *ops >= 20);
    bob.told("some ops have come", some).await;
    alice.mesh.stop().await;
    assert!(bob.store.count(room).await.unwrap() >= 20);
    network.heal(bob.author.identity().key, carol.author.identity().key);
    bob.meet(room, carol.address()).await;
    agree(&[&alice, &bob, &carol], room).await;
}

/// All handles are dropped: that stops it too.
#[tokio::test(start_paused = true)]
async fn the_last_handle_is_dropped() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    let Peer { mesh, mut events, .. } = alice;
    let other = mesh.clone();
    drop(mesh);
    assert!(other.share(room).await.is_ok());
    drop(other);
    timeout(LIMIT, async { while events.next().await.is_some() {} }).await.expect("the events end");
    bob.told("Alice is gone", |event| matches!(event, Event::PeerDisconnected { .. })).await;
}
