//! Authority from other replicas: writers of one that are members of another, rooms and their children, cuts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{
    ALL, ANA, BEN, CLEO, DAN, Definition, Refusal, Seen, World, founding, grant, header, identity, reinstate, renounce,
    revoke, signed, sorted, unseen,
};
use crate::authority::Vantage;
use crate::history::Positions;
use crate::id::{OpId, ReplicaId};
use crate::op::{Act, Capability, Cut, Founding, Genesis, Op, Roles, Rule};

/// A peer with several replicas, some of which give authority to others.
#[derive(Default)]
struct Net {
    worlds: BTreeMap<ReplicaId, World>,
}

impl Net {
    fn found(&mut self, founding: Founding) -> ReplicaId {
        let id = founding.id();
        let mut sources = BTreeMap::new();
        let mut left: Vec<ReplicaId> = founding.sources().into_iter().collect();
        while let Some(source) = left.pop() {
            let founding = self.worlds[&source].authority.founding().clone();
            left.extend(founding.sources());
            sources.insert(source, founding);
        }
        self.worlds.insert(id, World::with_sources(founding, sources.into_values()));
        id
    }

    fn take(&mut self, op: &Op) -> Result<OpId, Refusal> {
        let (id, replica) = (op.id(), op.header().target);
        self.worlds.get_mut(&replica).unwrap().take(op)?;
        let place = self.worlds[&replica].places[&id].clone();
        for world in self.worlds.values_mut() {
            if world.authority.founding().id() != replica {
                let unseen = || unseen(place.position, &place.past);
                world.authority.add_source(replica, op, place.position, place.height, &place.seen, unseen);
            }
        }
        self.keep();
        Ok(id)
    }

    /// Tells everybody what cuts keep, by what is here now.
    fn keep(&mut self) {
        let mut kept = Vec::new();
        for op in self.ops() {
            for (replica, heads) in op.header().act.iter().filter_map(Act::cut).flat_map(Cut::iter) {
                let Some(world) = self.worlds.get(replica) else { continue };
                let places = heads.iter().filter_map(|head| world.places.get(head));
                let positions: Positions =
                    places.flat_map(|place| place.past.iter().copied().chain([place.position])).collect();
                kept.push((op.id(), *replica, positions));
            }
        }
        for world in self.worlds.values_mut() {
            for (op, replica, positions) in &kept {
                world.authority.keep(op, *replica, positions.clone());
            }
        }
    }

    /// The last argument are parents, dependencies, and the grants to stand on.
    fn write(
        &mut self,
        replica: ReplicaId,
        author: usize,
        act: Option<Act>,
        [parents, deps, grants]: [&[OpId]; 3],
    ) -> Result<OpId, Refusal> {
        let number = self.ops().count() as u64;
        let mut header = header(author, number, parents, grants, act);
        (header.target, header.deps) = (replica, sorted(deps));
        self.take(&signed(header))
    }

    #[track_caller]
    fn wrote(&mut self, replica: ReplicaId, author: usize, act: Option<Act>, on: [&[OpId]; 3]) -> OpId {
        self.write(replica, author, act, on).expect("the op is kept")
    }

    fn ops(&self) -> impl Iterator<Item = &Op> {
        self.worlds.values().flat_map(|world| &world.kept)
    }

    #[track_caller]
    fn is_effective(&self, replica: ReplicaId, ids: &[OpId]) {
        self.worlds[&replica].is_effective(ids);
    }

    #[track_caller]
    fn is_void(&self, replica: ReplicaId, ids: &[OpId]) {
        self.worlds[&replica].is_void(ids);
    }

    /// That all verdicts are those of the definition, and what acts of sources are judged to be where they give authority too.
    #[track_caller]
    fn is_as_defined(&self) {
        let definition = Definition::new(self.ops());
        for world in self.worlds.values() {
            for op in &world.kept {
                let verdict = world.verdict(op.id());
                let text = world.authority.explain(world.standing(&op.id()));
                assert_eq!(verdict, definition.verdict(&op.id()).into(), "{text}");
            }
            for known in &world.authority.acts {
                assert_eq!(known.reason, definition.verdict(&known.id));
            }
        }
    }
}

fn roles(founder: usize) -> Roles {
    let founder: BTreeSet<_> = [identity(founder)].into();
    [(Capability::write(), founder.clone()), (Capability::grant(), founder)].into()
}

