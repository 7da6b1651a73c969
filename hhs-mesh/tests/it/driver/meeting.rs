//! Meeting, parting, and meeting again.

use std::time::Duration;

use hhs_mesh::transport::MemoryNetwork;
use hhs_mesh::{Event, MeshError, PeerAddress};
use hhs_model::Author;
use hhs_model::op::{Act, Capability};
use hhs_store::MemoryBackend;

use super::{Peer, agree};

/// Two meet, and what each writes comes to the other; both are told that they agree, and how much went over the wire.
#[tokio::test(start_paused = true)]
async fn two_meet() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    alice.write(room, "hello").await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    bob.write(room, "hello yourself").await;
    agree(&[&alice, &bob], room).await;
    let (first, second) = (alice.author.id(), bob.author.id());
    for (peer, other) in [(&mut alice, second), (&mut bob, first)] {
        let in_sync = |event: &Event| matches!(event, Event::InSync { peer, ops: 2, .. } if *peer == other);
        peer.told("they agree on two ops", in_sync).await;
    }
    let (sent, received) = (alice.mesh.traffic().sent, bob.mesh.traffic().received);
    assert!(sent > 500 && sent < 5000 && received <= sent, "{sent} bytes sent, {received} received");
}

/// A thousand ops by many tasks at once, while the other side writes as well: no head is overlooked.
#[tokio::test(start_paused = true)]
async fn many_writes_at_once() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    let write = async |peer: &Peer| {
        for number in 0..500 {
            peer.write(room, &format!("{number}")).await;
            if number % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
    };
    futures::join!(write(&alice), write(&bob));
    agree(&[&alice, &bob], room).await;
    assert_eq!(alice.store.count(room).await.unwrap(), bob.store.count(room).await.unwrap());
}

/// One loses its network while both write. Once it is back, both have everything.
#[tokio::test(start_paused = true)]
async fn they_agree_again_after_a_cut() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    let bobs_key = bob.author.identity().key;
    for _ in 0..5 {
        network.isolate(bobs_key);
        alice.told("Bob is gone", |event| matches!(event, Event::PeerDisconnected { .. })).await;
        alice.write(room, "are you there?").await;
        bob.write(room, "are you there?").await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        network.rejoin(bobs_key);
        agree(&[&alice, &bob], room).await;
    }
}

/// A node ends without a word and comes back on its store. Whoever was its peer finds it again, and it needs no more than
/// what it lacks.
#[tokio::test(start_paused = true)]
async fn one_comes_back_on_its_store() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let backend = MemoryBackend::new();
    let bob = Peer::start_on(&network, "bob", 2, backend.clone()).await;
    let room = alice.found(&[&bob.author]).await;
    for number in 0..100 {
        alice.write(room, &format!("{number}")).await;
    }
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    bob.mesh.stop().await;
    drop(bob);
    alice.write(room, "while you were away").await;
    let before = alice.mesh.traffic().sent;
    let bob = Peer::start_on(&network, "bob", 2, backend).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    assert!(alice.mesh.traffic().sent - before < 2000, "one op moves, and not a hundred");
}

/// Three in a line: the one in the middle relays.
#[tokio::test(start_paused = true)]
async fn through_a_relay() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let relay = Peer::start(&network, "relay", 2).await;
    let bob = Peer::start(&network, "bob", 3).await;
    network.cut(alice.author.identity().key, bob.author.identity().key);
    let room = alice.found(&[&bob.author]).await;
    alice.meet(room, relay.address()).await;
    relay.mesh.share(room).await.unwrap();
    bob.meet(room, relay.address()).await;
    agree(&[&alice, &relay, &bob], room).await;
    bob.write(room, "hello").await;
    agree(&[&alice, &relay, &bob], room).await;
}

