//! The stories of what is refused: who tries what, and what they have to stand on.

use super::{
    ANA, Authority, BEN, CLEO, DAN, Refusal, Seen, World, can, founded_by_ana, founding, grant, header, identity,
    signed,
};
use crate::id::OpId;
use crate::op::{Capability, Genesis, Roles};

fn missing(author: usize, capability: &str) -> Result<OpId, Refusal> {
    Err(Refusal::Standing { author: identity(author), capability: capability.to_owned() })
}

/// Ana founds a room and writes; she stands on the genesis alone.
#[test]
fn the_founder_needs_no_grant() {
    let mut room = World::new(founded_by_ana());
    let first = room.write(ANA, &[], &[], None).unwrap();
    room.write(ANA, &[first], &[], grant(BEN, &["write", "grant"])).unwrap();
    let standing = room.authority.standing(&identity(ANA), &["write", "grant"], &Seen::default());
    assert_eq!(standing, Some(vec![]));
}

/// Ben was never let in. Whatever he writes is refused, wherever he puts it.
#[test]
fn who_never_had_standing_is_refused() {
    let mut room = World::new(founded_by_ana());
    let first = room.write(ANA, &[], &[], None).unwrap();
    assert_eq!(room.write(BEN, &[], &[], None), missing(BEN, "write"));
    assert_eq!(room.write(BEN, &[first], &[], None), missing(BEN, "write"));
    assert_eq!(room.write(BEN, &[first], &[], grant(BEN, &["write"])), missing(BEN, "write"));
    assert_eq!(room.authority.standing(&identity(BEN), &["write"], &room.seen(&[first])), None);
    assert_eq!(room.authority.len(), 0);
}

/// Ana lets Ben in. Ben names the grant in an op that is not above it: nobody can see by his op's past that he may write.
#[test]
fn a_grant_has_to_be_in_the_past() {
    let mut room = World::new(founded_by_ana());
    let first = room.write(ANA, &[], &[], None).unwrap();
    let admitted = room.write(ANA, &[first], &[], grant(BEN, &["write"])).unwrap();
    assert_eq!(room.write(BEN, &[first], &[admitted], None), Err(Refusal::NoSuchGrant(admitted)));
    assert_eq!(room.write(BEN, &[], &[admitted], None), Err(Refusal::NoSuchGrant(admitted)));
    let unheard = OpId::of(b"nothing that anybody has");
    assert_eq!(room.write(BEN, &[admitted], &[unheard], None), Err(Refusal::NoSuchGrant(unheard)));
    room.write(BEN, &[admitted], &[admitted], None).unwrap();
    // In the past, but not named: a header shows what it stands on.
    assert_eq!(room.write(BEN, &[admitted], &[], None), missing(BEN, "write"));
}

/// An ordinary op of Ana's is no grant, even to herself.
#[test]
fn an_op_without_act_is_no_grant() {
    let mut room = World::new(founded_by_ana());
    let first = room.write(ANA, &[], &[], None).unwrap();
    assert_eq!(room.write(ANA, &[first], &[first], None), Err(Refusal::NoSuchGrant(first)));
}

/// Cleo stands on Ben's grant. Even Ana, who needs none, may not name it.
#[test]
fn somebody_elses_grant() {
    let mut room = World::new(founded_by_ana());
    let bens = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    assert_eq!(room.write(CLEO, &[bens], &[bens], None), Err(Refusal::ForeignGrant(bens)));
    assert_eq!(room.write(ANA, &[bens], &[bens], None), Err(Refusal::ForeignGrant(bens)));
    let cleos = room.write(ANA, &[bens], &[], grant(CLEO, &["write"])).unwrap();
    assert_eq!(room.write(CLEO, &[cleos], &[bens, cleos], None), Err(Refusal::ForeignGrant(bens)));
    room.write(CLEO, &[cleos], &[cleos], None).unwrap();
}

