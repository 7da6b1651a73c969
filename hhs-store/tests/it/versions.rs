//! Reading a replica as it was, and what differs between two versions.

use futures::executor::block_on;
use hhs_model::class::{Action, Change, PathSegment};
use hhs_model::codec::Value;
use hhs_model::{Frontier, OpId};
use hhs_store::{Live, StoreError};

use crate::world::{Notes, World, author};

fn of(heads: &[OpId]) -> Frontier {
    heads.iter().copied().collect()
}

fn texts(notes: &Notes) -> Vec<&str> {
    notes.texts().into_iter().collect()
}

/// Two people write apart and together. Each version shows what those saw who had it, from checkpoints as from scratch;
/// what differs is told; one that is not here is named.
#[test]
fn versions_of_a_history_with_a_fork() {
    block_on(async {
        let world = World::new().await;
        let first = world.op(0, &[]).saying("first").sign();
        let left = world.op(0, &[first.id()]).saying("left").sign();
        let right = world.op(0, &[first.id()]).saying("right").sign();
        let both = world.op(0, &[left.id(), right.id()]).saying("both").sign();
        let live: Live<Notes> = world.store.open_replica(world.replica).await.unwrap();
        for made in [&first, &right, &left, &both] {
            world.ingest(&[made]).await;
            live.checkpoint().await.unwrap();
        }
        assert_eq!(texts(&live.at(&of(&[])).await.unwrap()), Vec::<&str>::new());
        assert_eq!(texts(&live.at(&of(&[first.id()])).await.unwrap()), ["first"]);
        assert_eq!(texts(&live.at(&of(&[left.id()])).await.unwrap()), ["first", "left"]);
        assert_eq!(texts(&live.at(&of(&[right.id()])).await.unwrap()), ["first", "right"]);
        assert_eq!(texts(&live.at(&of(&[left.id(), right.id()])).await.unwrap()), ["first", "left", "right"]);
        assert_eq!(live.at(&of(&[both.id()])).await.unwrap(), live.read(Notes::clone));
        let changes = live.diff(&of(&[left.id()]), &of(&[right.id()])).await.unwrap();
        let text = |text: &str| Value::Text(text.into());
        let actions: Vec<Action> = changes.into_iter().map(|change| change.action).collect();
        assert_eq!(actions, [Action::Withdrawn { value: text("left") }, Action::Inserted { value: text("right") }]);
        let nowhere = OpId::of(b"nowhere");
        assert!(matches!(live.at(&of(&[nowhere])).await, Err(StoreError::NoOp(id)) if id == nowhere));
    });
}

/// The history of everything is what led to what is shown, op by op, whatever was void on the way; that of another path is not in it.
#[test]
fn the_history_of_a_path() {
    block_on(async {
        let world = World::new().await;
        let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
        let said = world.op(1, &[admitted.id()]).by(&[admitted.id()]).saying("in vain").sign();
        let first = world.op(0, &[admitted.id()]).saying("first").sign();
        let second = world.op(0, &[first.id()]).saying("second").sign();
        let live: Live<Notes> = world.store.open_replica(world.replica).await.unwrap();
        world.ingest(&[&admitted, &first]).await;
        live.revoke(&author(0), 1, author(1).id()).await.unwrap();
        world.ingest(&[&said]).await;
        world.ingest(&[&second]).await;
        let told = |changes: Vec<Change>| -> Vec<(OpId, Action)> {
            changes.into_iter().map(|change| (change.op, change.action)).collect()
        };
        let inserted = |text: &str| Action::Inserted { value: Value::Text(text.into()) };
        let all = told(live.history_of(&[]).await.unwrap());
        assert_eq!(all, [(first.id(), inserted("first")), (second.id(), inserted("second"))]);
        assert_eq!(told(live.history_of(&[PathSegment::Field("other")]).await.unwrap()), []);
    });
}

/// Somebody was removed: a version from before shows what it showed then, with them as a member.
#[test]
fn a_version_is_judged_from_itself() {
    block_on(async {
        let world = World::new().await;
        let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
        let said = world.op(1, &[admitted.id()]).by(&[admitted.id()]).saying("said").sign();
        let live: Live<Notes> = world.store.open_replica(world.replica).await.unwrap();
        world.ingest(&[&admitted]).await;
        let beside = live.revoke(&author(0), 1, author(1).id()).await.unwrap();
        world.ingest(&[&said]).await;
        assert_eq!(live.read(|notes| notes.texts().len()), 0);
        let then = live.at(&of(&[said.id()])).await.unwrap();
        assert_eq!(texts(&then), ["said"]);
        assert!(then.holders.holds(&author(1).id(), "write"));
        let actions: Vec<Action> =
            live.diff(&of(&[said.id()]), &of(&beside)).await.unwrap().into_iter().map(|change| change.action).collect();
        assert!(actions.contains(&Action::Revoked { from: author(1).id() }), "{actions:?}");
        assert!(actions.contains(&Action::Withdrawn { value: Value::Text("said".into()) }), "{actions:?}");
    });
}
