//! The stories of what becomes void: who removes whom, who had not seen what, and what comes back.

use super::{
    ALL, ANA, BEN, CLEO, DAN, OpId, Refusal, World, founded_by_ana, founding, grant, header, identity, reinstate,
    renounce, revoke, signed,
};
use crate::op::{Act, Capability, Cut, Genesis, PayloadRef};

/// Ana's room: she has let in Ben, then Cleo, who may let others in.
struct Room {
    world: World,
    bens: OpId,
    cleos: OpId,
}

fn room() -> Room {
    let mut world = World::new(founded_by_ana());
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let cleos = world.wrote(ANA, &[bens], &[], grant(CLEO, &ALL));
    Room { world, bens, cleos }
}

fn may(world: &World, author: usize) -> bool {
    world.authority.holders().holds(&identity(author), "write")
}

/// Situation 8. Ben writes, Ana removes him, and he had written once more that she had not seen. What she had seen stays, the
/// rest is gone; she takes him back, and it is there again.
#[test]
fn what_a_removed_member_wrote_unseen_is_gone_until_they_are_back() {
    let Room { mut world, bens, cleos } = room();
    let seen = world.wrote(BEN, &[cleos], &[bens], None);
    let unseen = world.wrote(BEN, &[seen], &[bens], None);
    let removed = world.wrote(ANA, &[seen], &[], revoke(&[bens]));
    let after = world.wrote(BEN, &[removed, unseen], &[bens], None);
    world.is_effective(&[seen, removed]);
    world.withdrawn(unseen, bens, removed);
    world.withdrawn(after, bens, removed);
    assert!(!may(&world, BEN) && may(&world, CLEO));
    let back = world.wrote(ANA, &[after], &[], reinstate(removed));
    world.is_effective(&[seen, unseen, after, back]);
    world.is_void(&[removed]);
    assert!(may(&world, BEN));
    world.is_as_defined();
}

/// Situation 5. Ben, an administrator, lets Cleo in, and then Dan while Ana is removing him: Dan is gone everywhere, Cleo stays.
/// The removal is undone: Dan is back, with what he wrote.
#[test]
fn whom_an_administrator_adds_while_being_removed() {
    let Room { mut world, bens, cleos } = room();
    let eves = world.wrote(BEN, &[cleos], &[bens], grant(4, &["write"]));
    let dans = world.wrote(BEN, &[eves], &[bens], grant(DAN, &["write"]));
    let removed = world.wrote(ANA, &[eves], &[], revoke(&[bens]));
    let heads = [removed, dans];
    let (by_eve, by_dan) = (world.wrote(4, &heads, &[eves], None), world.wrote(DAN, &heads, &[dans], None));
    world.is_effective(&[eves, by_eve]);
    world.is_void(&[dans, by_dan]);
    assert!(may(&world, 4) && !may(&world, DAN));
    let text = world.authority.explain(world.standing(&by_dan)).to_string();
    let because = format!("{dans} is void: it stands on the grant {bens}, which was withdrawn by {removed}");
    assert!(text.starts_with(&format!("the op is void: it stands on the grant {dans}")) && text.contains(&because));
    world.wrote(ANA, &[by_eve, by_dan], &[], reinstate(removed));
    world.is_effective(&[dans, by_dan]);
    assert!(may(&world, DAN));
    world.is_as_defined();
}

/// Situation 6. Ben and Cleo remove each other. Ben was let in first, and so is senior: whoever sees what first, Cleo goes and
/// Ben stays. She cannot even write it down: nobody keeps it.
#[test]
fn two_who_remove_each_other() {
    for ben_first in [true, false] {
        let Room { mut world, bens, cleos } = room();
        let op = |author, stands, on| header(author, 0, &[cleos], &[stands], revoke(&[on]));
        let (by_ben, by_cleo) = (signed(op(BEN, bens, cleos)), signed(op(CLEO, cleos, bens)));
        let mut take = |ben: bool| match ben {
            true => assert_eq!(world.take(&by_ben), Ok(by_ben.id())),
            false => assert_eq!(world.take(&by_cleo), Err(Refusal::NotSenior(bens))),
        };
        take(ben_first);
        take(!ben_first);
        assert!(may(&world, BEN) && !may(&world, CLEO));
        world.is_as_defined();
    }
}