/// Somebody else answers where Alice is expected: that is told, and nothing is shared with them.
#[tokio::test(start_paused = true)]
async fn somebody_else_answers() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let mallory = Peer::start(&network, "mallory", 6).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = mallory.found(&[&bob.author]).await;
    let address = PeerAddress { endpoint: "mem://mallory".parse().unwrap(), identity: alice.author.id() };
    bob.meet(room, address.clone()).await;
    let event = bob.told("somebody else is there", |event| matches!(event, Event::DialFailed { .. })).await;
    let Event::DialFailed { address: failed, wrong_identity: true, reason } = event else { panic!("{event:?}") };
    assert_eq!(failed, address);
    assert!(reason.contains(&mallory.author.id().to_string()), "{reason}");
    assert_eq!(bob.frontier(room).await, None);
}

/// Nobody is there, or the address is one that no transport can reach.
#[tokio::test(start_paused = true)]
async fn addresses_that_lead_nowhere() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[]).await;
    bob.mesh.share(room).await.unwrap();
    let nobody = PeerAddress { endpoint: "mem://nobody".parse().unwrap(), identity: alice.author.id() };
    bob.mesh.add_peer(room, nobody).await.unwrap();
    bob.told("nobody is there", |event| matches!(event, Event::DialFailed { .. })).await;
    let carrier = PeerAddress { endpoint: "pigeon://alice".parse().unwrap(), identity: alice.author.id() };
    let error = bob.mesh.add_peer(room, carrier.clone()).await.unwrap_err();
    assert!(matches!(&error, MeshError::Scheme { scheme, .. } if scheme == "pigeon"), "{error}");
    let error = bob.mesh.join(room, carrier, vec![1]).await.unwrap_err();
    assert!(matches!(error, MeshError::Scheme { .. }), "{error}");
    let error = bob.mesh.listen("pigeon://bob".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, MeshError::Scheme { .. }), "{error}");
    let error = bob.mesh.listen("mem://alice".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, MeshError::Transport(_)), "{error}");
}

/// A node is told its own address, by a person in a hurry: it says so, and does not talk to itself.
#[tokio::test(start_paused = true)]
async fn calling_oneself() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let room = alice.found(&[]).await;
    alice.mesh.add_peer(room, alice.address()).await.unwrap();
    let event = alice.told("that is herself", |event| matches!(event, Event::DialFailed { .. })).await;
    let Event::DialFailed { reason, wrong_identity: false, .. } = event else { panic!("{event:?}") };
    assert!(reason.contains("itself"), "{reason}");
}

/// Somebody asks to be let in, the app writes the grant and says so, and they can write.
#[tokio::test(start_paused = true)]
async fn being_let_in() {
    let network = MemoryNetwork::new();
    let mut alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.store.found("test/v1/Room", [1; 16], &alice.author).await.unwrap();
    alice.mesh.share(room).await.unwrap();
    bob.mesh.share(room).await.unwrap();
    bob.mesh.join(room, alice.address(), b"secret".to_vec()).await.unwrap();
    let event = alice.told("Bob asks", |event| matches!(event, Event::JoinRequested { .. })).await;
    let Event::JoinRequested { connection, identity, identity_bytes, replica, secret } = event else { panic!() };
    assert_eq!((identity, replica, &*secret), (bob.author.id(), room, &b"secret"[..]));
    alice.store.put_identity(identity_bytes).await.unwrap();
    grant(&alice, &bob.author, room).await;
    alice.mesh.admit(connection, room, None).await.unwrap();
    let answered = |event: &Event| matches!(event, Event::JoinAnswered { refused: None, .. });
    bob.told("he is let in", answered).await;
    agree(&[&alice, &bob], room).await;
    bob.write(room, "thanks").await;
    agree(&[&alice, &bob], room).await;
}

async fn grant(peer: &Peer, to: &Author, room: hhs_model::ReplicaId) {
    let act = Some(Act::Grant { to: to.id(), can: [Capability::write()].into() });
    let draft = || Ok(Some(hhs_model::class::Draft { act, payload: None, ..hhs_model::class::Draft::default() }));
    peer.store.append(room, &peer.author, 0, draft).await.unwrap();
}
