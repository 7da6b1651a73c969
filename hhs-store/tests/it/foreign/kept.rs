//! What stands on other replicas through restarts, crashes, repairs and files.

use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::io::Cursor;
use hhs_model::authority::definition::Definition;
use hhs_model::op::{Act, Genesis, Op};
use hhs_model::{OpId, Registry, ReplicaId};
use hhs_store::backend::Backend;
use hhs_store::transfer::verify_car;
use hhs_store::{Depth, Intake, IntakeLimits, MemoryBackend, ReadLimit, Store};

use super::scene::{Doing, Office, Peer, everything, founded, governed_by, texts};
use crate::backends::Failing;
use crate::world::{Made, Notes, author, bundle, dump, id_of, op, open};

/// A removal that keeps one note and not the other, with what came before.
async fn removal_at(peer: &Peer) -> (Office, [Made; 3]) {
    let office = Office::at(peer).await;
    let first = office.note(&[], "first");
    let second = office.note(&[first.id()], "second");
    let removed = office.removal(&[first.id()]);
    peer.took(&[&office.bens]).await;
    peer.took(&[&first, &second]).await;
    peer.took(&[&removed]).await;
    (office, [first, second, removed])
}

async fn is_sound(backend: &dyn Backend) {
    let mut findings = Vec::new();
    let registry = Registry::new();
    let checked =
        Store::check_backend(backend, &registry, Depth::Signatures, |finding| findings.push(finding.to_string()));
    assert!(checked.await.unwrap().is_sound(), "{findings:?}");
}

async fn shows_the_first_alone(store: &Store, office: &Office, first: &Made) {
    let live = store.open_replica::<Notes>(office.notes).await.unwrap();
    assert_eq!(texts(&live), ["first"]);
    assert_eq!(store.frontier(office.notes).await.unwrap().heads, [first.id()].into());
}

/// A store whose notes stand on the staff is sound, and it is the same after all its indexes were made again.
#[test]
fn checked_and_indexed_again() {
    block_on(async {
        let peer = Peer::new().await;
        let (office, [first, ..]) = removal_at(&peer).await;
        is_sound(&peer.memory).await;
        let acts = |memory: &MemoryBackend| dump(memory).into_iter().filter(|(key, _)| key[0] == 6).collect::<Vec<_>>();
        let before = acts(&peer.memory);
        Store::rebuild_indexes(&peer.memory).await.unwrap();
        assert_eq!(acts(&peer.memory), before);
        is_sound(&peer.memory).await;
        shows_the_first_alone(&open(peer.memory.clone()).await, &office, &first).await;
    });
}

/// What is saved from a damaged store is taken in with the staff first, whichever came first.
#[test]
fn salvaged() {
    block_on(async {
        let peer = Peer::new().await;
        let (office, [first, ..]) = removal_at(&peer).await;
        let saved = MemoryBackend::new();
        let (store, salvaged) =
            Store::salvage(&peer.memory, saved, Registry::new(), |lost| panic!("{}", lost.reason)).await.unwrap();
        assert_eq!((salvaged.ops, salvaged.lost), (4, 0));
        shows_the_first_alone(&store, &office, &first).await;
    });
}

/// Whoever gets the notes as a file gets the staff with it, and no more; whoever gets the staff does not get the notes, though its
/// removals name them.
#[test]
fn as_a_file() {
    block_on(async {
        let peer = Peer::new().await;
        let (office, [first, ..]) = removal_at(&peer).await;
        peer.adopt(&Genesis::child(office.staff, "rota".parse().unwrap(), "test/v1/Notes")).await;
        for (space, replicas, ops) in [(office.notes, 2, 4), (office.staff, 2, 2)] {
            let mut file = Cursor::new(Vec::new());
            let exported = peer.store.export_car(space, &mut file, |_| {}).await.unwrap();
            assert_eq!((exported.replicas, exported.ops), (replicas, ops), "of {space}");
            let file = file.into_inner();
            let verified = verify_car(&file[..], |_| {}).await.unwrap();
            let other = Peer::new().await;
            other.store.import_car(&file[..], &verified, |_| {}).await.unwrap();
            assert_eq!(other.store.has_replica(office.notes).await.unwrap(), space == office.notes);
            is_sound(&other.memory).await;
            if space == office.notes {
                shows_the_first_alone(&other.store, &office, &first).await;
                assert!(other.store.children(office.staff).await.unwrap().is_empty());
            }
        }
    });
}

