//! What those are told who keep something up with verdicts or want to act: what has changed, what stands, what can be withdrawn.

use super::{
    ALL, ANA, BEN, CLEO, DAN, World, founded_by_ana, founding, grant, header, identity, reinstate, renounce, revoke,
};
use crate::bounds::{MAX_ACT_TARGETS, MAX_GRANTS};
use crate::id::OpId;
use crate::op::{Act, Capability, Genesis};

/// Ana removes Ben, and has not seen that he let Cleo in, nor what Cleo wrote: both stand on what is told to be otherwise. Of the
/// removal itself nothing is told: it is new.
#[test]
fn whom_a_removal_affects() {
    let mut world = World::new(founded_by_ana());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let cleos = super::signed(header(BEN, 1, &[bens], &[bens], grant(CLEO, &ALL)));
    assert!(world.take_in(&cleos).unwrap().is_empty(), "a grant changes nothing that was there");
    let said = world.wrote(CLEO, &[cleos.id()], &[cleos.id()], None);
    let removal = super::signed(header(ANA, 2, &[bens], &[], revoke(&[bens])));
    let affected = world.take_in(&removal).unwrap();
    assert_eq!(affected.grants, [bens, cleos.id()].into());
    assert_eq!(affected.acts, [cleos.id()].into());
    world.is_void(&[cleos.id(), said]);
}

/// Since a moment: what was affected after it, each once, however often.
#[test]
fn what_was_affected_since_a_moment() {
    let mut world = World::new(founded_by_ana());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let mut head = world.wrote(BEN, &[bens], &[bens], grant(CLEO, &ALL));
    let before = world.authority.moment();
    let mut moments = vec![before];
    for _ in 0..3 {
        let off = world.wrote(ANA, &[bens], &[], revoke(&[bens]));
        moments.push(world.authority.moment());
        head = world.wrote(ANA, &[head, off], &[], reinstate(off));
        moments.push(world.authority.moment());
    }
    let since = |moment| world.authority.affected_since(moment).copied().collect::<Vec<OpId>>();
    let mut all = since(before);
    assert!(all.contains(&bens));
    all.sort_unstable();
    assert!(all.is_sorted_by(|a, b| a < b), "each once");
    assert_eq!(since(*moments.last().unwrap()), []);
    assert!(since(moments[5]).len() < all.len() && since(moments[5]).contains(&bens));
    assert_ne!(moments[0], moments[1]);
}

/// Whether grants stand is whether nothing that counts withdraws them, and no other op does.
#[test]
fn grants_that_stand() {
    let mut world = World::new(founded_by_ana());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let cleos = world.wrote(ANA, &[bens], &[], grant(CLEO, &ALL));
    let said = world.wrote(BEN, &[cleos], &[bens], None);
    let stand = |world: &World, grants: &[OpId]| world.authority.all_stand(grants);
    assert!(stand(&world, &[bens, cleos]) && stand(&world, &[]) && !stand(&world, &[bens, said]));
    let off = world.wrote(ANA, &[said], &[], revoke(&[bens]));
    assert!(!stand(&world, &[bens, cleos]) && stand(&world, &[cleos]));
    let state =
        |world: &World| world.authority.grants_to(&identity(BEN)).map(|grant| grant.withdrawn).collect::<Vec<_>>();
    assert_eq!(state(&world), [Some(off)]);
    world.wrote(ANA, &[off], &[], reinstate(off));
    assert!(stand(&world, &[bens, cleos]));
    assert_eq!(state(&world), [None], "what is undone withdraws nothing");
}

/// Ben holds more grants than one act withdraws. Those are named that count, the most senior first; he himself gives back the
/// most junior one first.
#[test]
fn what_one_act_withdraws() {
    let mut world = World::new(founded_by_ana());
    let mut grants = Vec::new();
    for _ in 0..=MAX_ACT_TARGETS + 2 {
        let on: Vec<OpId> = grants.last().copied().into_iter().collect();
        grants.push(world.wrote(ANA, &on, &[], grant(BEN, &["write"])));
    }
    let head = *grants.last().unwrap();
    let cleos = world.wrote(ANA, &[head], &[], grant(CLEO, &ALL));
    let void = world.wrote(CLEO, &[cleos], &[cleos], grant(BEN, &["write"]));
    let off = world.wrote(ANA, &[cleos], &[], revoke(&[cleos]));
    world.is_void(&[void]);
    let (first, last) = (grants.remove(0), grants.pop().unwrap());
    let left = world.wrote(BEN, &[off], &[last], renounce(last));
    world.wrote(ANA, &[left], &[], revoke(&[first]));
    let names = |act: Option<Act>| match act {
        Some(Act::Revoke { grants, .. }) => grants.into_iter().collect::<Vec<_>>(),
        Some(Act::Renounce { grant, .. }) => vec![grant],
        _ => Vec::new(),
    };
    assert_eq!(grants.len(), MAX_ACT_TARGETS + 1);
    assert_eq!(names(world.authority.revoking(&identity(BEN))), super::sorted(&grants[..MAX_ACT_TARGETS]));
    assert_eq!(names(world.authority.renouncing(&identity(BEN))), [grants[MAX_ACT_TARGETS]]);
    assert_eq!(names(world.authority.revoking(&identity(CLEO))), [] as [OpId; 0]);
    assert_eq!(names(world.authority.renouncing(&identity(DAN))), [] as [OpId; 0]);
}

/// Ana's room, in which she has these rights besides.
fn founded_with<'a>(names: impl IntoIterator<Item = &'a str>) -> World {
    let mut roles = founded_by_ana().roles().clone();
    for name in names {
        roles.insert(name.parse::<Capability>().unwrap(), [identity(ANA)].into());
    }
    World::new(founding(Genesis::with_roles("test/v1/Room", [0; 16], roles)))
}

/// Each right by a grant of its own: as many as an op can name can be stood on, and one more cannot.
#[test]
fn more_rights_than_an_op_can_name_grants() {
    let names: Vec<String> = (0..=MAX_GRANTS).map(|number| format!("right{number}")).collect();
    let mut world = founded_with(names.iter().map(String::as_str));
    let heads: Vec<OpId> = names.iter().map(|name| world.wrote(ANA, &[], &[], grant(BEN, &[name.as_str()]))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let standing = |names: &[&str]| world.authority.standing(&identity(BEN), names, &world.seen(&heads));
    assert_eq!(standing(&names[..MAX_GRANTS]).map(|grants| grants.len()), Some(MAX_GRANTS));
    assert_eq!(standing(&names), None);
}

/// Of two grants of which one can go, the junior one goes: losing a senior one is less likely.
#[test]
fn of_two_that_are_as_good_the_senior_stays() {
    let mut world = founded_with(["a", "b", "c", "d"]);
    let first = world.wrote(ANA, &[], &[], grant(BEN, &["a", "b"]));
    let second = world.wrote(ANA, &[first], &[], grant(BEN, &["a", "c"]));
    let third = world.wrote(ANA, &[second], &[], grant(BEN, &["b", "c", "d"]));
    let standing = world.authority.standing(&identity(BEN), &["a", "b", "c", "d"], &world.seen(&[third]));
    assert_eq!(standing, Some(super::sorted(&[first, third])));
}

/// A header that names somebody else's grant holds nothing by it, judged or not.
#[test]
fn holding_by_somebody_elses_grant() {
    let mut world = World::new(founded_by_ana());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let by = |author| header(author, 0, &[bens], &[bens], None);
    assert!(world.authority.holds(&by(BEN), "write") && !world.authority.holds(&by(CLEO), "write"));
}