/// Two holders of the genesis are equally senior, and nothing that they hold can be revoked: each removes whom the other has
/// let in, and takes back what the other has revoked.
#[test]
fn two_founders() {
    let both: std::collections::BTreeSet<_> = [identity(ANA), identity(BEN)].into();
    let roles = [(Capability::write(), both.clone()), (Capability::grant(), both)];
    let mut world = World::new(founding(Genesis::with_roles("test/v1/Room", [0; 16], roles.into())));
    let cleos = world.wrote(ANA, &[], &[], grant(CLEO, &ALL));
    let removed = world.wrote(BEN, &[cleos], &[], revoke(&[cleos]));
    let said = world.wrote(CLEO, &[cleos], &[cleos], None);
    world.is_void(&[said]);
    let back = world.wrote(ANA, &[removed, said], &[], reinstate(removed));
    world.is_effective(&[said, back]);
    assert_eq!(world.write(BEN, &[back], &[], revoke(&[back])), Err(Refusal::NoSuchTarget(back)));
}

/// Situation 6. Ben, Cleo and Dan try to remove each other in a circle: Ben removes Cleo, Cleo removes Dan, Dan removes Ben. Ben
/// is the most senior: he stays, and Dan too, whose remover is gone; Dan's own attempt nobody keeps.
#[test]
fn three_in_a_circle() {
    let Room { mut world, bens, cleos } = room();
    let dans = world.wrote(ANA, &[cleos], &[], grant(DAN, &ALL));
    let by_cleo = world.wrote(CLEO, &[dans], &[cleos], revoke(&[dans]));
    assert!(!may(&world, DAN));
    let by_ben = world.wrote(BEN, &[dans], &[bens], revoke(&[cleos]));
    let by_dan = header(DAN, 0, &[dans], &[dans], revoke(&[bens]));
    assert_eq!(world.take(&signed(by_dan)), Err(Refusal::NotSenior(bens)));
    world.is_void(&[by_cleo]);
    world.is_effective(&[by_ben]);
    assert!(may(&world, BEN) && !may(&world, CLEO) && may(&world, DAN));
    world.is_as_defined();
}

/// Ben, removed, writes as if he had never heard of it: on top of the oldest op that he may stand on. Nothing that he puts anywhere
/// counts, and whom he lets in there writes to nobody either.
#[test]
fn backdating_is_of_no_use() {
    let Room { mut world, bens, cleos } = room();
    let removed = world.wrote(ANA, &[cleos], &[], revoke(&[bens]));
    let backdated = world.wrote(BEN, &[bens], &[bens], None);
    let puppet = world.wrote(BEN, &[bens], &[bens], grant(DAN, &ALL));
    let by_puppet = world.wrote(DAN, &[puppet], &[puppet], None);
    // Cleo was let in by Ana herself, and is senior to whom Ben lets in, wherever he puts it.
    let strike = header(DAN, 9, &[puppet, cleos], &[puppet], revoke(&[cleos]));
    assert_eq!(world.take(&signed(strike)), Err(Refusal::NotSenior(cleos)));
    world.is_void(&[backdated, puppet, by_puppet]);
    world.is_effective(&[removed]);
    assert!(!may(&world, DAN) && may(&world, CLEO));
    world.is_as_defined();
}

