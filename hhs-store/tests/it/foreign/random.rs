//! Random histories of replicas that give each other authority, in two stores that get them in different orders: what counts is what
//! the definition says, live and from the disk.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use hhs_model::authority::definition::Definition;
use hhs_model::op::{Act, Cut, Genesis, Op};
use hhs_model::{OpId, Registry, ReplicaId};
use hhs_store::{Depth, IngestError, Live, ReadLimit, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::scene::{Doing, Peer, everything, founded, governed_by};
use crate::world::{Made, Notes, author, id_of, op};

/// What somebody does in one of the replicas.
#[derive(Debug, Clone)]
enum Step {
    /// They write an op that stands on anything, as any other program could.
    Crafted {
        replica: usize,
        author: u8,
        parents: Vec<Index>,
        deps: Vec<Index>,
        grants: Vec<Index>,
        act: Option<(u8, u8, Index)>,
        cut: Vec<Index>,
    },
    /// They use this library.
    Writes {
        replica: usize,
        author: u8,
    },
    Admits {
        replica: usize,
        author: u8,
        whom: u8,
    },
    Removes {
        replica: usize,
        author: u8,
        whom: u8,
    },
    Leaves {
        replica: usize,
        author: u8,
    },
    /// The store is closed and opened again.
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let picks = || vec(any::<Index>(), 0..4);
    let author = || prop_oneof![1 => Just(0_u8), 2 => 0..4_u8];
    let act = option::weighted(0.7, (0..10_u8, 0..4_u8, any::<Index>()));
    let crafted = (0..4_usize, author(), picks(), picks(), picks(), act, picks()).prop_map(
        |(replica, author, parents, deps, grants, act, cut)| Step::Crafted {
            replica,
            author,
            parents,
            deps,
            grants,
            act,
            cut,
        },
    );
    prop_oneof![
        8 => crafted,
        3 => (0..4_usize, author()).prop_map(|(replica, author)| Step::Writes { replica, author }),
        2 => (0..4_usize, author(), 0..4_u8).prop_map(|(replica, author, whom)| Step::Admits { replica, author, whom }),
        2 => (0..4_usize, author(), 0..4_u8).prop_map(|(replica, author, whom)| Step::Removes { replica, author, whom }),
        1 => (0..4_usize, author()).prop_map(|(replica, author)| Step::Leaves { replica, author }),
        1 => Just(Step::Restarts),
    ]
}

/// Three replicas of which each governs the next one, and a child of the first.
async fn replicas_at(peer: &Peer) -> [ReplicaId; 4] {
    let first = peer.adopt(&founded(1)).await;
    let second = peer.adopt(&governed_by(first, 2)).await;
    let third = peer.adopt(&governed_by(second, 3)).await;
    [first, second, third, peer.adopt(&Genesis::child(first, "child".parse().unwrap(), "test/v1/Notes")).await]
}

/// A store with its replicas open, and all ops that it has taken.
struct World {
    peer: Peer,
    replicas: [ReplicaId; 4],
    live: Vec<Live<Notes>>,
    ops: Vec<Made>,
    counts: BTreeMap<ReplicaId, u64>,
}

impl World {
    async fn new() -> Self {
        let peer = Peer::new().await;
        for number in 0..4 {
            peer.store.put_identity(author(number).identity_bytes().to_vec()).await.unwrap();
        }
        let replicas = replicas_at(&peer).await;
        let live = open_all(&peer.store, &replicas).await;
        Self { peer, replicas, live, ops: Vec::new(), counts: BTreeMap::new() }
    }

    async fn restart(&mut self) {
        self.peer = self.peer.clone().reopened().await;
        self.live = open_all(&self.peer.store, &self.replicas).await;
    }

    async fn run(&mut self, number: u64, step: &Step) {
        match step {
            Step::Crafted { .. } => {
                let made = self.crafted(number, step);
                match self.peer.take(&[&made]).await {
                    Ok(_) | Err(IngestError::Refused { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Writes { replica, author: who } => {
                drop(self.live[*replica].update(&author(*who), number, |edit| edit.write(&format!("{number}"))).await);
            }
            Step::Admits { replica, author: who, whom } => {
                drop(self.live[*replica].grant(&author(*who), number, id_of(*whom), everything()).await);
            }
            Step::Removes { replica, author: who, whom } => {
                drop(self.live[*replica].revoke(&author(*who), number, id_of(*whom)).await);
            }
            Step::Leaves { replica, author: who } => drop(self.live[*replica].renounce(&author(*who), number).await),
            Step::Restarts => self.restart().await,
        }
        self.gather().await;
    }

    /// Takes note of what is new in the store.
    async fn gather(&mut self) {
        for replica in self.replicas {
            let next = self.counts.entry(replica).or_default();
            let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
            for stored in self.peer.store.ops(replica, *next..u64::MAX, all).await.unwrap() {
                *next = stored.position + 1;
                self.ops.push(Made { op: stored.op, payload: stored.payload });
            }
        }
    }

    fn crafted(&self, number: u64, step: &Step) -> Made {
        let Step::Crafted { replica, author, parents, deps, grants, act, cut } = step else { unreachable!() };
        let at = self.replicas[*replica];
        let (own, elsewhere): (Vec<&Op>, Vec<&Op>) =
            self.ops.iter().map(|made| &made.op).partition(|op| op.header().target == at);
        let sources = self.sources(*replica);
        let covered: BTreeSet<OpId> = own.iter().flat_map(|op| op.header().parents.clone()).collect();
        let heads: Vec<OpId> = own.iter().map(|op| op.id()).filter(|id| !covered.contains(id)).collect();
        let there: Vec<&Op> = elsewhere.into_iter().filter(|op| sources.contains(&op.header().target)).collect();
        let acts: Vec<OpId> = there.iter().filter(|op| op.header().act.is_some()).map(|op| op.id()).collect();
        let to_author = |op: &&&Op| op.header().act.as_ref().and_then(Act::grantee) == Some(id_of(*author));
        let mine: Vec<OpId> = own.iter().chain(&there).filter(to_author).map(|op| op.id()).collect();
        // Who founded the first needs none, and mostly names none.
        let none = *author == 0 && *replica != 2 && !number.is_multiple_of(4);
        let mut grants = if none { Vec::new() } else { pick(grants, &mine) };
        let mut deps = pick(deps, &acts);
        deps.extend(grants.iter().filter(|grant| acts.contains(grant)));
        let all: Vec<(ReplicaId, OpId)> = self.ops.iter().map(|made| (made.op.header().target, made.id())).collect();
        let cut: Cut = pick(cut, &all).into_iter().filter(|(replica, _)| *replica != at).collect();
        let of = |right: &dyn Fn(&Act) -> bool| -> Vec<OpId> {
            own.iter().filter(|op| op.header().act.as_ref().is_some_and(right)).map(|op| op.id()).collect()
        };
        let one = |at: &Index, of: Vec<OpId>| pick(&[*at], &of).first().copied();
        let act = act.as_ref().and_then(|(kind, to, at)| match kind {
            0..4 => Some(crate::world::grant(*to, &["write", "grant"])),
            4..7 => {
                let grant = one(at, of(&|act| act.grantee().is_some()))?;
                Some(Act::Revoke { grants: [grant].into(), cut })
            }
            7 => {
                grants.truncate(1);
                Some(Act::Renounce { grant: *grants.first()?, cut })
            }
            8 => one(at, of(&|act| matches!(act, Act::Revoke { .. }))).map(|of| Act::Reinstate { of: [of].into() }),
            _ => one(at, of(&Act::withdraws)).map(|of| Act::Extend { of, cut }),
        });
        // Mostly on all that is there, so that what it needs is in its past.
        let parents = if parents.len() < 2 { heads } else { pick(parents, &heads) };
        let making = op(*author, at, &parents).depending(&deps).by(&grants).at(number);
        match act {
            Some(act @ Act::Renounce { .. }) => making.doing(act).sign(),
            Some(act) => making.doing(act).saying(&format!("{number}")).sign(),
            None => making.saying(&format!("{number}")).sign(),
        }
    }

    fn sources(&self, replica: usize) -> Vec<ReplicaId> {
        match replica {
            0 => vec![],
            1 | 3 => vec![self.replicas[0]],
            _ => self.replicas[..2].to_vec(),
        }
    }

    /// That everything is as the definition says: what is shown, what the heads are, and why something is void.
    async fn is_as_defined(&self) {
        let definition = Definition::new(self.ops.iter().map(|made| &made.op));
        for (replica, live) in self.replicas.iter().zip(&self.live) {
            let ops: Vec<&Made> = self.ops.iter().filter(|made| made.op.header().target == *replica).collect();
            let counts: Vec<&&Made> = ops.iter().filter(|made| definition.verdict(&made.id()).is_none()).collect();
            let shown: BTreeSet<OpId> = live.read(|notes| notes.shown.keys().copied().collect());
            assert_eq!(shown, counts.iter().map(|made| made.id()).collect());
            let mut below: BTreeSet<OpId> = BTreeSet::new();
            let mut left: Vec<OpId> = counts.iter().flat_map(|made| made.op.header().parents.clone()).collect();
            while let Some(id) = left.pop() {
                if below.insert(id) {
                    let made = ops.iter().find(|made| made.id() == id).unwrap();
                    left.extend(&made.op.header().parents);
                }
            }
            let tips = counts.iter().map(|made| made.id()).filter(|id| !below.contains(id)).collect();
            assert_eq!(self.peer.heads(*replica).await, tips);
            for made in &ops {
                let void = live.explain(made.id()).await.unwrap();
                assert_eq!(void.is_some(), definition.verdict(&made.id()).is_some());
            }
        }
    }

    async fn is_sound(&self) {
        let mut findings = Vec::new();
        let found = |finding: hhs_store::Finding| findings.push(finding.to_string());
        let checked =
            Store::check_backend(&self.peer.memory, &Registry::new(), Depth::Signatures, found).await.unwrap();
        assert!(checked.is_sound(), "{findings:?}");
    }
}

async fn open_all(store: &Store, replicas: &[ReplicaId]) -> Vec<Live<Notes>> {
    let mut live = Vec::new();
    for replica in replicas {
        live.push(store.open_replica(*replica).await.unwrap());
    }
    live
}

fn pick<T: Clone>(picks: &[Index], from: &[T]) -> Vec<T> {
    picks.iter().filter(|_| !from.is_empty()).map(|pick| pick.get(from).clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// Four replicas that give each other authority. Ops are written by hand and by the library; another store gets them in another
    /// order, some of them too early, and is closed and opened in between. Both are at all times what the definition says of
    /// what they have, and so are they when opened again.
    #[test]
    fn stores_agree_with_the_definition(
        steps in vec(step(), 1..60),
        picks in vec((any::<Index>(), any::<Index>(), 0..12_u8), 80),
    ) {
        block_on(async {
            let mut world = World::new().await;
            let admits = [(0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 1, 2), (2, 3, 1)];
            for (replica, author, whom) in admits {
                world.run(0, &Step::Admits { replica, author, whom }).await;
            }
            for (number, step) in (1..).zip(&steps) {
                world.run(number, step).await;
                if number % 4 == 0 {
                    world.is_as_defined().await;
                }
            }
            world.is_as_defined().await;
            let (mut other, mut left) = (World::new().await, world.ops.clone());
            let mut there = BTreeSet::new();
            for (pick, early, kind) in &picks {
                let ready = |made: &&Made| {
                    let header = made.op.header();
                    header.parents.iter().chain(&header.deps).all(|id| there.contains(id))
                };
                let ready: Vec<OpId> = left.iter().filter(ready).map(Made::id).collect();
                if ready.is_empty() {
                    break;
                }
                let too_early = early.get(&left).clone();
                if !ready.contains(&too_early.id()) {
                    let error = other.peer.take(&[&too_early]).await.unwrap_err();
                    let missing = matches!(error, IngestError::MissingDependency { .. } | IngestError::Incomplete { .. });
                    assert!(missing, "{error}");
                }
                let at = left.iter().position(|made| made.id() == *pick.get(&ready)).unwrap();
                let made = left.remove(at);
                other.peer.took(&[&made]).await;
                there.insert(made.id());
                other.gather().await;
                match kind {
                    0 => other.restart().await,
                    1..4 => other.is_as_defined().await,
                    _ => {}
                }
            }
            for made in &left {
                other.peer.took(&[made]).await;
            }
            other.gather().await;
            other.is_as_defined().await;
            for world in [&mut world, &mut other] {
                let before: Vec<Notes> = world.live.iter().map(|live| live.read(Notes::clone)).collect();
                world.is_sound().await;
                world.restart().await;
                world.is_as_defined().await;
                let after: Vec<Notes> = world.live.iter().map(|live| live.read(Notes::clone)).collect();
                assert_eq!(before, after);
            }
            for (one, two) in world.live.iter().zip(&other.live) {
                assert_eq!(one.read(Notes::clone), two.read(Notes::clone));
            }
        });
    }
}
