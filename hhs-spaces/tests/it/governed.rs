//! Spaces whose members are those of another one, and parts of spaces.

use hhs_mesh::transport::MemoryNetwork;
use hhs_model::ReplicaId;
use hhs_model::op::{Capability, Roles, Rule, Rules};
use hhs_spaces::{Node, Space, SpaceAddress};
use tokio::time::timeout;

use crate::people::{LIMIT, PATIENCE, Person, Room, agree, lines, say};

/// Notes in which write those who may write in another space, and if `besides` those who are let in.
async fn notes_of(node: &Node, staff: ReplicaId, besides: bool) -> Space<Room> {
    let rule = |capability: Capability| match besides {
        true => Rule::Any(vec![Rule::CanIn(capability.clone(), staff), Rule::Can(capability)]),
        false => Rule::CanIn(capability, staff),
    };
    let [write, grant] = [Capability::write(), Capability::grant()];
    let rules: Rules = [(write.clone(), rule(write)), (grant.clone(), rule(grant))].into();
    node.create_with_rules(Roles::new(), rules, &[]).await.unwrap()
}

/// Alice lets Bob into her staff, and gives him the address of the notes alone. He may write there; she removes him from the
/// staff, and what he writes meanwhile goes; she takes that back, and it is there again.
#[tokio::test(start_paused = true)]
async fn the_staff_writes_notes() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let staff = alices.create::<Room>().await.unwrap();
    let here = notes_of(&alices, staff.id(), false).await;
    here.sync().await.unwrap();
    staff.grant(bob.author.identity(), [Capability::write()]).await.unwrap();
    let address = SpaceAddress { peer: alice.address(), space: here.id(), secret: None };
    let there = bobs.join::<Room>(&address, PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    say(&there, "seen").await;
    agree(&[&here, &there], 1).await;

    alice.go_offline();
    let removal = staff.revoke(bob.author.id()).await.unwrap();
    say(&there, "not seen").await;
    alice.come_online();
    timeout(LIMIT, async {
        while there.is_writable().await.unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    agree(&[&here, &there], 1).await;
    assert!(there.update(|room| room.lines.append("let me".into())).await.is_err());

    staff.reinstate(&removal).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    agree(&[&there, &here], 2).await;
    assert_eq!(lines(&here), ["seen", "not seen"]);
}

/// Notes of a staff that let in others as well: an invitation is good there. To those that let in nobody else it is not, and
/// the answer says why.
#[tokio::test(start_paused = true)]
async fn being_invited_to_notes_of_a_staff() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let staff = alices.create::<Room>().await.unwrap();
    let closed = notes_of(&alices, staff.id(), false).await;
    let open = notes_of(&alices, staff.id(), true).await;
    for notes in [&closed, &open] {
        notes.sync().await.unwrap();
    }
    let error = bobs.join::<Room>(&closed.invite().await.unwrap(), PATIENCE).await.unwrap_err();
    assert_eq!(error.to_string(), "not let in: who may write here is decided elsewhere: ask to be let in there");
    assert_eq!(closed.version().await.unwrap().heads.len(), 0, "nothing was granted");
    let there = bobs.join::<Room>(&open.invite().await.unwrap(), PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    say(&there, "thank you").await;
    agree(&[&open, &there], 1).await;
}

/// Bob is a member of a room. Alice makes a part of it, and a part of that, and tells Bob where that is: he may write there,
/// and needs no more than its address. Both come back on their stores.
#[tokio::test(start_paused = true)]
async fn a_part_of_a_space() {
    let network = MemoryNetwork::new();
    let (alice, bob) = (Person::new(&network, "alice"), Person::new(&network, "bob"));
    let (alices, bobs) = (alice.start().await, bob.start().await);
    let room = alices.create::<Room>().await.unwrap();
    room.grant(bob.author.identity(), [Capability::write()]).await.unwrap();
    let kitchen = alices.create_part::<Room>(room.id(), "kitchen".parse().unwrap()).await.unwrap();
    let here = alices.create_part::<Room>(kitchen.id(), "shelf".parse().unwrap()).await.unwrap();
    here.sync().await.unwrap();
    say(&here, "salt").await;
    let address = SpaceAddress { peer: alice.address(), space: here.id(), secret: None };
    let there = bobs.join::<Room>(&address, PATIENCE).await.unwrap();
    timeout(LIMIT, there.writable()).await.unwrap().unwrap();
    say(&there, "pepper").await;
    agree(&[&here, &there], 2).await;
    bobs.stop().await;
    say(&here, "paprika").await;
    let again = bob.start().await;
    let there = again.open::<Room>(here.id()).await.unwrap();
    there.sync().await.unwrap();
    agree(&[&here, &there], 3).await;
}