/// Ben shows one half of the room one op and the other half another, both on the same parents. Both are kept, and both count until he is
/// removed by somebody who has seen one of them: then the other is gone, everywhere.
#[test]
fn an_author_who_says_two_things_at_once() {
    let Room { mut world, bens, cleos } = room();
    let one = world.wrote(BEN, &[cleos], &[bens], grant(DAN, &["write"]));
    let other = world.wrote(BEN, &[cleos], &[bens], grant(DAN, &ALL));
    world.is_effective(&[one, other]);
    world.wrote(ANA, &[one], &[], revoke(&[bens]));
    world.is_effective(&[one]);
    world.is_void(&[other]);
    assert!(may(&world, DAN) && !world.authority.holders().holds(&identity(DAN), "grant"));
}

/// Ben's key is stolen. The thief removes everybody whom Ana let in after Ben, backdated to the time when they came. Ana revokes
/// Ben's grant by an op that has not seen the thief's: all of it is undone, and Ben goes on with a new grant. His own ops that
/// she has seen stay.
#[test]
fn a_stolen_senior_key() {
    let Room { mut world, bens, cleos } = room();
    let by_ben = world.wrote(BEN, &[cleos], &[bens], None);
    let by_cleo = world.wrote(CLEO, &[by_ben], &[cleos], None);
    let theft = world.wrote(BEN, &[cleos], &[bens], revoke(&[cleos]));
    world.is_void(&[by_cleo]);
    let removed = world.wrote(ANA, &[by_cleo], &[], revoke(&[bens]));
    world.is_void(&[theft]);
    world.is_effective(&[by_ben, by_cleo]);
    let anew = world.wrote(ANA, &[removed, theft], &[], grant(BEN, &ALL));
    let again = world.wrote(BEN, &[anew], &[anew], None);
    world.is_effective(&[again]);
    // The old grant still gives a right to be kept, and to nothing else.
    let by_thief = world.wrote(BEN, &[anew], &[bens], revoke(&[cleos]));
    world.is_void(&[by_thief]);
    assert!(may(&world, CLEO) && may(&world, BEN));
    world.is_as_defined();
}

/// Had Ana seen what the thief did, removing Ben does not undo it: it was his right. She undoes it by name.
#[test]
fn what_was_seen_of_a_thief_is_undone_by_name() {
    let Room { mut world, bens, cleos } = room();
    let theft = world.wrote(BEN, &[cleos], &[bens], revoke(&[cleos]));
    let removed = world.wrote(ANA, &[theft], &[], revoke(&[bens]));
    world.is_effective(&[theft]);
    assert!(!may(&world, CLEO));
    let undone = world.wrote(ANA, &[removed], &[], reinstate(theft));
    assert!(may(&world, CLEO) && !may(&world, BEN));
    world.is_effective(&[undone]);
}

/// Cleo leaves. What she had written and seen stays; what her other device writes meanwhile is void, and nobody can reinstate her:
/// she has to be let in again.
#[test]
fn a_member_leaves() {
    let Room { mut world, cleos, .. } = room();
    let said = world.wrote(CLEO, &[cleos], &[cleos], None);
    let left = world.wrote(CLEO, &[said], &[cleos], renounce(cleos));
    let other_device = world.wrote(CLEO, &[said], &[cleos], None);
    world.is_effective(&[said, left]);
    world.withdrawn(other_device, cleos, left);
    assert!(!may(&world, CLEO));
    let back = header(ANA, 0, &[left], &[], reinstate(left));
    assert_eq!(world.take(&signed(back)), Err(Refusal::NoSuchTarget(left)));
    world.wrote(ANA, &[left], &[], grant(CLEO, &ALL));
    assert!(may(&world, CLEO));
    world.is_void(&[other_device]);
}

/// Both of Cleo's devices leave at the same time, without having seen each other: renunciations do not hit renunciations, and
/// both count.
#[test]
fn leaving_twice() {
    let Room { mut world, cleos, .. } = room();
    let one = world.wrote(CLEO, &[cleos], &[cleos], renounce(cleos));
    let more = world.wrote(CLEO, &[cleos], &[cleos], None);
    let two = world.wrote(CLEO, &[more], &[cleos], renounce(cleos));
    world.is_effective(&[one, two]);
    world.withdrawn(more, cleos, one);
    world.is_as_defined();
}

