//! Rules of a genesis: what it takes to use a capability.

use super::{ALL, ANA, BEN, CLEO, DAN, Refusal, World, founded_by_ana, founding, grant, identity, renounce};
use crate::id::ReplicaId;
use crate::op::{Capability, Genesis, Rule, Rules};

fn ruled(rules: Rules) -> World {
    let roles = founded_by_ana().roles().clone();
    World::new(founding(Genesis::with_rules("test/v1/Room", [0; 16], roles, rules)))
}

fn can_do(name: &str) -> Rule {
    Rule::Can(name.parse().unwrap())
}

fn missing(author: usize, capability: &str) -> Refusal {
    Refusal::Standing { author: identity(author), capability: capability.to_owned() }
}

/// A board on which everybody may write, and nobody may let anybody in.
#[test]
fn always_and_never() {
    let mut world = ruled([(Capability::write(), Rule::always()), (Capability::grant(), Rule::never())].into());
    let first = world.wrote(DAN, &[], &[], None);
    assert_eq!(world.write(ANA, &[first], &[], grant(BEN, &["write"])), Err(missing(ANA, "grant")));
    assert!(world.authority.may(&identity(BEN), "write") && !world.authority.may(&identity(ANA), "grant"));
    assert_eq!(world.authority.standing(&identity(CLEO), &["write"], &world.seen(&[first])), Some(vec![]));
}

/// To let others in takes to hold that right and to be one of two by name.
#[test]
fn all_of_several() {
    let named = Rule::Is([identity(ANA), identity(BEN)].into());
    let mut world = ruled([(Capability::grant(), Rule::All(vec![can_do("grant"), named]))].into());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let cleos = world.wrote(BEN, &[bens], &[bens], grant(CLEO, &ALL));
    let refused = world.write(CLEO, &[cleos], &[cleos], grant(DAN, &["write"]));
    assert_eq!(refused, Err(missing(CLEO, "grant")));
    world.wrote(CLEO, &[cleos], &[cleos], None);
    // What holders shows is who holds it; who may use it is another question.
    assert!(world.authority.holders().holds(&identity(CLEO), "grant"));
    assert!(!world.authority.may(&identity(CLEO), "grant") && world.authority.may(&identity(BEN), "grant"));
}

/// Painters may write as well. Dan paints, and is told to stand on his grant to paint.
#[test]
fn any_of_several() {
    let mut roles = founded_by_ana().roles().clone();
    roles.insert("paint".parse().unwrap(), [identity(ANA)].into());
    let rules = [(Capability::write(), Rule::Any(vec![can_do("write"), can_do("paint")]))].into();
    let mut world = World::new(founding(Genesis::with_rules("test/v1/Room", [0; 16], roles, rules)));
    let dans = world.wrote(ANA, &[], &[], grant(DAN, &["paint"]));
    let seen = world.seen(&[dans]);
    assert_eq!(world.authority.standing(&identity(DAN), &["write"], &seen), Some(vec![dans]));
    assert_eq!(world.write(DAN, &[dans], &[], None), Err(missing(DAN, "write")));
    let said = world.wrote(DAN, &[dans], &[dans], None);
    assert!(world.authority.holds(world.op(&said).header(), "write"));
    assert!(!world.authority.holds(world.op(&dans).header(), "read"));
}

/// Who is kept out by a rule may still give back what they hold.
#[test]
fn giving_back_takes_nothing() {
    let mut world = ruled([(Capability::write(), Rule::Is([identity(ANA)].into()))].into());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &["write"]));
    assert_eq!(world.write(BEN, &[bens], &[bens], None), Err(missing(BEN, "write")));
    world.wrote(BEN, &[bens], &[bens], renounce(bens));
}

/// A rule asks about a replica whose founding nobody has given: nobody holds anything there.
#[test]
fn a_source_that_is_not_there() {
    let staff = ReplicaId::of(b"staff");
    let mut world = ruled([(Capability::write(), Rule::CanIn(Capability::write(), staff))].into());
    assert_eq!(world.write(ANA, &[], &[], None), Err(missing(ANA, "write")));
    assert_eq!(world.authority.founding().sources(), [staff].into());
}