/// A root whose capabilities are held by those who hold them in `source`.
fn governed_by(source: ReplicaId, nonce: u8, own: bool) -> Founding {
    let rule = |capability: Capability| match own {
        true => Rule::Any(vec![Rule::Can(capability.clone()), Rule::CanIn(capability, source)]),
        false => Rule::CanIn(capability, source),
    };
    let names = [Capability::write(), Capability::grant()];
    let rules = names.map(|capability| (capability.clone(), rule(capability))).into();
    founding(Genesis::with_rules("test/v1/Governed", [nonce; 16], Roles::new(), rules))
}

fn staff(nonce: u8) -> Founding {
    founding(Genesis::with_roles("test/v1/Staff", [nonce; 16], roles(ANA)))
}

fn cut(kept: &[(ReplicaId, OpId)]) -> Cut {
    kept.iter().copied().collect()
}

/// The staff and their notes: who is on the staff may write notes, by a grant that is an op of another replica.
struct Office {
    net: Net,
    staff: ReplicaId,
    notes: ReplicaId,
    bens: OpId,
}

fn office() -> Office {
    let mut net = Net::default();
    let staff = net.found(staff(1));
    let notes = net.found(governed_by(staff, 2, false));
    let bens = net.wrote(staff, ANA, grant(BEN, &ALL), [&[], &[], &[]]);
    Office { net, staff, notes, bens }
}

/// Ben names his grant in the staff and depends on it. Without depending on it, it is not in the past of his note; and Dan, who is on no
/// staff, writes none.
#[test]
fn the_members_of_another_replica_write() {
    let Office { mut net, staff, notes, bens } = office();
    let note = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    assert_eq!(net.write(notes, BEN, None, [&[], &[], &[bens]]), Err(Refusal::NoSuchGrant(bens)));
    let missing = |author| Refusal::Standing { author: identity(author), capability: "write".to_owned() };
    assert_eq!(net.write(notes, DAN, None, [&[note], &[], &[]]), Err(missing(DAN)));
    // Who founded the staff holds by its genesis, here too.
    net.wrote(notes, ANA, None, [&[note], &[], &[]]);
    // What is in the past of a parent need not be depended on again.
    net.wrote(notes, BEN, None, [&[note], &[], &[bens]]);
    let seen = net.worlds[&notes].seen(&[note]);
    assert_eq!(net.worlds[&notes].authority.standing(&identity(BEN), &["write"], &seen), Some(vec![bens]));
    assert!(net.worlds[&notes].authority.may(&identity(BEN), "write"));
    assert!(!net.worlds[&notes].authority.holders().holds(&identity(BEN), "write"), "he holds it elsewhere");
    let first = net.worlds[&notes].seen_with(&[], &[bens]);
    assert_eq!((first.own.len(), first.foreign[&staff].clone()), (0, vec![0]));
    net.is_as_defined();
}

/// Situation 5. Ben switches a feature on in the notes while he is being removed from the staff: it is off again. What the
/// removal's cut lists stays; the removal is undone, and all is back.
#[test]
fn what_a_removed_member_did_in_another_replica() {
    let Office { mut net, staff, notes, bens } = office();
    let seen = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    let feature = net.wrote(notes, BEN, None, [&[seen], &[], &[bens]]);
    let act = Act::Revoke { grants: [bens].into(), cut: cut(&[(notes, seen)]) };
    let removed = net.wrote(staff, ANA, Some(act), [&[bens], &[], &[]]);
    net.is_effective(notes, &[seen]);
    net.is_void(notes, &[feature]);
    assert!(!net.worlds[&notes].authority.may(&identity(BEN), "write"));
    net.is_as_defined();
    net.wrote(staff, ANA, reinstate(removed), [&[removed], &[], &[]]);
    net.is_effective(notes, &[seen, feature]);
    net.is_as_defined();
}

/// Ana removes Ben and keeps nothing of the notes. She keeps some of them later, by an extension; and more of them by another.
#[test]
fn a_cut_that_is_extended() {
    let Office { mut net, staff, notes, bens } = office();
    let notes_of_ben: Vec<OpId> = (0..3).fold(Vec::new(), |mut all, _| {
        let on: Vec<OpId> = all.last().copied().into_iter().collect();
        all.push(net.wrote(notes, BEN, None, [&on, &[bens], &[bens]]));
        all
    });
    let removed = net.wrote(staff, ANA, revoke(&[bens]), [&[bens], &[], &[]]);
    net.is_void(notes, &notes_of_ben);
    let mut head = removed;
    for kept in [1, 3] {
        let cut = cut(&[(notes, notes_of_ben[kept - 1])]);
        head = net.wrote(staff, ANA, Some(Act::Extend { of: removed, cut }), [&[head], &[], &[]]);
        net.is_effective(notes, &notes_of_ben[..kept]);
        net.is_void(notes, &notes_of_ben[kept..]);
        net.is_as_defined();
    }
}