/// Ops of both come in one session, those of the notes first: they wait for what they depend on.
#[test]
fn in_any_order() {
    block_on(async {
        let from = Peer::new().await;
        let (office, [first, second, removed]) = removal_at(&from).await;
        let peer = Peer::new().await;
        Office::at(&peer).await;
        let mut intake: Intake = peer.store.intake(IntakeLimits::default()).await.unwrap();
        let taken = intake.ingest(office.notes, bundle([&second, &first], &[0, 1])).await.unwrap();
        assert_eq!((taken.added, taken.dropped.len()), (0, 0));
        assert_eq!(intake.missing().collect::<Vec<_>>(), [office.bens.id().into()]);
        let taken = intake.ingest(office.staff, bundle([&removed, &office.bens], &[0, 1])).await.unwrap();
        assert_eq!((taken.added, taken.dropped.len()), (4, 0), "{:?}", taken.dropped);
        shows_the_first_alone(&peer.store, &office, &first).await;
    });
}

/// The commit of a removal in the staff fails. The notes show what they showed, and their heads are what they were, as if nobody had been
/// removed; and then somebody is.
#[test]
fn a_removal_that_is_not_durable() {
    block_on(async {
        let memory = MemoryBackend::new();
        let failing = Failing::on(memory.clone());
        let peer = Peer { store: open(failing.clone()).await, memory };
        let office = Office::at(&peer).await;
        let first = office.note(&[], "first");
        peer.took(&[&office.bens]).await;
        peer.took(&[&first]).await;
        let live = peer.live(office.notes).await;
        let mut changes = live.changes();
        let removed = office.removal(&[]);
        failing.fill_disk(true);
        peer.take(&[&removed]).await.unwrap_err();
        failing.fill_disk(false);
        assert_eq!(texts(&live), ["first"]);
        assert_eq!(peer.heads(office.notes).await, [first.id()].into());
        let again = live.update(&author(1), 7, |edit| edit.write("second")).await.unwrap().unwrap();
        assert_eq!(peer.heads(office.notes).await, [again].into());
        assert!(std::iter::from_fn(|| changes.next_ready()).all(|change| change.unwrap().op == again));
        peer.took(&[&removed]).await;
        assert!(texts(&live).is_empty());
        assert!(peer.heads(office.notes).await.is_empty());
    });
}

/// A removal in the staff changes the heads of notes that nobody has looked at since the store was opened: whoever asks for these gets
/// the right ones, before anything is written there and after the store was opened once more.
#[test]
fn heads_of_what_nobody_has_open() {
    block_on(async {
        let peer = Peer::new().await;
        let office = Office::at(&peer).await;
        let first = office.note(&[], "first");
        peer.took(&[&office.bens]).await;
        peer.took(&[&first]).await;
        let peer = peer.reopened().await;
        let removed = office.removal(&[]);
        peer.took(&[&removed]).await;
        assert!(peer.heads(office.notes).await.is_empty());
        let peer = peer.reopened().await;
        assert!(peer.heads(office.notes).await.is_empty());
        assert_eq!(peer.store.withheld_heads(office.notes).await.unwrap(), [first.id()]);
        let undone = op(0, office.staff, &[removed.id()]).doing(Act::Reinstate { of: [removed.id()].into() }).sign();
        peer.took(&[&undone]).await;
        assert_eq!(peer.heads(office.notes).await, [first.id()].into());
    });
}

/// Versions of the notes are what who wrote them saw: before and after they had heard of the removal.
#[test]
fn versions_of_what_stands_on_others() {
    block_on(async {
        let peer = Peer::new().await;
        let (office, [first, second, removed]) = removal_at(&peer).await;
        let after = op(0, office.notes, &[first.id()]).depending(&[removed.id()]).saying("after").sign();
        peer.took(&[&after]).await;
        let live = peer.live(office.notes).await;
        assert_eq!(texts(&live), ["after", "first"]);
        let at = |heads: &[OpId]| heads.iter().copied().collect();
        let seen = live.at(&at(&[second.id()])).await.unwrap();
        assert_eq!(seen.texts().into_iter().collect::<Vec<_>>(), ["first", "second"]);
        let seen = live.at(&at(&[second.id(), after.id()])).await.unwrap();
        assert_eq!(seen.texts().into_iter().collect::<Vec<_>>(), ["after", "first"]);
    });
}