/// Ben may write but not grant; Cleo may grant, but only what she holds; and with nothing but the right to grant one
/// cannot write the grant.
#[test]
fn nobody_grants_what_they_do_not_hold() {
    let mut room = World::new(founded_by_ana());
    let bens = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    assert_eq!(room.write(BEN, &[bens], &[bens], grant(DAN, &["write"])), missing(BEN, "grant"));
    let cleos = room.write(ANA, &[bens], &[], grant(CLEO, &["write", "grant"])).unwrap();
    assert_eq!(room.write(CLEO, &[cleos], &[cleos], grant(DAN, &["paint", "write"])), missing(CLEO, "paint"));
    // Not the founder either: the genesis gives her no such thing.
    assert_eq!(room.write(ANA, &[cleos], &[], grant(ANA, &["paint"])), missing(ANA, "paint"));
    let dans = room.write(ANA, &[cleos], &[], grant(DAN, &["grant"])).unwrap();
    assert_eq!(room.write(DAN, &[dans], &[dans], grant(DAN, &["grant"])), missing(DAN, "write"));
    room.write(CLEO, &[dans], &[cleos], grant(DAN, &["write"])).unwrap();
}

/// Ana lets Ben in, Ben Cleo, Cleo Dan. Each link of the chain stands on the one before it.
#[test]
fn a_chain_of_grants() {
    let mut room = World::new(founded_by_ana());
    let all = ["write", "grant"];
    let bens = room.write(ANA, &[], &[], grant(BEN, &all)).unwrap();
    let cleos = room.write(BEN, &[bens], &[bens], grant(CLEO, &all)).unwrap();
    let dans = room.write(CLEO, &[cleos], &[cleos], grant(DAN, &["write"])).unwrap();
    let said = room.write(DAN, &[dans], &[dans], None).unwrap();
    let standing = |author, names: &[&str]| room.authority.standing(&identity(author), names, &room.seen(&[said]));
    assert_eq!(standing(DAN, &["write"]), Some(vec![dans]));
    assert_eq!(standing(DAN, &all), None);
    assert_eq!(standing(CLEO, &all), Some(vec![cleos]));
    assert_eq!(standing(BEN, &all), Some(vec![bens]));
    room.write(BEN, &[said], &[bens], None).unwrap();
}

/// Ben holds one capability by one grant and another by another: he may stand on both at once, and needs both.
#[test]
fn grants_add_up() {
    let mut room = World::new(founded_by_ana());
    let write = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    let admit = room.write(ANA, &[], &[], grant(BEN, &["grant"])).unwrap();
    let heads = [write, admit];
    assert_eq!(room.write(BEN, &heads, &[write], grant(CLEO, &["write"])), missing(BEN, "grant"));
    assert_eq!(room.write(BEN, &heads, &[admit], grant(CLEO, &["write"])), missing(BEN, "write"));
    assert_eq!(room.write(BEN, &[write], &[write, admit], None), Err(Refusal::NoSuchGrant(admit)));
    room.write(BEN, &heads, &[write, admit], grant(CLEO, &["write"])).unwrap();
}

/// Ana grants Ben the same again and again, then everything at once: he is told to stand on the one that gives all.
#[test]
fn few_grants_are_enough() {
    let mut room = World::new(founded_by_ana());
    let mut last = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    let first = last;
    for _ in 0..3 {
        last = room.write(ANA, &[last], &[], grant(BEN, &["write"])).unwrap();
    }
    let seen = room.seen(&[last]);
    assert_eq!(room.authority.standing(&identity(BEN), &["write"], &seen), Some(vec![first]));
    let both = room.write(ANA, &[last], &[], grant(BEN, &["write", "grant"])).unwrap();
    let standing = |names: &[&str], head| room.authority.standing(&identity(BEN), names, &room.seen(&[head]));
    assert_eq!(standing(&["write", "grant"], both), Some(vec![both]));
    assert_eq!(standing(&["write", "grant"], last), None, "it is not in that past");
    assert_eq!(standing(&[], both), Some(vec![]));
}

/// A genesis lists its writers, and gives nobody the right to grant: nobody else ever writes.
#[test]
fn a_closed_circle_stays_closed() {
    let writers = [identity(ANA), identity(BEN)].into();
    let mut room = World::new(founding(Genesis::with_writers("test/v1/Room", [0; 16], writers)));
    let first = room.write(ANA, &[], &[], None).unwrap();
    room.write(BEN, &[first], &[], None).unwrap();
    assert_eq!(room.write(ANA, &[first], &[], grant(CLEO, &["write"])), missing(ANA, "grant"));
    assert_eq!(room.write(CLEO, &[first], &[], None), missing(CLEO, "write"));
}

