//! Members.

use hhs_crdt::Replica;
use hhs_model::authority::Holders;
use hhs_model::class::{Action, Changes, EditError};
use hhs_model::op::{Act, Capability, Genesis};

use crate::harness::founding;
use crate::history::{Room, World, empty, identity, payload, text};

/// The founder is a member from the start, with the right to admit others; nobody else is.
#[test]
fn the_genesis_names_the_first_members() {
    let members = empty().state.members;
    assert!(members.contains(&identity(0)) && members.can(&identity(0), Capability::GRANT));
    assert!(!members.contains(&identity(1)));
    assert_eq!((members.len(), members.is_empty()), (1, false));
}

/// A list of guests is a child of the room, and its genesis names nobody: its members are those that the room began with.
#[test]
fn a_child_begins_with_the_members_of_its_root() {
    let room = founding(Room::CLASS);
    let genesis = Genesis::child(room.id(), "guests".parse().expect("a path"), Room::CLASS);
    let guests = room.child(genesis).expect("a child of the room");
    let mut state = Room::new();
    state.authorise(&Holders::from_roles(guests.roles()), &mut Changes::unwatched());
    assert_eq!(state.members, empty().state.members);
    assert!(state.members.can(&identity(0), Capability::GRANT));
}

/// Ana admits Ben, who can write and admit others; the room is told who came, once.
#[test]
fn a_grant_makes_a_member() {
    let mut world = World::new(1);
    let ben = identity(1);
    let op = world.edit(0, |room| room.members.grant(ben)).clone();
    assert_eq!(op.draft.payload, None, "a grant stands in the header");
    let mut room = empty();
    let changes = room.apply(&op).expect("the op has a meaning");
    assert_eq!(changes[0].field(), Some("members"));
    assert_eq!(changes[0].action, Action::Granted { to: ben });
    assert!(room.state.members.contains(&ben) && room.state.members.can(&ben, Capability::GRANT));
    let everybody: Vec<_> = room.state.members.iter().copied().collect();
    assert!(everybody.is_sorted() && everybody.len() == 2);

    let again = world.edit(0, |room| room.members.grant(ben)).clone();
    assert!(room.apply(&again).expect("the op has a meaning").is_empty());
}

/// A visitor may do something, but not write: they are no member.
#[test]
fn a_capability_other_than_writing_makes_no_member() {
    let mut world = World::new(1);
    let paint: Capability = "paint".parse().expect("a name");
    world.edit(0, |room| room.members.grant_capabilities(identity(1), [paint]));
    let members = &world.room(0).members;
    assert!(!members.contains(&identity(1)) && members.can(&identity(1), "paint"));
    assert_eq!(members.holders("paint").count(), 1);
}

/// Who may write is a member, whether they may admit others or not; who may only admit others is none.
#[test]
fn a_member_is_who_may_write() {
    let mut world = World::new(1);
    world.edit(0, |room| room.members.grant_capabilities(identity(1), [Capability::write()]));
    world.edit(0, |room| room.members.grant_capabilities(identity(2), [Capability::grant()]));
    let members = &world.room(0).members;
    assert!(members.contains(&identity(1)) && !members.can(&identity(1), Capability::GRANT));
    assert!(!members.contains(&identity(2)) && members.can(&identity(2), Capability::GRANT));
    assert_eq!(members.len(), 2);
}

/// What an edit grants to one identity goes into one act; a second identity does not fit into the same op.
#[test]
fn an_op_grants_to_one_identity() {
    let room = Room::new();
    let mut edit = room.edit();
    edit.members.grant_capabilities(identity(1), []);
    edit.members.grant_capabilities(identity(1), [Capability::write()]);
    edit.members.grant_capabilities(identity(1), [Capability::grant()]);
    let both = [Capability::grant(), Capability::write()].into();
    assert_eq!(Room::finish(edit).expect("one act").act, Some(Act::Grant { to: identity(1), can: both }));

    let mut edit = room.edit();
    edit.members.grant(identity(1));
    edit.members.grant(identity(2));
    assert_eq!(Room::finish(edit), Err(EditError::SeveralActs));
}

/// A peer writes membership into a payload, where it has no place: the op means nothing.
#[test]
fn members_cannot_be_written_by_a_payload() {
    let mut world = World::new(1);
    let op = world.write(0, payload([("members", vec![text("me")]), ("name", vec![text("mine")])])).clone();
    empty().apply(&op).expect_err("no mutation of members decodes");
    assert_eq!(*world.room(0), empty().state);
}