/// Somebody who has written in very many replicas is removed: one act cannot keep all that, and acts that add to it follow at once. Who leaves by
/// themselves cannot add anything, and is told.
#[test]
fn more_to_keep_than_an_act_holds() {
    block_on(async {
        let peer = Peer::new().await;
        let staff = peer.adopt(&founded(0)).await;
        let live = peer.live(staff).await;
        let bens = op(0, staff, &[]).granting(1, &["write", "grant"]).sign();
        let cleos = op(0, staff, &[bens.id()]).granting(2, &["write"]).sign();
        peer.took(&[&bens, &cleos]).await;
        let mut notes: Vec<ReplicaId> = Vec::new();
        for nonce in 1..=120 {
            let replica = peer.adopt(&governed_by(staff, nonce)).await;
            let by = |who: u8, grant: &Made| op(who, replica, &[]).depending(&[grant.id()]).by(&[grant.id()]).sign();
            peer.took(&[&by(1, &bens), &by(2, &cleos)]).await;
            notes.push(replica);
        }
        let error = live.renounce(&author(1), 1).await.unwrap_err();
        assert!(matches!(error, hhs_store::AppendError::Scattered), "{error}");
        let removed = live.revoke(&author(0), 2, id_of(1)).await.unwrap();
        assert_eq!(removed.len(), 1);
        assert!(matches!(&peer.last(staff).await.header().act, Some(Act::Extend { of, .. }) if *of == removed[0]));
        for replica in notes {
            assert_eq!(peer.heads(replica).await.len(), 2, "nothing is void");
        }
    });
}

/// The power goes after any of the commits of a story. Whatever is there then is sound, and counts as the definition says.
#[test]
fn whatever_commit_is_the_last() {
    block_on(async {
        let mut durable = BTreeSet::new();
        for commits in 0.. {
            let memory = MemoryBackend::new();
            let failing = Failing::after(memory.clone(), commits);
            let ended = story(failing).await.is_some();
            let peer = Peer { store: open(memory.clone()).await, memory };
            is_sound(&peer.memory).await;
            let mut ops = Vec::new();
            for replica in peer.store.replicas().await.unwrap() {
                let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
                ops.extend(
                    peer.store.ops(replica, 0..u64::MAX, all).await.unwrap().into_iter().map(|stored| stored.op),
                );
            }
            let definition = Definition::new(&ops);
            for replica in peer.store.replicas().await.unwrap() {
                let shown: BTreeSet<OpId> =
                    peer.live(replica).await.read(|notes| notes.shown.keys().copied().collect());
                let of = ops.iter().filter(|op| op.header().target == replica).map(Op::id);
                assert_eq!(shown, of.filter(|op| definition.verdict(op).is_none()).collect());
            }
            durable.insert(ops.len());
            if ended {
                break;
            }
        }
        assert_eq!(durable, (0..=6).collect());
    });
}

/// Somebody is let in, writes, is removed, and let in again; none if that fails on the way.
async fn story(failing: Failing) -> Option<()> {
    let store = Store::open(failing, Registry::new()).await.ok()?;
    let identities: Vec<Vec<u8>> = (0..2).map(|number| author(number).identity_bytes().to_vec()).collect();
    let staff = store.create(&founded(1), &identities).await.ok()?;
    let notes = store.create(&governed_by(staff, 2), &identities).await.ok()?;
    store.put_identity(identities[1].clone()).await.ok()?;
    let (staff, notes) =
        (store.open_replica::<Notes>(staff).await.ok()?, store.open_replica::<Notes>(notes).await.ok()?);
    staff.grant(&author(0), 1, id_of(1), everything()).await.ok()?;
    notes.update(&author(1), 2, |edit| edit.write("first")).await.ok()?;
    notes.update(&author(1), 3, |edit| edit.write("second")).await.ok()?;
    let removed = staff.revoke(&author(0), 4, id_of(1)).await.ok()?;
    staff.reinstate(&author(0), 5, removed).await.ok()?;
    notes.update(&author(1), 6, |edit| edit.write("third")).await.ok()?;
    Some(())
}
