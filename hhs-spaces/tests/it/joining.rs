//! Creating, inviting, joining.

use std::time::Duration;

use hhs_mesh::PeerAddress;
use hhs_mesh::transport::MemoryNetwork;
use hhs_spaces::{JoinError, SpaceAddress, SpaceError};
use hhs_store::AppendError;
use tokio::time::timeout;

use crate::people::{LIMIT, PATIENCE, Person, Room, agree, lines, say};

/// Alice creates a room and invites Bob, who joins and may write as soon as the op has come by which she lets him in.
#[tokio::test(start_paused = true)]
async fn create_invite_join() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    say(&here, "welcome").await;
    here.update(|room| room.topic.set("gardens".into())).await.unwrap();
    let invitation: SpaceAddress = here.invite().await.unwrap().to_string().parse().unwrap();
    let there = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    say(&there, "thank you").await;
    agree(&[&here, &there], 2).await;
    assert_eq!(lines(&here), ["welcome", "thank you"]);
    assert_eq!(there.read(|room| room.topic.get().cloned()), Some("gardens".into()));
    assert!(there.read(|room| room.members.contains(&bob.author.id())));
}

/// Bob types before he is let in: that is refused with words that say why, and nothing is written. Once the grant has come
/// it works.
#[tokio::test(start_paused = true)]
async fn writing_before_being_let_in() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    let mut invitation = here.invite().await.unwrap();
    let secret = invitation.secret.take();
    // Without the secret he can read, since the id of a space is the right to read it.
    let there = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap();
    assert!(!there.is_writable().await.unwrap());
    let error = there.update(|room| room.lines.append("hello".into())).await.unwrap_err();
    assert!(matches!(error, AppendError::NotAllowed { .. }), "{error}");
    assert!(error.to_string().contains("may not write here"), "{error}");
    say(&here, "who is there?").await;
    agree(&[&here, &there], 1).await;
    let waiting = timeout(Duration::from_secs(60), there.writable());
    assert!(waiting.await.is_err(), "nobody has let him in");
    invitation.secret = secret;
    let there = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    say(&there, "it is me").await;
    agree(&[&here, &there], 2).await;
}

/// A secret that is not the one of the invitation.
#[tokio::test(start_paused = true)]
async fn a_wrong_secret() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    let mut invitation = here.invite().await.unwrap();
    invitation.secret = Some([0; 16]);
    let error = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap_err();
    assert!(matches!(error, JoinError::Refused { .. }), "{error}");
    assert_eq!(error.to_string(), "not let in: the invitation is not one of this member's: ask for a new one");
    assert_eq!(here.version().await.unwrap().heads.len(), 0, "nothing was granted");
}

/// Somebody is there who does not share the space. When she does, it need not be tried again: he is told.
#[tokio::test(start_paused = true)]
async fn the_space_is_not_shared_yet() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    let invitation = here.invite().await.unwrap();
    let error = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap_err();
    assert!(matches!(error, JoinError::NotShared { .. }), "{error}");
    here.sync().await.unwrap();
    let there = bobs.join::<Room>(&invitation, PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
}

/// Nobody is there; somebody else is there; it cannot be reached by any means that the program has; it is one's own.
#[tokio::test(start_paused = true)]
async fn addresses_that_do_not_work() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    here.sync().await.unwrap();
    let good = here.invite().await.unwrap();

    let mut nobody = good.clone();
    nobody.peer.endpoint = "mem://nobody".parse().unwrap();
    let error = bobs.join::<Room>(&nobody, PATIENCE).await.unwrap_err();
    assert!(matches!(error, JoinError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("mem://nobody did not answer"), "{error}");

    let mut other = good.clone();
    other.peer.identity = bob.author.id();
    let error = Person::new(&network, "carol").start().await.join::<Room>(&other, PATIENCE).await.unwrap_err();
    assert!(matches!(error, JoinError::WrongIdentity { .. }), "{error}");

    let mut pigeon = good.clone();
    pigeon.peer.endpoint = "pigeon://alice".parse().unwrap();
    let error = bobs.join::<Room>(&pigeon, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("no transport here speaks"), "{error}");

    let mut own = good.clone();
    own.peer = bob.address();
    let error = bobs.join::<Room>(&own, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("this is the program itself"), "{error}");

    let error = bobs.open::<Room>(hhs_model::ReplicaId::of(b"nothing")).await.unwrap_err();
    assert!(error.to_string().contains("is not in this store"), "{error}");
}

