//! Typing in a space: it is sealed by the clock, and when the node stops.

use std::time::Duration;

use hhs_crdt::UndoStack;
use hhs_mesh::transport::MemoryNetwork;
use tokio::time::timeout;

use crate::people::{LIMIT, PATIENCE, Person, Room, agree, lines};

/// Alice types three lines and pauses. Bob gets them in one op, without her doing anything; she takes all three back at once, and
/// puts them back.
#[tokio::test(start_paused = true)]
async fn a_pause_seals() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    let there = bobs.join::<Room>(&here.invite().await.unwrap(), PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    let before = alices.store().count(here.id()).await.unwrap();
    for (at, line) in ["one", "two", "three"].into_iter().enumerate() {
        here.type_in(|room| {
            room.lines.append(line.to_owned());
            room.topic.set(line.to_owned());
        })
        .await
        .unwrap();
        assert_eq!(lines(&here).len(), at + 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((alices.store().count(here.id()).await.unwrap(), lines(&there).len()), (before, 0));
    agree(&[&here, &there], 3).await;
    assert_eq!(bobs.store().count(here.id()).await.unwrap(), before + 1);
    let mut stack = UndoStack::new();
    here.type_in(|room| room.topic.set("four".into())).await.unwrap();
    here.undo(&mut stack).await.unwrap().unwrap();
    assert_eq!(here.read(|room| room.topic.get().cloned()).as_deref(), Some("three"));
    here.redo(&mut stack).await.unwrap().unwrap();
    assert_eq!(here.read(|room| room.topic.get().cloned()).as_deref(), Some("four"));
    assert_eq!(here.seal().await.unwrap(), None);
}

/// Alice's program ends in an orderly way while she types: what she typed is there when it starts again.
#[tokio::test(start_paused = true)]
async fn stopping_seals() {
    let network = MemoryNetwork::new();
    let alice = Person::new(&network, "alice");
    let node = alice.start().await;
    let here = node.create::<Room>().await.unwrap();
    here.type_in(|room| room.lines.append("last words".into())).await.unwrap();
    node.stop().await;
    let again = alice.start().await.open::<Room>(here.id()).await.unwrap();
    assert_eq!(lines(&again), ["last words"]);
}