/// Cleo leaves while Ana is removing her, and Ana takes that back: the renunciation, which the removal had made void, counts
/// again. She stays away, as she wanted.
#[test]
fn who_left_is_not_brought_back_by_a_reinstatement() {
    let Room { mut world, cleos, .. } = room();
    let left = world.wrote(CLEO, &[cleos], &[cleos], renounce(cleos));
    let removed = world.wrote(ANA, &[cleos], &[], revoke(&[cleos]));
    world.is_void(&[left]);
    world.wrote(ANA, &[removed, left], &[], reinstate(removed));
    world.is_effective(&[left]);
    assert!(!may(&world, CLEO));
    world.is_as_defined();
}

/// Cleo has removed Dan on one device and leaves on another, which has not heard of it: the removal stands on what she gave
/// back, and Dan is in.
#[test]
fn who_leaves_takes_back_what_they_had_not_seen() {
    let Room { mut world, cleos, .. } = room();
    let dans = world.wrote(ANA, &[cleos], &[], grant(DAN, &ALL));
    let removal = world.wrote(CLEO, &[dans], &[cleos], revoke(&[dans]));
    let left = world.wrote(CLEO, &[dans], &[cleos], renounce(cleos));
    world.withdrawn(removal, cleos, left);
    assert!(may(&world, DAN));
}

/// One gives back what one holds oneself, by the right form of op, and one grant at a time.
#[test]
fn renunciations_that_are_refused() {
    let Room { mut world, bens, cleos } = room();
    let more = world.wrote(ANA, &[cleos], &[], grant(CLEO, &["write"]));
    let refused = |author, grants: &[OpId], of| header(author, 0, &[more], grants, renounce(of));
    assert_eq!(world.take(&signed(refused(CLEO, &[bens], bens))), Err(Refusal::ForeignGrant(bens)));
    assert_eq!(world.take(&signed(refused(CLEO, &[], cleos))), Err(Refusal::Renunciation(cleos)));
    assert_eq!(world.take(&signed(refused(CLEO, &[cleos, more], cleos))), Err(Refusal::Renunciation(cleos)));
    assert_eq!(world.take(&signed(refused(CLEO, &[more], cleos))), Err(Refusal::Renunciation(cleos)));
    let mut speaking = refused(CLEO, &[cleos], cleos);
    speaking.payload = Some(PayloadRef::to(b"good-bye"));
    assert_eq!(world.take(&signed(speaking)), Err(Refusal::Renunciation(cleos)));
    world.wrote(CLEO, &[more], &[cleos], renounce(cleos));
    assert!(may(&world, CLEO), "by the other grant");
}

/// Who may only write, or lacks something of what a grant gives, revokes nothing; nobody revokes what they stand on themselves.
#[test]
fn revocations_that_are_refused() {
    let Room { mut world, bens, cleos } = room();
    let dans = world.wrote(ANA, &[cleos], &[], grant(DAN, &["write"]));
    let standing = |author, capability: &str| {
        Err(Refusal::Standing { author: identity(author), capability: capability.to_owned() })
    };
    assert_eq!(world.write(DAN, &[dans], &[dans], revoke(&[cleos])), standing(DAN, "grant"));
    assert_eq!(world.write(BEN, &[dans], &[bens], revoke(&[bens])), Err(Refusal::NotSenior(bens)));
    assert_eq!(world.write(BEN, &[cleos], &[bens], revoke(&[dans])), Err(Refusal::NoSuchTarget(dans)));
    let unheard = OpId::of(b"nothing that anybody has");
    assert_eq!(world.write(ANA, &[dans], &[], revoke(&[unheard])), Err(Refusal::NoSuchTarget(unheard)));
    let mut roles = founded_by_ana().roles().clone();
    roles.insert("paint".parse().unwrap(), [identity(ANA)].into());
    let mut world = World::new(founding(Genesis::with_roles("test/v1/Room", [0; 16], roles)));
    let bens = world.wrote(ANA, &[], &[], grant(BEN, &ALL));
    let dans = world.wrote(ANA, &[bens], &[], grant(DAN, &["paint", "write"]));
    assert_eq!(world.write(BEN, &[dans], &[bens], revoke(&[dans])), standing(BEN, "paint"));
}