/// Alice is asleep when Bob uses her invitation. He waits, and gets in when she is there.
#[tokio::test(start_paused = true)]
async fn the_member_comes_later() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let here = alices.create::<Room>().await.unwrap();
    let invitation = here.invite().await.unwrap();
    here.sync().await.unwrap();
    alice.go_offline();
    let wake = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        alice.come_online();
    };
    let (there, ()) = futures::join!(bobs.join::<Room>(&invitation, Duration::from_secs(60)), wake);
    timeout(LIMIT, there.unwrap().writable()).await.unwrap().unwrap();
}

/// Carol is invited by Bob and cannot reach Alice at all. What she and Alice write comes through him.
#[tokio::test(start_paused = true)]
async fn a_third_one_joins_through_the_second() {
    let network = MemoryNetwork::new();
    let (alice, bob, carol) =
        (Person::new(&network, "alice"), Person::new(&network, "bob"), Person::new(&network, "carol"));
    network.cut(alice.author.identity().key, carol.author.identity().key);
    let (alices, bobs, carols) = (alice.start().await, bob.start().await, carol.start().await);
    let at_alice = alices.create::<Room>().await.unwrap();
    at_alice.sync().await.unwrap();
    let at_bob = bobs.join::<Room>(&at_alice.invite().await.unwrap(), PATIENCE).await.unwrap();
    timeout(LIMIT, at_bob.writable()).await.unwrap().unwrap();
    let at_carol = carols.join::<Room>(&at_bob.invite().await.unwrap(), PATIENCE).await.unwrap();
    timeout(LIMIT, at_carol.writable()).await.unwrap().unwrap();
    for space in [&at_alice, &at_bob, &at_carol] {
        say(space, "hello").await;
    }
    agree(&[&at_alice, &at_bob, &at_carol], 3).await;
}

/// Who listens nowhere cannot invite; a list of writers is final.
#[tokio::test(start_paused = true)]
async fn what_cannot_be() {
    let network = MemoryNetwork::new();
    let (alice, bob, carol) =
        (Person::new(&network, "alice"), Person::new(&network, "bob"), Person::new(&network, "carol"));
    let silent = alice.start_silently().await;
    let error = silent.create::<Room>().await.unwrap().invite().await.unwrap_err();
    assert!(matches!(error, SpaceError::NotListening), "{error}");

    let (bobs, carols, alices) = (bob.start().await, carol.start().await, silent);
    let at_bob = bobs.create_with_writers::<Room>(&[alice.author.identity().clone()]).await.unwrap();
    at_bob.sync().await.unwrap();
    let invitation = at_bob.invite().await.unwrap();
    let error = carols.join::<Room>(&invitation, PATIENCE).await.unwrap_err();
    assert_eq!(error.to_string(), "not let in: the member who was asked may not let others in");
    let at_alice = alices.join::<Room>(&invitation, PATIENCE).await.unwrap();
    say(&at_alice, "I am one of the writers").await;
    agree(&[&at_bob, &at_alice], 1).await;
}

/// An address without invitation, of a peer who only reads: reading can be passed on by anybody.
#[tokio::test(start_paused = true)]
async fn reading_through_a_reader() {
    let network = MemoryNetwork::new();
    let (alice, bob, carol) =
        (Person::new(&network, "alice"), Person::new(&network, "bob"), Person::new(&network, "carol"));
    network.cut(alice.author.identity().key, carol.author.identity().key);
    let (alices, bobs, carols) = (alice.start().await, bob.start().await, carol.start().await);
    let at_alice = alices.create::<Room>().await.unwrap();
    at_alice.sync().await.unwrap();
    say(&at_alice, "read all about it").await;
    let space = at_alice.id();
    let at = |peer: PeerAddress| SpaceAddress { peer, space, secret: None };
    let at_bob = bobs.join::<Room>(&at(alice.address()), PATIENCE).await.unwrap();
    let at_carol = carols.join::<Room>(&at(bob.address()), PATIENCE).await.unwrap();
    agree(&[&at_alice, &at_bob, &at_carol], 1).await;
}
