//! What happens to the store by other ways than through the mesh.

use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::Event;
use hhs_mesh::transport::MemoryNetwork;
use hhs_model::op::{Capability, Genesis, Roles, Rule};
use hhs_model::{Author, Registry, ReplicaId};
use hhs_store::{Bundle, MemoryBackend, ReadLimit, SignedOp, Store};
use tokio::time::{sleep, timeout};

use super::{LIMIT, Peer, agree};

/// Alice deletes a room that she shares. Bob is told that she no longer has it, and what he writes does not bring it back.
/// She shares it again: then it comes back.
#[tokio::test(start_paused = true)]
async fn a_replica_is_deleted() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let mut bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    alice.write(room, "hello").await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    alice.store.delete_replica(room).await.unwrap();
    let gone = |event: &Event| matches!(event, Event::NotShared { replica, .. } if *replica == room);
    bob.told("Alice no longer has it", gone).await;
    bob.write(room, "are you there?").await;
    sleep(Duration::from_secs(120)).await;
    assert!(!alice.store.has_replica(room).await.unwrap(), "it is back");
    alice.mesh.share(room).await.unwrap();
    agree(&[&alice, &bob], room).await;
    assert_eq!(alice.store.count(room).await.unwrap(), 2);
}

/// Ops come into Alice's store from a file, while she shares the room. Bob gets them.
#[tokio::test(start_paused = true)]
async fn ops_come_by_another_way() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let bob = Peer::start(&network, "bob", 2).await;
    let room = alice.found(&[&bob.author]).await;
    bob.meet(room, alice.address()).await;
    agree(&[&alice, &bob], room).await;
    let file = elsewhere(&alice, room).await;
    alice.store.ingest(room, file).await.unwrap();
    agree(&[&alice, &bob], room).await;
    let arrived = async {
        while bob.store.count(room).await.unwrap() < 10 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, arrived).await.expect("Bob gets what came from the file");
}

/// Ten ops by Alice, written on another machine.
async fn elsewhere(alice: &Peer, room: ReplicaId) -> Bundle {
    let store = Store::open(MemoryBackend::new(), Registry::default()).await.unwrap();
    let genesis = alice.store.genesis(room).await.unwrap();
    let mut identities = Vec::new();
    for holder in genesis.holders() {
        identities.push(alice.store.get_bytes(holder.into()).await.unwrap().unwrap());
    }
    store.create(&genesis, &identities).await.unwrap();
    for number in 0..10_u8 {
        super::write(&store, &alice.author, room, &[number]).await;
    }
    let limit = ReadLimit { ops: 10, bytes: usize::MAX };
    let ops = store.ops(room, 0..10, limit).await.unwrap().into_iter();
    let ops = ops.map(|stored| SignedOp { header: stored.op.bytes().to_vec(), payload: stored.payload });
    Bundle { identities: Vec::new(), ops: ops.collect() }
}

/// Alice's notes are written by her staff. Bob is told of the notes, gets both, and deletes both; Alice goes on, and neither
/// comes back.
#[tokio::test(start_paused = true)]
async fn notes_are_deleted_with_their_staff() {
    let network = MemoryNetwork::new();
    let alice = Peer::start(&network, "alice", 1).await;
    let bob = Peer::start(&network, "bob", 2).await;
    let staff = alice.store.found("test/v1/Staff", [1; 16], &alice.author).await.unwrap();
    let notes = governed(&alice.store, &alice.author, staff);
    alice.mesh.share(notes).await.unwrap();
    alice.write(notes, "first").await;
    bob.meet(notes, alice.address()).await;
    agree(&[&alice, &bob], notes).await;
    agree(&[&alice, &bob], staff).await;
    bob.store.delete_replica(notes).await.unwrap();
    bob.store.delete_replica(staff).await.unwrap();
    alice.write(notes, "second").await;
    alice.write(staff, "second").await;
    sleep(Duration::from_secs(120)).await;
    for replica in [notes, staff] {
        assert!(!bob.store.has_replica(replica).await.unwrap(), "it is back");
    }
}

fn governed(store: &Store, author: &Author, source: ReplicaId) -> ReplicaId {
    let rules = [(Capability::write(), Rule::CanIn(Capability::write(), source))].into();
    let genesis = Genesis::with_rules("test/v1/Notes", [2; 16], Roles::new(), rules);
    block_on(store.create(&genesis, &[author.identity_bytes().to_vec()])).unwrap()
}