/// Who is junior undoes nothing that somebody senior has done.
#[test]
fn reinstatements_that_are_refused() {
    let Room { mut world, bens, cleos } = room();
    let dans = world.wrote(ANA, &[cleos], &[], grant(DAN, &ALL));
    let removed = world.wrote(BEN, &[dans], &[bens], revoke(&[dans]));
    assert_eq!(world.write(CLEO, &[removed], &[cleos], reinstate(removed)), Err(Refusal::NotSenior(removed)));
    assert_eq!(world.write(BEN, &[removed], &[bens], reinstate(bens)), Err(Refusal::NoSuchTarget(bens)));
    world.wrote(BEN, &[removed], &[bens], reinstate(removed));
    assert!(may(&world, DAN));
}

/// What one has revoked oneself one may undo, and revoke again, for as long as one likes.
#[test]
fn a_role_that_is_switched_on_and_off() {
    let Room { mut world, cleos, .. } = room();
    let mut head = cleos;
    let mut said = Vec::new();
    for _ in 0..20 {
        head = world.wrote(CLEO, &[head], &[cleos], None);
        said.push(head);
        let off = world.wrote(ANA, &[head], &[], revoke(&[cleos]));
        assert!(!may(&world, CLEO));
        let unheard = world.wrote(CLEO, &[off], &[cleos], None);
        world.is_void(&[unheard]);
        head = world.wrote(ANA, &[off, unheard], &[], reinstate(off));
        assert!(may(&world, CLEO));
        said.push(unheard);
    }
    world.is_effective(&said);
    world.is_as_defined();
}

/// Two revocations of one grant, of which one is undone: the other still counts.
#[test]
fn removed_twice_and_taken_back_once() {
    let Room { mut world, bens, cleos } = room();
    let by_ana = world.wrote(ANA, &[cleos], &[], revoke(&[cleos]));
    let by_ben = world.wrote(BEN, &[cleos], &[bens], revoke(&[cleos]));
    let said = world.wrote(CLEO, &[cleos], &[cleos], None);
    let heads = [by_ana, by_ben, said];
    world.wrote(ANA, &heads, &[], reinstate(by_ana));
    world.withdrawn(said, cleos, by_ben);
    let both = Some(Act::Reinstate { of: [by_ana, by_ben].into() });
    world.wrote(ANA, &heads, &[], both);
    world.is_effective(&[said]);
}

/// Ben undoes Cleo's removal of Dan and is removed himself, by somebody who had not seen that: Dan is removed again.
#[test]
fn a_reinstatement_by_somebody_who_is_removed() {
    let Room { mut world, bens, cleos } = room();
    let dans = world.wrote(ANA, &[cleos], &[], grant(DAN, &["write"]));
    let removal = world.wrote(CLEO, &[dans], &[cleos], revoke(&[dans]));
    let back = world.wrote(BEN, &[removal], &[bens], reinstate(removal));
    assert!(may(&world, DAN));
    world.wrote(ANA, &[removal], &[], revoke(&[bens]));
    world.is_void(&[back]);
    world.is_effective(&[removal]);
    assert!(!may(&world, DAN));
    world.is_as_defined();
}

