//! Parting and meeting again, and the end.

use std::time::Duration;

use futures::StreamExt;
use hhs_mesh::transport::MemoryNetwork;
use hhs_mesh::{Event, MeshError};
use hhs_model::class::Action;
use hhs_spaces::{Node, Space, SpaceError};
use tokio::time::timeout;

use crate::people::{LIMIT, PATIENCE, Person, Room, agree, lines, say, told};

/// Alice and Bob in a room.
async fn room(alice: &Person, bob: &Person) -> ([Node; 2], [Space<Room>; 2]) {
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    let there = bobs.join::<Room>(&here.invite().await.unwrap(), PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    ([alices, bobs], [here, there])
}

/// The network fails for ten minutes, and both write on.
#[tokio::test(start_paused = true)]
async fn they_agree_again_after_a_cut() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (_nodes, [here, there]) = room(&alice, &bob).await;
    for round in 1..4 {
        bob.go_offline();
        for _ in 0..10 {
            say(&here, "from here").await;
            say(&there, "from there").await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        bob.come_online();
        agree(&[&here, &there], round * 20).await;
    }
}

/// What comes is told as it comes, one's own and the others'.
#[tokio::test(start_paused = true)]
async fn changes_are_told() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (_nodes, [here, there]) = room(&alice, &bob).await;
    let mut changes = there.changes();
    say(&here, "hello").await;
    let change = timeout(LIMIT, changes.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((change.author, change.field()), (alice.author.id(), Some("lines")));
    assert!(matches!(change.action, Action::Inserted { .. }));
}

/// Both end their programs, and start them again on what they have. They say that they go on, and need to be told of no
/// address: each knows where the other was.
#[tokio::test(start_paused = true)]
async fn both_come_back_on_their_stores() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let ([alices, bobs], [here, there]) = room(&alice, &bob).await;
    let id = here.id();
    say(&here, "before").await;
    agree(&[&here, &there], 1).await;
    for caller in [&alice, &bob] {
        for node in [&alices, &bobs] {
            node.stop().await;
        }
        // Either of the two is enough: the other one waits to be called.
        let (alices, bobs) = (alice.start().await, bob.start().await);
        let here = alices.open::<Room>(id).await.unwrap();
        let there = bobs.open::<Room>(id).await.unwrap();
        say(&here, "after").await;
        say(&there, "after").await;
        let (first, second) = if caller.name == "alice" { (&here, &there) } else { (&there, &here) };
        first.sync().await.unwrap();
        // Its peer calls before it has said that it shares the space.
        tokio::time::sleep(Duration::from_secs(40)).await;
        second.sync().await.unwrap();
        agree(&[&here, &there], lines(&here).len() + 1).await;
        alices.stop().await;
        bobs.stop().await;
    }
}

/// Carol has met Bob through Alice. Then Alice is gone for good, and both restart: they know where the other was.
#[tokio::test(start_paused = true)]
async fn who_was_met_through_another_is_remembered() {
    let network = MemoryNetwork::new();
    let (alice, bob, carol) =
        (Person::new(&network, "alice"), Person::new(&network, "bob"), Person::new(&network, "carol"));
    let ([alices, bobs], [here, there]) = room(&alice, &bob).await;
    let carols = carol.start().await;
    let at_carol = carols.join::<Room>(&here.invite().await.unwrap(), PATIENCE).await.unwrap();
    let known = async {
        while there.known_peers().await.unwrap().len() < 2 || at_carol.known_peers().await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LIMIT, known).await.expect("they have met");
    timeout(LIMIT, at_carol.writable()).await.unwrap().unwrap();
    agree(&[&here, &there, &at_carol], 0).await;
    for node in [alices, bobs, carols] {
        node.stop().await;
    }
    for restarted in [&bob, &carol] {
        let (bobs, carols) = (bob.start().await, carol.start().await);
        let (there, at_carol) =
            (bobs.open::<Room>(here.id()).await.unwrap(), carols.open::<Room>(here.id()).await.unwrap());
        there.sync().await.unwrap();
        at_carol.sync().await.unwrap();
        say(if restarted.name == "bob" { &there } else { &at_carol }, "where is Alice?").await;
        let count = lines(&there).len().max(lines(&at_carol).len());
        agree(&[&there, &at_carol], count).await;
        bobs.stop().await;
        carols.stop().await;
    }
}

/// A node stops: its peer is told at once, its streams end, what is called on it afterwards says that it was stopped, and
/// what was written is still there to be read.
#[tokio::test(start_paused = true)]
async fn stopping() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let ([alices, bobs], [here, there]) = room(&alice, &bob).await;
    say(&here, "goodbye").await;
    agree(&[&here, &there], 1).await;
    let (mut at_bob, mut at_alice) = (bobs.events(), alices.events());
    timeout(Duration::from_secs(2), alices.stop()).await.expect("nothing holds it up");
    told(&mut at_bob, "Alice is gone", |event| matches!(event, Event::PeerDisconnected { .. })).await;
    timeout(LIMIT, async { while at_alice.next().await.is_some() {} }).await.expect("events end");
    let error = here.sync().await.unwrap_err();
    assert!(matches!(error, SpaceError::Mesh(MeshError::Stopped)), "{error}");
    say(&here, "offline, then").await;
    assert_eq!(lines(&here), ["goodbye", "offline, then"]);
    alices.stop().await;
}

/// Nobody stops the node; its last handle is dropped, and that of its last space. It goes, and its endpoint is free.
#[tokio::test(start_paused = true)]
async fn dropped_instead_of_stopped() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let ([alices, bobs], [here, there]) = room(&alice, &bob).await;
    let mut events = bobs.events();
    drop(alices);
    say(&here, "still here").await;
    agree(&[&here, &there], 1).await;
    let id = here.id();
    drop(here);
    told(&mut events, "Alice is gone", |event| matches!(event, Event::PeerDisconnected { .. })).await;
    let alices = alice.start().await;
    let here = alices.open::<Room>(id).await.unwrap();
    here.sync().await.unwrap();
    say(&here, "and back").await;
    agree(&[&here, &there], 2).await;
}