/// An extension by somebody who is removed keeps nothing.
#[test]
fn an_extension_that_is_void() {
    let Office { mut net, staff, notes, bens } = office();
    let cleos = net.wrote(staff, ANA, grant(CLEO, &ALL), [&[bens], &[], &[]]);
    let note = net.wrote(notes, CLEO, None, [&[], &[cleos], &[cleos]]);
    let removed = net.wrote(staff, BEN, revoke(&[cleos]), [&[cleos], &[], &[bens]]);
    let act = Act::Extend { of: removed, cut: cut(&[(notes, note)]) };
    let extended = net.wrote(staff, BEN, Some(act), [&[removed], &[], &[bens]]);
    net.is_effective(notes, &[note]);
    let act = Act::Revoke { grants: [bens].into(), cut: Cut::new() };
    net.wrote(staff, ANA, Some(act), [&[removed], &[], &[]]);
    net.is_void(staff, &[extended]);
    net.is_void(notes, &[note]);
    net.is_as_defined();
}

/// Cleo let Dan in where the staff governs, and Ben removes her. His extension keeps that grant and what Dan wrote; Ben is removed in turn,
/// and it is gone; that is undone, and it is back. Each time everybody is told, and who had not heard sees it as before.
#[test]
fn an_extension_that_keeps_a_grant() {
    let mut net = Net::default();
    let staff = net.found(staff(1));
    let notes = net.found(governed_by(staff, 2, true));
    let bens = net.wrote(staff, ANA, grant(BEN, &ALL), [&[], &[], &[]]);
    let cleos = net.wrote(staff, ANA, grant(CLEO, &ALL), [&[bens], &[], &[]]);
    let dans = net.wrote(notes, CLEO, grant(DAN, &["write"]), [&[], &[cleos], &[cleos]]);
    let by_dan = net.wrote(notes, DAN, None, [&[dans], &[], &[dans]]);
    let removed = net.wrote(staff, BEN, revoke(&[cleos]), [&[cleos], &[], &[bens]]);
    net.is_void(notes, &[dans, by_dan]);
    let before = net.worlds[&notes].authority.moment();
    let act = Act::Extend { of: removed, cut: cut(&[(notes, by_dan)]) };
    let extended = net.wrote(staff, BEN, Some(act), [&[removed], &[], &[bens]]);
    net.is_effective(notes, &[dans, by_dan]);
    let told = |net: &Net, since| net.worlds[&notes].authority.affected_since(since).copied().collect::<BTreeSet<_>>();
    assert!(told(&net, before).is_superset(&[cleos, dans].into()));
    let saw = net.wrote(notes, ANA, None, [&[by_dan], &[extended], &[]]);
    let before = net.worlds[&notes].authority.moment();
    let off = net.wrote(staff, ANA, revoke(&[bens]), [&[removed], &[], &[]]);
    net.is_void(notes, &[dans, by_dan]);
    assert!(told(&net, before).is_superset(&[cleos, dans].into()));
    assert!(!net.worlds[&notes].is_void_for(by_dan, saw), "she had not heard of it");
    net.is_as_defined();
    net.wrote(staff, ANA, reinstate(off), [&[off, extended], &[], &[]]);
    net.is_effective(notes, &[dans, by_dan]);
    net.is_as_defined();
}