/// Ben had not heard that he was removed when he wrote, and those who saw his op then saw it in effect: as judged from its
/// own past it is, and so is all that it refers to.
#[test]
fn what_an_author_saw() {
    let Room { mut world, bens, cleos } = room();
    let said = world.wrote(BEN, &[cleos], &[bens], None);
    let answer = world.wrote(CLEO, &[said], &[cleos], None);
    let removed = world.wrote(ANA, &[cleos], &[], revoke(&[bens]));
    let merge = world.wrote(CLEO, &[answer, removed], &[cleos], None);
    world.is_void(&[said]);
    assert!(!world.is_void_for(said, answer), "Cleo had not heard of the removal");
    assert!(world.is_void_for(said, merge), "by then she had");
    assert!(!world.authority.withdraws(&world.places[&answer].seen));
    assert!(world.authority.withdraws(&world.places[&merge].seen));
}

/// Who is removed is not told to stand on what they held, and who was let in anew is told to stand on that.
#[test]
fn nobody_is_told_to_stand_on_what_is_withdrawn() {
    let Room { mut world, cleos, .. } = room();
    let removed = world.wrote(ANA, &[cleos], &[], revoke(&[cleos]));
    let standing = |world: &World, head| world.authority.standing(&identity(CLEO), &["write"], &world.seen(&[head]));
    assert_eq!(standing(&world, removed), None);
    assert_eq!(standing(&world, cleos), Some(vec![cleos]), "of the removal she has not heard there");
    let anew = world.wrote(ANA, &[removed], &[], grant(CLEO, &["write"]));
    assert_eq!(standing(&world, anew), Some(vec![anew]));
    let acts = [
        (ANA, revoke(&[anew]), Some(vec![])),
        (CLEO, renounce(anew), Some(vec![anew])),
        (CLEO, revoke(&[anew]), None),
        (CLEO, None, Some(vec![anew])),
    ];
    for (author, act, grants) in acts {
        let seen = world.seen(&[anew]);
        assert_eq!(world.authority.standing_for(&identity(author), act.as_ref(), &seen), grants, "{act:?}");
    }
}

/// An extension is by somebody as senior as the revocation was, and by somebody more senior than who left. It changes
/// nothing in the replica where it stands.
#[test]
fn extensions() {
    let Room { mut world, bens, cleos } = room();
    let extend = |of| Some(Act::Extend { of, cut: Cut::new() });
    let removed = world.wrote(BEN, &[cleos], &[bens], revoke(&[cleos]));
    let said = world.wrote(CLEO, &[cleos], &[cleos], None);
    assert_eq!(world.write(CLEO, &[removed], &[cleos], extend(removed)), Err(Refusal::NotSenior(removed)));
    world.wrote(BEN, &[removed, said], &[bens], extend(removed));
    world.is_void(&[said]);
    let left = world.wrote(BEN, &[removed], &[bens], renounce(bens));
    assert_eq!(world.write(BEN, &[left], &[bens], extend(left)), Err(Refusal::NotSenior(left)));
    assert_eq!(world.write(ANA, &[left], &[], extend(cleos)), Err(Refusal::NoSuchTarget(cleos)));
    world.wrote(ANA, &[left], &[], extend(left));
    world.is_as_defined();
}

/// An effective op says what was withdrawn of what it stands on, and why that does not matter.
#[test]
fn explaining_what_is_effective() {
    let Room { mut world, cleos, .. } = room();
    let said = world.wrote(CLEO, &[cleos], &[cleos], None);
    let off = world.wrote(ANA, &[cleos], &[], revoke(&[cleos]));
    let on = world.wrote(ANA, &[off], &[], reinstate(off));
    let left = world.wrote(CLEO, &[said], &[cleos], renounce(cleos));
    let explanation = world.authority.explain(world.standing(&said)).to_string();
    assert!(explanation.starts_with("the op is effective\n"), "{explanation}");
    let undone =
        format!("the grant {cleos} was withdrawn by {off}, which is void: it is a revocation that was undone by {on}");
    let seen = format!("the grant {cleos} was withdrawn by {left}, which has seen the op");
    assert!(explanation.contains(&undone) && explanation.contains(&seen), "{explanation}");
}