/// A room has a list of guests, and that a history of its own: who may write is what the room's genesis says, and what
/// ops of the list itself grant. A grant in the room is none in the list.
#[test]
fn a_child_has_the_roles_of_its_root() {
    let room = founded_by_ana();
    let list = room.child(Genesis::child(room.id(), "guests".parse().unwrap(), "test/v1/Guests")).unwrap();
    let page = list.child(Genesis::child(list.id(), "pages/1".parse().unwrap(), "test/v1/Page")).unwrap();
    let mut room = World::new(room);
    let bens = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    for child in [list, page] {
        let mut child = World::new(child);
        assert_eq!(child.write(BEN, &[], &[], None), missing(BEN, "write"));
        assert_eq!(child.write(BEN, &[], &[bens], None), Err(Refusal::NoSuchGrant(bens)));
        let own = child.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
        child.write(BEN, &[own], &[own], None).unwrap();
    }
}

/// Two grants that have not seen each other are both seen by who merges them; who has one above the other sees that one.
#[test]
fn what_an_op_has_seen() {
    let mut room = World::new(founded_by_ana());
    let bens = room.write(ANA, &[], &[], grant(BEN, &["write"])).unwrap();
    let cleos = room.write(ANA, &[], &[], grant(CLEO, &["write"])).unwrap();
    let merge = room.write(ANA, &[bens, cleos], &[], None).unwrap();
    assert_eq!(room.seen(&[bens]), Seen::acts(vec![0]));
    assert_eq!(room.seen(&[cleos, bens]), Seen::acts(vec![0, 1]));
    assert_eq!(room.seen(&[merge]), Seen::acts(vec![0, 1]));
    let dans = room.write(ANA, &[merge], &[], grant(DAN, &["write"])).unwrap();
    assert_eq!(room.seen(&[dans, bens, merge]), Seen::acts(vec![2]));
    assert_eq!(room.authority.number_of(&dans), Some(2));
    assert_eq!(room.authority.number_of(&merge), None);
    assert!(room.authority.knows(&Seen::acts(vec![0, 2])) && !room.authority.knows(&Seen::acts(vec![3])));
}

/// A member grants itself the same a thousand times, each grant beside the others, and merges them by sixty-four. Judging
/// and asking stays as quick as the grants that one names are few: the test would not end otherwise.
#[test]
fn many_grants_side_by_side() {
    let mut room = World::new(founded_by_ana());
    let mut heads: Vec<OpId> =
        (0..1000).map(|_| room.write(ANA, &[], &[], grant(BEN, &["write", "grant"])).unwrap()).collect();
    while heads.len() > 1 {
        heads = heads.chunks(64).map(|some| room.write(ANA, some, &[], None).unwrap()).collect();
    }
    assert_eq!(room.seen(&heads), Seen::acts((0..1000).collect()));
    for _ in 0..1000 {
        let standing = room.authority.standing(&identity(BEN), &["write", "grant"], &room.seen(&heads)).unwrap();
        assert_eq!(standing.len(), 1);
        heads = vec![room.write(BEN, &heads, &standing, None).unwrap()];
    }
}

/// A capability that means something to its class only is granted like any other.
#[test]
fn other_capabilities() {
    let mut roles: Roles = founded_by_ana().roles().clone();
    roles.insert("chat/v1/pin".parse::<Capability>().unwrap(), [identity(ANA)].into());
    let mut room = World::new(founding(Genesis::with_roles("test/v1/Room", [0; 16], roles)));
    let bens = room.write(ANA, &[], &[], grant(BEN, &["chat/v1/pin"])).unwrap();
    assert_eq!(room.write(BEN, &[bens], &[bens], None), missing(BEN, "write"));
    let seen = room.seen(&[bens]);
    assert_eq!(room.authority.standing(&identity(BEN), &["chat/v1/pin"], &seen), Some(vec![bens]));
    assert_eq!(can(&["chat/v1/pin"]).len(), 1);
}

/// An op that says nothing of authority changes nothing of it.
#[test]
fn adding_an_ordinary_op() {
    let mut authority = Authority::new(founded_by_ana());
    let op = signed(header(ANA, 0, &[], &[], None));
    let added = authority.add(&op, 0, 0, Seen::default(), || panic!("it withdraws nothing"));
    assert_eq!((added.seen, added.affected.is_empty(), authority.epoch()), (Seen::default(), true, 0));
    assert!(authority.is_empty() && authority.number_of(&op.id()).is_none());
    assert_eq!(*authority.founding(), founded_by_ana());
}