/// What is asked of an authority with sources, and is not there.
#[test]
fn what_is_not_known_of_sources() {
    let Office { mut net, staff, notes, bens } = office();
    let note = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    let dans = net.wrote(staff, ANA, grant(DAN, &ALL), [&[bens], &[], &[]]);
    let authority = &net.worlds[&notes].authority;
    let seen = net.worlds[&notes].seen(&[note]);
    let mut unheard = seen.clone();
    unheard.foreign.insert(staff, vec![2]);
    assert!(authority.knows(&seen) && !authority.knows(&unheard));
    unheard.foreign = [(ReplicaId::of(b"elsewhere"), vec![0])].into();
    assert!(!authority.knows(&unheard));
    assert!(authority.dependency(&dans).is_some() && authority.dependency(&note).is_none());
    assert_eq!(net.worlds[&staff].authority.dependency(&dans), None, "an act of its own is no dependency");
    assert!(authority.revoking(&identity(BEN)).is_none(), "what was granted elsewhere is withdrawn there");
    assert!(net.worlds[&staff].authority.revoking(&identity(BEN)).is_some());
    assert!(!authority.holders_for(&seen).holds(&identity(BEN), "write"), "he holds it elsewhere");
    let act = Act::Revoke { grants: [bens].into(), cut: cut(&[(notes, note), (ReplicaId::of(b"elsewhere"), note)]) };
    let removal = signed(header(ANA, 9, &[dans], &[], Some(act)));
    assert_eq!(authority.cuts(&removal).collect::<Vec<_>>(), [(notes, &[note].into())]);
    let founding = |id: &ReplicaId| net.worlds[id].authority.founding().clone();
    let doubled = World::with_sources(founding(&notes), [founding(&staff), founding(&notes), founding(&staff)]);
    assert_eq!(doubled.authority.sources().count(), 1);
}

/// Ben leaves the staff and keeps what he has written. Who is senior keeps what he has forgotten.
#[test]
fn leaving_with_a_cut() {
    let Office { mut net, staff, notes, bens } = office();
    let note = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    let forgotten = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    let act = Act::Renounce { grant: bens, cut: cut(&[(notes, note)]) };
    let left = net.wrote(staff, BEN, Some(act), [&[bens], &[], &[bens]]);
    net.is_effective(notes, &[note]);
    net.is_void(notes, &[forgotten]);
    let act = Act::Extend { of: left, cut: cut(&[(notes, forgotten)]) };
    net.wrote(staff, ANA, Some(act), [&[left], &[], &[]]);
    net.is_effective(notes, &[forgotten]);
    net.is_as_defined();
}

/// Situation 5, a chain of three writer sets: who is in the first appoints the second, who appoint the third, who write. Ben is
/// removed from the first: whom he appointed is gone from the second and third, and so are their ops, but for what Ana had seen.
#[test]
fn a_chain_of_three_writer_sets() {
    let mut net = Net::default();
    let first = net.found(staff(1));
    let second = net.found(governed_by(first, 2, false));
    let third = net.found(governed_by(second, 3, false));
    let bens = net.wrote(first, ANA, grant(BEN, &ALL), [&[], &[], &[]]);
    let cleos = net.wrote(second, BEN, grant(CLEO, &ALL), [&[], &[bens], &[bens]]);
    let dans = net.wrote(second, BEN, grant(DAN, &ALL), [&[cleos], &[], &[bens]]);
    let by_cleo = net.wrote(third, CLEO, None, [&[], &[cleos], &[cleos]]);
    let by_dan = net.wrote(third, DAN, None, [&[by_cleo], &[dans], &[dans]]);
    net.is_effective(third, &[by_cleo, by_dan]);
    // Who may write in the first may not in the third: its rule asks about the second alone.
    assert!(net.write(third, BEN, None, [&[by_dan], &[], &[bens]]).is_err());
    let act = Act::Revoke { grants: [bens].into(), cut: cut(&[(second, cleos)]) };
    let removed = net.wrote(first, ANA, Some(act), [&[bens], &[], &[]]);
    net.is_effective(second, &[cleos]);
    net.is_effective(third, &[by_cleo]);
    net.is_void(second, &[dans]);
    net.is_void(third, &[by_dan]);
    let text = net.worlds[&third].authority.explain(net.worlds[&third].standing(&by_dan)).to_string();
    assert!(text.contains(&format!("{dans} is void: it stands on the grant {bens}")), "{text}");
    net.is_as_defined();
    net.wrote(first, ANA, reinstate(removed), [&[removed], &[], &[]]);
    net.is_effective(third, &[by_cleo, by_dan]);
    net.is_as_defined();
}

