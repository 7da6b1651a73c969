//! Live replicas: what they show, what they tell, and that they see every op once.

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use hhs_model::class::{Action, Change, EditError, Replica, Void};
use hhs_model::codec::Value;
use hhs_model::{OpId, ReplicaId};
use hhs_store::{AppendError, ChangeStream, CommitStream, Committed, Live, StoreError, VoidReason};

use crate::backends::{Slow, YieldOnce};
use crate::world::{Notes, NotesEdit, World, author, bundle, dump, grant, id_of, note, open};

fn drain(changes: &mut ChangeStream) -> Vec<Change> {
    std::iter::from_fn(|| changes.next_ready()).map(Result::unwrap).collect()
}

fn drain_commits(commits: &mut CommitStream) -> Vec<Committed> {
    std::iter::from_fn(|| commits.next_ready()).collect()
}

fn texts(changes: Vec<Change>) -> Vec<String> {
    let text = |change: Change| match change.action {
        Action::Inserted { value: Value::Text(text) } => Some(text),
        Action::Granted { .. } => None,
        other => panic!("notes are inserted: {other:?}"),
    };
    changes.into_iter().filter_map(text).collect()
}

async fn live(world: &World) -> Live<Notes> {
    world.store.open_replica(world.replica).await.unwrap()
}

async fn write(live: &Live<Notes>, text: &str) -> OpId {
    live.update(&author(0), 7, |edit| edit.write(text)).await.unwrap().unwrap()
}

/// What an app writes is there when the write returns, on every handle, and told to who listens.
#[test]
fn an_app_sees_what_it_wrote() {
    block_on(async {
        let world = World::new().await;
        let (one, other) = (live(&world).await, live(&world).await);
        let mut changes = one.changes();
        let id = write(&one, "hello").await;
        assert_eq!(one.read(|notes| notes.notes.clone()), [(id, "hello".to_owned())].into());
        assert_eq!(one.read(Notes::clone), other.read(Notes::clone));
        assert_eq!(one.read(|notes| notes.shown[&id]), (0, id_of(0), 7));
        let told = drain(&mut changes);
        assert_eq!((told[0].op, told[0].author), (id, id_of(0)));
        assert_eq!(texts(told), ["hello"]);
        assert_eq!((one.applied(), one.id()), (1, world.replica));
        assert!(one.store().has_replica(one.id()).await.unwrap());
    });
}

/// Ops of others show as they come; ones that are here already are not shown again.
#[test]
fn an_app_sees_what_others_wrote() {
    block_on(async {
        let world = World::new().await;
        let live = live(&world).await;
        let first = world.op(0, &[]).saying("first").sign();
        let second = world.op(0, &[first.id()]).saying("second").sign();
        world.ingest(&[&first]).await;
        let (before, mut changes) = live.read_and_watch(|notes| notes.notes.len());
        assert_eq!(before, 1);
        world.ingest(&[&first, &second]).await;
        world.ingest(&[&second]).await;
        assert_eq!(texts(drain(&mut changes)), ["second"]);
        assert_eq!(live.read(|notes| notes.texts().len()), 2);
        // Who listens no more costs nothing and hurts nobody.
        drop(changes);
        write(&live, "third").await;
        assert_eq!(live.applied(), 3);
    });
}

/// A newer version of the app wrote what this one makes nothing of. The op is kept, void with a reason; nobody is blamed,
/// its grant counts, and what comes on top of it is ordinary.
#[test]
fn a_payload_that_means_nothing() {
    block_on(async {
        let world = World::new().await;
        let live = live(&world).await;
        let mut changes = live.changes();
        let strange = world.op(0, &[]).carrying(b"from the future".to_vec()).granting(1, &["write"]).sign();
        let empty = world.op(1, &[strange.id()]).by(&[strange.id()]).saying("").sign();
        let ordinary = world.op(1, &[empty.id()]).by(&[strange.id()]).saying("ordinary").sign();
        let taken = world.store.ingest(world.replica, bundle([&strange, &empty, &ordinary], &[1])).await.unwrap();
        assert_eq!(taken.added, 3);
        assert!(matches!(live.explain(strange.id()).await.unwrap(), Some(VoidReason::Class(Void::Payload(_)))));
        assert!(live.explain(empty.id()).await.unwrap().unwrap().to_string().contains("a note says something"));
        assert_eq!(live.explain(ordinary.id()).await.unwrap(), None);
        assert_eq!(live.explain(OpId::of(b"nothing")).await.unwrap(), None);
        assert_eq!(live.read(|notes| notes.acts.clone()), [(strange.id(), grant(1, &["write"]))].into());
        assert_eq!(texts(drain(&mut changes)), ["ordinary"]);
        assert!(world.store.may(world.replica, id_of(1), "write").await.unwrap());
        let stored = world.store.op_ids(world.replica, 0..9).await.unwrap();
        assert_eq!(stored, [strange.id(), empty.id(), ordinary.id()]);

        // Opened again: the same.
        let again: Live<Notes> = world.reopened().await.open_replica(world.replica).await.unwrap();
        assert_eq!(again.read(Notes::clone), live.read(Notes::clone));
        assert_eq!(again.explain(strange.id()).await.unwrap(), live.explain(strange.id()).await.unwrap());
        assert_eq!(again.applied(), 3);
    });
}

