//! Hand-made peers, frame by frame, against a mesh that runs.

use std::time::Duration;

use hhs_mesh::Event;
use hhs_mesh::proto::{Message, delta, gossip, hello};
use hhs_mesh::transport::{Connection, MAX_MESSAGE_BYTES, MemoryNetwork, Transport};
use hhs_model::{Author, Bytes, OpId, ReplicaId};
use tokio::time::timeout;

use super::{LIMIT, Peer, agree};

/// Mallory, connected to somebody, after her hello and after opening a room.
async fn mallory(network: &MemoryNetwork, to: &Peer, room: ReplicaId) -> Connection {
    let author = Author::from_seed("mallory", &[66; 32]).unwrap();
    let transport = network.transport(author.identity().key);
    let mut connection = transport.dial(&to.address().endpoint).await.unwrap();
    let identity = Bytes(author.identity_bytes().to_vec());
    let hello = hello::Message { version: 1, identity, instance: Bytes(vec![6; 16]), listen: Vec::new() };
    say(&mut connection, &Message::Hello(hello)).await;
    say(&mut connection, &Message::Gossip(gossip::Message::Open { replica: room })).await;
    connection
}

async fn say(connection: &mut Connection, message: &Message) {
    connection.sender.send(&message.to_bytes().unwrap()).await.unwrap();
}

/// Garbage: she is told why and has to leave.
#[tokio::test(start_paused = true)]
async fn garbage() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let room = alice.found(&[]).await;
    let mut connection = mallory(&network, &alice, room).await;
    connection.sender.send(b"nonsense").await.unwrap();
    alice.told("Mallory misbehaves", |event| matches!(event, Event::Misbehaved { .. })).await;
    let end = async { while let Ok(Some(_)) = connection.receiver.receive().await {} };
    timeout(LIMIT, end).await.expect("the connection ends");
}

/// She asks for much and takes nothing. She can neither make Alice hold without bound what is meant for her, nor keep her
/// from talking to Bob; and when she has to leave she is gone, whether she takes her farewell or not.
#[tokio::test(start_paused = true)]
async fn who_never_reads() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    for _ in 0..20 {
        alice.write(room, &"x".repeat(1_000_000)).await;
    }
    let heads: Vec<OpId> = alice.frontier(room).await.unwrap().heads.into_iter().collect();
    let mut connection = mallory(&network, &alice, room).await;
    for request in 0..8 {
        let (heads, have) = (heads.clone(), Vec::new());
        let want = delta::Message::Want { request, replica: room, heads, have, list: 0, below: None, genesis: false };
        say(&mut connection, &Message::Delta(want)).await;
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    connection.sender.send(b"nonsense").await.unwrap();
    let mut taken = 0;
    let end = async {
        loop {
            // As slow as one can be without being silent.
            tokio::time::sleep(Duration::from_secs(3)).await;
            match connection.receiver.receive().await {
                Ok(Some(frame)) => taken += frame.len(),
                _ => return,
            }
        }
    };
    timeout(Duration::from_secs(3600), end).await.expect("the connection ends");
    // Of the 160 MB that she has asked for: a window of each request.
    alice.told("Mallory misbehaves", |event| matches!(event, Event::Misbehaved { .. })).await;
    assert!(taken < 36 << 20, "{taken} bytes");
}

/// She asks for much, takes nothing, and then her machine dies: what is queued for her does not keep Alice from noticing.
#[tokio::test(start_paused = true)]
async fn who_never_reads_and_vanishes() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let room = alice.found(&[]).await;
    for _ in 0..10 {
        alice.write(room, &"x".repeat(1_000_000)).await;
    }
    let heads: Vec<OpId> = alice.frontier(room).await.unwrap().heads.into_iter().collect();
    let mut connection = mallory(&network, &alice, room).await;
    for request in 0..8 {
        let (heads, have) = (heads.clone(), Vec::new());
        let want = delta::Message::Want { request, replica: room, heads, have, list: 0, below: None, genesis: false };
        say(&mut connection, &Message::Delta(want)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(connection);
    alice.told("Mallory is gone", |event| matches!(event, Event::PeerDisconnected { .. })).await;
}

/// Somebody fetches much over a link that stops carrying anything, and then breaks, while a good deal waits to be sent. That
/// is noticed, so that they can be called again.
#[tokio::test(start_paused = true)]
async fn a_link_breaks_while_much_waits_to_be_sent() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let room = alice.found(&[]).await;
    for _ in 0..20 {
        alice.write(room, &"x".repeat(1_000_000)).await;
    }
    let heads: Vec<OpId> = alice.frontier(room).await.unwrap().heads.into_iter().collect();
    for way in 0..3 {
        let mut connection = mallory(&network, &alice, room).await;
        for request in 0..8 {
            let (heads, have) = (heads.clone(), Vec::new());
            let want =
                delta::Message::Want { request, replica: room, heads, have, list: 0, below: None, genesis: false };
            say(&mut connection, &Message::Delta(want)).await;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        match way {
            0 => drop(connection),
            1 => drop(connection.receiver),
            _ => {
                connection.sender.close("enough").await;
                drop(connection.receiver);
            }
        }
        let gone = alice.told("Mallory is gone", |event| matches!(event, Event::PeerDisconnected { .. }));
        timeout(Duration::from_secs(10), gone).await.expect("it is noticed soon");
    }
}

/// The largest frame there is, of nothing but zeros, and lists that claim to be longer than memory.
#[tokio::test(start_paused = true)]
async fn large_frames() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let room = alice.found(&[]).await;
    for frame in
        [vec![0; MAX_MESSAGE_BYTES], vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], vec![0x81; 1 << 20]]
    {
        let mut connection = mallory(&network, &alice, room).await;
        connection.sender.send(&frame).await.unwrap();
        alice.told("Mallory misbehaves", |event| matches!(event, Event::Misbehaved { .. })).await;
    }
}