/// A room and its list of guests: who is let into the room writes to the list, and is gone from both when removed; who is let in
/// to the list alone does not write to the room.
#[test]
fn a_room_and_its_child() {
    let mut net = Net::default();
    let founding = staff(1);
    let child = Genesis::child(founding.id(), "guests".parse().unwrap(), "test/v1/Guests");
    let child = founding.child(child).unwrap();
    let (room, guests) = (net.found(founding), net.found(child));
    let bens = net.wrote(room, ANA, grant(BEN, &ALL), [&[], &[], &[]]);
    let line = net.wrote(guests, BEN, None, [&[], &[bens], &[bens]]);
    let dans = net.wrote(guests, BEN, grant(DAN, &["write"]), [&[line], &[], &[bens]]);
    let by_dan = net.wrote(guests, DAN, None, [&[dans], &[], &[dans]]);
    assert!(net.worlds[&guests].authority.holders().holds(&identity(BEN), "write"));
    assert!(!net.worlds[&room].authority.holders().holds(&identity(DAN), "write"));
    // What is granted in the room is not for the list to revoke: the room would judge otherwise.
    let elsewhere = net.write(guests, ANA, revoke(&[bens]), [&[by_dan], &[], &[]]);
    assert_eq!(elsewhere, Err(Refusal::NoSuchTarget(bens)));
    assert_eq!(net.write(guests, BEN, renounce(bens), [&[by_dan], &[], &[bens]]), Err(Refusal::NoSuchTarget(bens)));
    let act = Act::Revoke { grants: [bens].into(), cut: cut(&[(guests, line)]) };
    net.wrote(room, ANA, Some(act), [&[bens], &[], &[]]);
    net.is_effective(guests, &[line]);
    net.is_void(guests, &[dans, by_dan]);
    assert!(!net.worlds[&guests].authority.holders().holds(&identity(BEN), "write"));
    net.is_as_defined();
}

/// The op that a cut lists has not come yet: what is below it is void until it does.
#[test]
fn a_cut_whose_heads_come_late() {
    let Office { mut net, staff, notes, bens } = office();
    let note = net.wrote(notes, BEN, None, [&[], &[bens], &[bens]]);
    let mut late = header(BEN, 99, &[note], &[bens], None);
    late.target = notes;
    let late = signed(late);
    let act = Act::Revoke { grants: [bens].into(), cut: cut(&[(notes, late.id())]) };
    net.wrote(staff, ANA, Some(act), [&[bens], &[], &[]]);
    net.is_void(notes, &[note]);
    net.take(&late).unwrap();
    net.is_effective(notes, &[note, late.id()]);
    net.is_as_defined();
}

/// What somebody tries in one of the replicas.
#[derive(Debug, Clone)]
struct Step {
    replica: usize,
    author: usize,
    parents: Vec<Index>,
    deps: Vec<Index>,
    grants: Vec<Index>,
    act: Option<(u8, usize, Index)>,
    cut: Vec<(usize, Index)>,
}

fn step() -> impl Strategy<Value = Step> {
    let picks = |most| vec(any::<Index>(), 0..most);
    let act = option::weighted(0.7, (0..10_u8, 0..4_usize, any::<Index>()));
    let cut = vec((0..4_usize, any::<Index>()), 0..3);
    let author = prop_oneof![1 => Just(ANA), 2 => 0..4_usize];
    let parts = (0..4_usize, author, picks(3), picks(3), picks(3), act, cut);
    parts.prop_map(|(replica, author, parents, deps, grants, act, cut)| Step {
        replica,
        author,
        parents,
        deps,
        grants,
        act,
        cut,
    })
}

/// Three replicas that govern one another, and a child of the first.
fn replicas(net: &mut Net) -> [ReplicaId; 4] {
    let room = staff(1);
    let child = room.child(Genesis::child(room.id(), "child".parse().unwrap(), "test/v1/Child")).unwrap();
    let first = net.found(room);
    let second = net.found(governed_by(first, 2, true));
    let third = net.found(governed_by(second, 3, true));
    [first, second, third, net.found(child)]
}

fn pick<T: Clone>(picks: &[Index], from: &[T]) -> Vec<T> {
    picks.iter().filter(|_| !from.is_empty()).map(|pick| pick.get(from).clone()).collect()
}

