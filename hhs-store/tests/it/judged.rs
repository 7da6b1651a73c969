//! Pages that people write together while they are let in, removed and taken back: live replicas show what a [`Document`] shows that
//! never was on a disk, and judge as the definition does.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_crdt::{Carried, Document, Replica};
use hhs_model::authority::Verdict;
use hhs_model::authority::definition::Definition;
use hhs_model::op::{Capability, Founding, Genesis};
use hhs_model::{Author, Frontier, OpId, ReplicaId};
use hhs_store::{Live, MemoryBackend, Store, VoidReason};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::random::shuffled;
use crate::typing::{Page, drain, follow};
use crate::world::{Made, author, bundle, id_of, open};

const AUTHORS: u8 = 4;

/// What somebody does on their own device. Numbers pick among what they have there.
#[derive(Debug, Clone)]
enum Step {
    Insert(Index, String),
    Delete(Index, usize),
    /// Everything else that a page has, in one op.
    Note(String),
    Grant(u8),
    Revoke(u8),
    Renounce,
    Reinstate(Index),
    /// Takes in what somebody else has.
    Fetch(u8),
}

fn steps() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let step = prop_oneof![
        6 => (any::<Index>(), "[a-e]{1,3}").prop_map(|(at, word)| Step::Insert(at, word)),
        3 => (any::<Index>(), 1..4_usize).prop_map(|(at, count)| Step::Delete(at, count)),
        2 => "[a-e]{1,2}".prop_map(Step::Note),
        2 => (1..AUTHORS).prop_map(Step::Grant),
        3 => (1..AUTHORS).prop_map(Step::Revoke),
        1 => Just(Step::Renounce),
        2 => any::<Index>().prop_map(Step::Reinstate),
        7 => (0..AUTHORS).prop_map(Step::Fetch),
    ];
    vec((0..AUTHORS, step), 1..60)
}

/// What everybody has on their device: the founder has let the others in, and they know.
struct Devices {
    documents: Vec<Document<Page>>,
    revocations: Vec<OpId>,
}

impl Devices {
    fn new(founding: &Founding) -> Self {
        let mut documents: Vec<Document<Page>> = (0..AUTHORS).map(|_| Document::trusting(founding.clone())).collect();
        for (time, to) in (0..).zip(1..AUTHORS) {
            documents[0].grant(&author(0), time, id_of(to), both()).unwrap();
        }
        let known = documents[0].beyond(&Frontier::default());
        documents[1..].iter_mut().for_each(|document| drop(document.receive(known.clone())));
        Self { documents, revocations: Vec::new() }
    }

    /// Does what was picked, if they may.
    fn step(&mut self, time: u64, who: u8, step: &Step) {
        let (ana, document): (Author, _) = (author(who), &mut self.documents[usize::from(who)]);
        let length = document.state().text.to_string().chars().count();
        match step {
            Step::Insert(at, word) => {
                document.write(&ana, time, |edit| edit.text.insert(at.index(length + 1), word)).ok();
            }
            Step::Delete(at, count) => {
                let at = at.index(length + 1);
                document.write(&ana, time, |edit| edit.text.delete(at..(at + count).min(length))).ok();
            }
            Step::Note(word) => {
                let note = |edit: &mut <Page as Replica>::Edit<'_>| {
                    edit.title.set(word.clone());
                    edit.tags.insert(word.clone());
                    edit.score.add(1);
                    edit.log.append(word.clone());
                };
                document.write(&ana, time, note).ok();
            }
            Step::Grant(to) => drop(document.grant(&ana, time, id_of(*to), both())),
            Step::Revoke(from) => {
                self.revocations.extend(document.revoke(&ana, time, id_of(*from)).unwrap_or_default())
            }
            Step::Renounce => drop(document.renounce(&ana, time)),
            Step::Reinstate(at) if !self.revocations.is_empty() => {
                document.reinstate(&ana, time, [*at.get(&self.revocations)]).ok();
            }
            Step::Reinstate(_) => {}
            Step::Fetch(from) => {
                let news = self.documents[usize::from(*from)].beyond(&self.documents[usize::from(who)].version());
                self.documents[usize::from(who)].receive(news);
            }
        }
    }

    /// Everything that anybody has, each op after its parents.
    fn all(&self, founding: &Founding) -> Document<Page> {
        let mut all = Document::trusting(founding.clone());
        for document in &self.documents {
            let received = all.receive(document.beyond(&all.version()));
            assert_eq!((received.waiting, received.refused), (0, vec![]));
        }
        all
    }
}