/// An update that writes nothing, that cannot be saved, or whose author may not: nothing changes, and the next one works.
#[test]
fn an_update_that_comes_to_nothing() {
    block_on(async {
        let world = World::new().await;
        let live = live(&world).await;
        write(&live, "first").await;
        let (before, mut changes) = (dump(&world.memory), live.changes());
        assert_eq!(live.update(&author(0), 0, |_| {}).await.unwrap(), None);
        let several = |edit: &mut NotesEdit| edit.several_acts = true;
        let result = live.update(&author(0), 0, several).await;
        assert!(matches!(result, Err(AppendError::Edit(EditError::SeveralActs))));
        let result = live.update(&author(1), 0, |edit| edit.write("let me in")).await;
        assert!(matches!(result, Err(AppendError::NotAllowed { .. })));
        assert_eq!((dump(&world.memory), drain(&mut changes)), (before, vec![]));
        write(&live, "second").await;
        assert_eq!(live.applied(), 2);
    });
}

/// A room is opened as something else, or one that is not here.
#[test]
fn a_replica_that_cannot_be_opened() {
    block_on(async {
        let world = World::new().await;
        let other = world.store.found("test/v1/Other", [0; 16], &author(0)).await.unwrap();
        let result = world.store.open_replica::<Notes>(other).await;
        assert!(matches!(result, Err(StoreError::Class { id, found, expected })
            if id == other && found == "test/v1/Other" && expected == Notes::CLASS));
        let nowhere = ReplicaId::of(b"nowhere");
        let result = world.store.open_replica::<Notes>(nowhere).await;
        assert!(matches!(result, Err(StoreError::NoReplica(id)) if id == nowhere));
    });
}

/// A replica is opened while ops are being written and taken in: each is shown once (the class panics at a second time),
/// in an order in which causes come first, and none is missed.
#[test]
fn ops_that_come_while_a_replica_is_opened() {
    for seed in 0..100 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), seed);
        block_on(async {
            let store = open(slow).await;
            let ops: Vec<_> = (0..6).map(|time| world.op(0, &[]).at(time).saying("theirs").sign()).collect();
            let taking_in = async {
                for op in &ops {
                    store.ingest(world.replica, bundle([op], &[])).await.unwrap();
                }
            };
            let writing = async {
                let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
                for _ in 0..3 {
                    write(&live, "ours").await;
                }
                live
            };
            let opening = async {
                for _ in 0..2 * seed {
                    YieldOnce::default().await;
                }
                store.open_replica::<Notes>(world.replica).await.unwrap()
            };
            let ((), one, other) = futures::join!(taking_in, writing, opening);
            assert_eq!((one.applied(), other.applied()), (9, 9), "seed {seed}");
            assert_eq!(one.read(Notes::clone), other.read(Notes::clone));
            assert_eq!(one.read(|notes| notes.notes.len()), 9);
        });
    }
}

/// Who watches the store is told of every replica with new ops, once with all that came until then; of nothing that changed
/// nothing.
#[test]
fn every_commit_is_told_once() {
    block_on(async {
        let world = World::new().await;
        let (replica, mut watch, mut second) = (world.replica, world.store.watch(), world.store.watch());
        let live = live(&world).await;
        let first = world.op(0, &[]).saying("first").sign();
        let fork = world.op(0, &[]).saying("fork").sign();
        world.ingest(&[&first, &fork]).await;
        world.ingest(&[&first]).await;
        world.store.ingest(replica, bundle([&world.op(3, &[]).sign()], &[3])).await.unwrap_err();
        write(&live, "ours").await;
        live.update(&author(0), 0, |_| {}).await.unwrap();
        let other = world.store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
        world.store.put_identity(author(2).identity_bytes().to_vec()).await.unwrap();
        world.store.append(other, &author(0), 0, || Ok(Some(Default::default()))).await.unwrap();
        let expected = [
            Committed { replica, ops: 3, added: 3, local: 1 },
            Committed { replica: other, ops: 1, added: 1, local: 1 },
        ];
        assert_eq!(drain_commits(&mut watch), expected);
        assert_eq!(watch.next().now_or_never(), None, "it waits for more");
        drop(watch);
        write(&live, "more").await;
        let more = Committed { replica, ops: 4, added: 4, local: 2 };
        assert_eq!(drain_commits(&mut second), [more, expected[1].clone()]);
        write(&live, "and more").await;
        assert_eq!(second.next().await, Some(Committed { replica, ops: 5, added: 1, local: 1 }));
    });
}

/// The last handle on a replica goes while somebody waits for changes: the stream ends. The store forgets the replica, and
/// another handle shows everything.
#[test]
fn handles_that_are_dropped() {
    block_on(async {
        let world = World::new().await;
        let first = live(&world).await;
        let mut changes = first.changes();
        let second = first.clone();
        drop(first);
        write(&second, "still here").await;
        drop(second);
        assert_eq!(texts(drain(&mut changes)), ["still here"]);
        assert_eq!(changes.next().await, None);
        let draft = || {
            Ok(Some(hhs_model::class::Draft {
                act: None,
                payload: Some(note("alone")),
                ..hhs_model::class::Draft::default()
            }))
        };
        world.store.append(world.replica, &author(0), 0, draft).await.unwrap();
        assert_eq!(live(&world).await.read(|notes| notes.notes.len()), 2);
    });
}