impl Step {
    fn op(&self, number: usize, net: &Net, replicas: &[ReplicaId; 4]) -> Op {
        let replica = replicas[self.replica];
        let world = &net.worlds[&replica];
        let own: Vec<OpId> = world.kept.iter().map(Op::id).collect();
        let covered: BTreeSet<OpId> = world.kept.iter().flat_map(|op| op.header().parents.clone()).collect();
        let heads: Vec<OpId> = own.iter().filter(|id| !covered.contains(id)).copied().collect();
        let acts = |right: &dyn Fn(&Act) -> bool| -> Vec<OpId> {
            let ops = net.ops().filter(|op| op.header().act.as_ref().is_some_and(right));
            ops.map(Op::id).filter(|id| world.authority.act(id).is_some()).collect()
        };
        let elsewhere = acts(&|_| true).into_iter().filter(|id| !world.places.contains_key(id)).collect::<Vec<_>>();
        let to_author = acts(&|act| act.grantee() == Some(identity(self.author)));
        let mut grants = pick(&self.grants, &to_author);
        let mut deps = pick(&self.deps, &elsewhere);
        deps.extend(grants.iter().filter(|id| !world.places.contains_key(id)));
        let cut: Cut = (self.cut.iter())
            .filter(|(other, _)| *other != self.replica)
            .filter_map(|(other, at)| {
                let ops = &net.worlds[&replicas[*other]].kept;
                (!ops.is_empty()).then(|| (replicas[*other], at.get(ops).id()))
            })
            .collect();
        let mine = |right: &dyn Fn(&Act) -> bool| -> Vec<OpId> {
            acts(right).into_iter().filter(|id| world.places.contains_key(id)).collect()
        };
        let act = self.act.and_then(|(kind, to, at)| match kind {
            0..4 => grant(to, &ALL),
            4..7 => {
                let grants: BTreeSet<_> = pick(&[at], &mine(&|act| act.grantee().is_some())).into_iter().collect();
                (!grants.is_empty()).then_some(Act::Revoke { grants, cut })
            }
            7 => {
                grants.truncate(1);
                Some(Act::Renounce { grant: *grants.first()?, cut })
            }
            8 => pick(&[at], &mine(&|act| matches!(act, Act::Revoke { .. }))).first().and_then(|of| reinstate(*of)),
            _ => pick(&[at], &mine(&Act::withdraws)).first().map(|of| Act::Extend { of: *of, cut }),
        });
        let mut header = header(self.author, number as u64, &pick(&self.parents, &heads), &grants, act);
        (header.target, header.deps) = (replica, sorted(&deps));
        signed(header)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// In four replicas that give each other authority, verdicts are those of the definition in whatever order ops come, and so is
    /// what every author saw.
    #[test]
    fn verdicts_across_replicas(steps in vec(step(), 1..40), picks in vec(any::<Index>(), 40)) {
        let (mut net, mut other) = (Net::default(), Net::default());
        let ids = replicas(&mut net);
        replicas(&mut other);
        for (number, step) in steps.iter().enumerate() {
            let op = step.op(number, &net, &ids);
            let _verdict = net.take(&op);
        }
        net.is_as_defined();
        let mut left: Vec<Op> = net.ops().cloned().collect();
        let mut there = BTreeSet::new();
        for pick in &picks {
            let ready = |op: &&Op| op.header().parents.iter().chain(&op.header().deps).all(|id| there.contains(id));
            let ready: Vec<OpId> = left.iter().filter(ready).map(Op::id).collect();
            if ready.is_empty() {
                break;
            }
            let at = left.iter().position(|op| op.id() == *pick.get(&ready)).unwrap();
            let op = left.remove(at);
            prop_assert_eq!(other.take(&op), Ok(op.id()));
            there.insert(op.id());
        }
        prop_assert!(left.is_empty());
        other.is_as_defined();
        for (id, world) in &net.worlds {
            prop_assert_eq!(world.authority.holders(), other.worlds[id].authority.holders());
            let mut vantage = Vantage::new(&world.authority, &Seen::default());
            for viewer in &world.kept {
                let mut past = BTreeSet::new();
                let mut left = vec![viewer.id()];
                while let Some(op) = left.pop() {
                    let world = net.worlds.values().find(|world| world.places.contains_key(&op)).unwrap();
                    let header = world.op(&op).header();
                    left.extend(header.parents.iter().chain(&header.deps).filter(|op| past.insert(**op)));
                }
                let definition = Definition::judging(net.ops(), |act| past.contains(act));
                vantage.look_from(&world.authority, &world.places[&viewer.id()].seen);
                for op in past.iter().filter(|op| world.places.contains_key(op)) {
                    let void = definition.verdict(op).is_some();
                    prop_assert_eq!(world.is_void_for(*op, viewer.id()), void);
                    prop_assert_eq!(vantage.is_void(&world.authority, world.standing(op)), void);
                }
            }
        }
    }
}