fn both() -> [Capability; 2] {
    [Capability::write(), Capability::grant()]
}

/// All that a page shows.
fn shown(page: &Page) -> (String, Vec<String>, BTreeSet<String>, i64, Vec<String>) {
    let titles = page.title.get().into_iter().cloned().collect();
    let tags = page.tags.iter().cloned().collect();
    let log = page.log.iter().map(|entry| entry.value.clone()).collect();
    (page.text.to_string(), titles, tags, page.score.get(), log)
}

/// A store with the page, and the page open.
struct Shelf {
    memory: MemoryBackend,
    store: Store,
    page: Live<Page>,
}

impl Shelf {
    async fn new() -> (Self, ReplicaId) {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let id = store.found(Page::CLASS, [0; 16], &author(0)).await.unwrap();
        let page = store.open_replica(id).await.unwrap();
        (Self { memory, store, page }, id)
    }

    async fn reopened(&self) -> Live<Page> {
        open(self.memory.clone()).await.open_replica(self.page.id()).await.unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Four people write on their own devices and fetch from each other now and then, while some are removed and taken back. A store
    /// that gets it all, in whatever order and bundles, with checkpoints in between, shows what the document shows, says of every op
    /// whether it counts and why as the definition does, and its changes add up to the text.
    #[test]
    fn live_replicas_judge_as_the_definition_does(
        steps in steps(),
        order in vec(any::<Index>(), 40),
        size in 1..6_usize,
        checkpoints in option::of(1..4_usize),
        versions in vec(any::<Index>(), 3),
    ) {
        let founding = Founding::root(Genesis::with_founder(Page::CLASS, [0; 16], id_of(0))).unwrap();
        let mut devices = Devices::new(&founding);
        for (time, (who, step)) in (10..).zip(&steps) {
            devices.step(time, *who, step);
        }
        let document = devices.all(&founding);
        let carried = document.beyond(&Frontier::default());
        let definition = Definition::new(carried.iter().map(|Carried { op, .. }| op));
        let made: Vec<Made> =
            carried.iter().map(|Carried { op, payload }| Made { op: op.clone(), payload: payload.clone() }).collect();
        block_on(async {
            let (shelf, id) = Shelf::new().await;
            prop_assert_eq!(id, founding.id());
            let (mut changes, mut told) = (shelf.page.changes(), String::new());
            for (number, some) in shuffled(made.clone(), &order).chunks(size).enumerate() {
                shelf.store.ingest(id, bundle(some, &[0, 1, 2, 3])).await.unwrap();
                follow(&mut told, &drain(&mut changes));
                prop_assert_eq!(&told, &shelf.page.read(|page| page.text.to_string()));
                if checkpoints.is_some_and(|every| number % every == 0) {
                    shelf.page.checkpoint().await.unwrap();
                }
            }
            for live in [shelf.reopened().await, shelf.page.clone()] {
                prop_assert_eq!(live.read(shown), shown(document.state()));
                for made in &made {
                    let verdict = match live.explain(made.id()).await.unwrap() {
                        Some(VoidReason::Authority(explanation)) => explanation.verdict,
                        Some(VoidReason::Class(_)) | None => Verdict::Effective,
                    };
                    prop_assert_eq!(verdict, definition.verdict(&made.id()).into());
                }
                for version in &versions {
                    let version: Frontier = [version.get(&made).id()].into_iter().collect();
                    let (here, there) = (live.at(&version).await.unwrap(), document.at(&version).unwrap());
                    prop_assert_eq!(shown(&here), shown(&there));
                }
            }
            Ok(())
        })?;
    }
}
