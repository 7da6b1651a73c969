//! Authority from other replicas: who is on the staff writes notes, and what becomes of that when they are removed.

mod hosts;
mod kept;
mod random;
mod scene;

use futures::executor::block_on;
use hhs_model::class::{Action, Change};
use hhs_model::codec::Value;
use hhs_model::op::{Act, Genesis};
use hhs_model::{IdentityId, OpId};
use hhs_store::{ChangeStream, DeleteError, IngestError, VoidReason};

use crate::world::{author, dump, id_of, op};
use scene::{Doing, Office, Peer, everything, founded, governed_by, texts};

fn drain(changes: &mut ChangeStream) -> Vec<Change> {
    std::iter::from_fn(|| changes.next_ready()).map(Result::unwrap).collect()
}

/// Who is on the staff writes notes. The first op depends on the grant, and names it; the next does not, as its parent has seen it.
/// Who founded the staff needs no grant.
#[test]
fn the_members_of_another_replica_write() {
    block_on(async {
        let peer = Peer::new().await;
        let Office { staff, notes, .. } = Office::at(&peer).await;
        let (staff_live, notes_live) = (peer.live(staff).await, peer.live(notes).await);
        assert!(!peer.store.may(notes, id_of(1), "write").await.unwrap());
        peer.store.put_identity(author(1).identity_bytes().to_vec()).await.unwrap();
        let bens = staff_live.grant(&author(0), 1, id_of(1), everything()).await.unwrap().unwrap();
        assert!(peer.store.may(notes, id_of(1), "write").await.unwrap());
        notes_live.update(&author(1), 2, |edit| edit.write("one")).await.unwrap();
        let first = peer.last(notes).await;
        assert_eq!((&first.header().deps, &first.header().grants), (&vec![bens], &vec![bens]));
        notes_live.update(&author(1), 3, |edit| edit.write("two")).await.unwrap();
        let second = peer.last(notes).await;
        assert_eq!((second.header().deps.len(), &second.header().grants), (0, &vec![bens]));
        notes_live.update(&author(0), 4, |edit| edit.write("three")).await.unwrap();
        assert!(peer.last(notes).await.header().grants.is_empty());
        assert_eq!(texts(&notes_live), ["one", "three", "two"]);
        assert_eq!(peer.store.sources(notes).await.unwrap(), [staff]);
        assert_eq!(peer.store.dependents(staff).await.unwrap(), [notes]);
        // The same from the disk.
        let peer = peer.reopened().await;
        let again = peer.live(notes).await;
        assert_eq!(texts(&again), ["one", "three", "two"]);
        again.update(&author(1), 5, |edit| edit.write("four")).await.unwrap();
        assert!(peer.last(notes).await.header().deps.is_empty());
    });
}

/// Situation 5. Ben switches a feature on in the notes while Ana removes him from the staff. It is off again at both, told under the
/// removal; what she had of his stays, as the cut of the removal lists it; she reinstates him, and it is on.
#[test]
fn a_feature_that_somebody_switches_on_while_being_removed() {
    block_on(async {
        let (ana, ben) = (Peer::new().await, Peer::new().await);
        let office = Office::at(&ana).await;
        Office::at(&ben).await;
        let (staff, notes) = (office.staff, office.notes);
        ana.took(&[&office.bens]).await;
        ben.took(&[&office.bens]).await;
        let (at_ana, at_ben) = (ana.live(notes).await, ben.live(notes).await);
        at_ben.update(&author(1), 1, |edit| edit.write("minutes")).await.unwrap();
        ben.give(&ana, &office.replicas()).await;
        let feature = at_ben.update(&author(1), 2, |edit| edit.write("feature on")).await.unwrap().unwrap();
        let staff_at_ana = ana.live(staff).await;
        let removed = staff_at_ana.revoke(&author(0), 3, id_of(1)).await.unwrap()[0];
        // What is kept stands in the act.
        let kept = ana.heads(notes).await;
        let act = ana.last(staff).await.header().act.clone().unwrap();
        assert_eq!(act.cut().unwrap().iter().collect::<Vec<_>>(), [(&notes, &kept)]);
        assert_eq!(texts(&at_ana), ["minutes"]);
        let mut changes = at_ben.changes();
        ana.give(&ben, &office.replicas()).await;
        ben.give(&ana, &office.replicas()).await;
        for live in [&at_ana, &at_ben] {
            assert_eq!(texts(live), ["minutes"]);
            let reason = live.explain(feature).await.unwrap().unwrap();
            assert!(matches!(reason, VoidReason::Authority(_)));
            assert!(reason.to_string().contains(&removed.to_string()), "{reason}");
        }
        let told = drain(&mut changes);
        assert!(told.iter().all(|change| change.op == removed && change.author == id_of(0)), "{told:?}");
        let withdrawn = Action::Withdrawn { value: Value::Text("feature on".into()) };
        assert_eq!(told.iter().filter(|change| change.action == withdrawn).count(), 1);
        for peer in [&ana, &ben] {
            assert_eq!(peer.heads(notes).await, kept);
            assert_eq!(peer.store.withheld_heads(notes).await.unwrap(), [feature]);
            assert!(!peer.store.may(notes, id_of(1), "write").await.unwrap());
        }
        assert!(at_ben.update(&author(1), 4, |edit| edit.write("again")).await.is_err());
        // The same from the disk; and then he is back.
        let ben = ben.reopened().await;
        let at_ben = ben.live(notes).await;
        assert_eq!(texts(&at_ben), ["minutes"]);
        staff_at_ana.reinstate(&author(0), 5, [removed]).await.unwrap();
        ana.give(&ben, &office.replicas()).await;
        for (peer, live) in [(&ana, &at_ana), (&ben, &at_ben)] {
            assert_eq!(texts(live), ["feature on", "minutes"]);
            assert_eq!(peer.heads(notes).await, [feature].into());
            assert!(peer.store.may(notes, id_of(1), "write").await.unwrap());
        }
        at_ben.update(&author(1), 6, |edit| edit.write("again")).await.unwrap();
    });
}

/// Who is in the first appoints the second, who appoint the third, who write. Ben is removed from the first: whom he has
/// appointed is gone from the second and third, and so is what they wrote, but for what the removal keeps. All comes back.
#[test]
fn a_chain_of_three_writer_sets() {
    block_on(async {
        let peer = Peer::new().await;
        let first = peer.adopt(&founded(1)).await;
        let second = peer.adopt(&governed_by(first, 2)).await;
        let third = peer.adopt(&governed_by(second, 3)).await;
        assert_eq!(peer.store.sources(third).await.unwrap(), [first, second]);
        let bens = op(0, first, &[]).granting(1, &["write", "grant"]).sign();
        let cleos = op(1, second, &[]).depending(&[bens.id()]).by(&[bens.id()]).granting(2, &["write"]).sign();
        let dans = op(1, second, &[cleos.id()]).by(&[bens.id()]).granting(3, &["write"]).sign();
        let by_cleo = op(2, third, &[]).depending(&[cleos.id()]).by(&[cleos.id()]).saying("cleo").sign();
        let by_dan = op(3, third, &[by_cleo.id()]).depending(&[dans.id()]).by(&[dans.id()]).saying("dan").sign();
        let (at_second, at_third) = (peer.live(second).await, peer.live(third).await);
        peer.took(&[&bens]).await;
        peer.took(&[&cleos, &dans]).await;
        peer.took(&[&by_cleo, &by_dan]).await;
        assert_eq!(texts(&at_third), ["cleo", "dan"]);
        let removed = op(0, first, &[bens.id()]).doing(scene::revoke(&[bens.id()], &[(second, cleos.id())])).sign();
        peer.took(&[&removed]).await;
        let holders = |may: [bool; 2]| {
            at_second.read(|notes| {
                let holds = [2, 3].map(|who| notes.holders.holds(&id_of(who), "write"));
                assert_eq!(holds, may);
            })
        };
        holders([true, false]);
        assert_eq!(texts(&at_third), ["cleo"]);
        assert_eq!(peer.heads(third).await, [by_cleo.id()].into());
        // Everything again, from the disk.
        let peer = peer.reopened().await;
        let at_third = peer.live(third).await;
        assert_eq!(texts(&at_third), ["cleo"]);
        let undone = op(0, first, &[removed.id()]).doing(Act::Reinstate { of: [removed.id()].into() }).sign();
        peer.took(&[&undone]).await;
        assert_eq!(texts(&at_third), ["cleo", "dan"]);
        assert_eq!(peer.heads(third).await, [by_dan.id()].into());
    });
}

/// Who is let into a room may write in its children at once, and a live child shows that under the op that did it.
#[test]
fn a_room_and_its_child() {
    block_on(async {
        let peer = Peer::new().await;
        let room = peer.adopt(&founded(1)).await;
        let list = peer.adopt(&Genesis::child(room, "list".parse().unwrap(), "test/v1/Notes")).await;
        let deeper = peer.adopt(&Genesis::child(list, "deeper".parse().unwrap(), "test/v1/Notes")).await;
        assert_eq!(peer.store.sources(deeper).await.unwrap(), [room]);
        let mut below = [list, deeper];
        below.sort_unstable();
        assert_eq!(peer.store.dependents(room).await.unwrap(), below);
        assert!(peer.store.dependents(list).await.unwrap().is_empty(), "what is below stands on the room");
        let (at_room, at_list) = (peer.live(room).await, peer.live(list).await);
        peer.store.put_identity(author(1).identity_bytes().to_vec()).await.unwrap();
        let mut changes = at_list.changes();
        let bens = at_room.grant(&author(0), 1, id_of(1), everything()).await.unwrap().unwrap();
        let told = drain(&mut changes);
        assert!(told.iter().any(|change| change.op == bens && change.action == Action::Granted { to: id_of(1) }));
        assert!(at_list.read(|notes| notes.holders.holds(&id_of(1), "write")));
        at_list.update(&author(1), 2, |edit| edit.write("milk")).await.unwrap();
        assert_eq!(peer.last(list).await.header().deps, [bens]);
        at_room.revoke(&author(0), 3, id_of(1)).await.unwrap();
        assert!(!at_list.read(|notes| notes.holders.holds(&id_of(1), "write")));
        assert_eq!(texts(&at_list), ["milk"], "the removal had seen it");
        assert!(drain(&mut changes).iter().any(|change| change.action == Action::Revoked { from: id_of(1) }));
    });
}

/// An op comes before the act that it depends on. Nobody is to blame; nothing of its bundle is kept until that act is there.
#[test]
fn an_op_that_comes_before_what_it_depends_on() {
    block_on(async {
        let peer = Peer::new().await;
        let office = Office::at(&peer).await;
        let first = office.note(&[], "first");
        let before = dump(&peer.memory);
        let error = peer.take(&[&first]).await.unwrap_err();
        assert!(
            matches!(error, IngestError::MissingDependency { op, missing }
            if op == first.id() && missing == office.bens.id()),
            "{error}"
        );
        assert!(!error.blames_sender());
        assert_eq!(dump(&peer.memory), before);
        peer.took(&[&office.bens]).await;
        peer.took(&[&first]).await;
        assert_eq!(peer.heads(office.notes).await, [first.id()].into());
    });
}

/// What an op depends on is an act of a replica that gives it authority. An ordinary op is none, nor is an act of some other replica,
/// nor an object: such an op is refused for ever.
#[test]
fn an_op_that_depends_on_what_is_no_act() {
    block_on(async {
        let peer = Peer::new().await;
        let office = Office::at(&peer).await;
        let other = peer.adopt(&founded(9)).await;
        let foreign = op(0, other, &[]).granting(1, &["write"]).sign();
        let ordinary = op(0, office.staff, &[office.bens.id()]).saying("hello").sign();
        peer.took(&[&foreign]).await;
        peer.took(&[&office.bens, &ordinary]).await;
        let object: IdentityId = id_of(1);
        for dep in [foreign.id(), ordinary.id(), OpId(object.0), OpId(office.staff.0)] {
            let bad = op(0, office.notes, &[]).depending(&[dep]).saying("bad").sign();
            let error = peer.take(&[&bad]).await.unwrap_err();
            assert!(matches!(error, IngestError::Dependency { op, dep: found } if op == bad.id() && found == dep));
            assert!(error.blames_sender());
        }
        // Nothing gives authority to the other one, so that it never depends on anything.
        let bad = op(0, other, &[]).depending(&[OpId::of(b"nowhere")]).saying("bad").sign();
        assert!(matches!(peer.take(&[&bad]).await, Err(IngestError::Dependency { .. })));
    });
}

/// The notes are here before the staff. Who holds something there cannot be told from who does not: nobody is to blame. Once the
/// staff is here, the same ops are taken.
#[test]
fn a_source_that_comes_late() {
    block_on(async {
        let from = Peer::new().await;
        let office = Office::at(&from).await;
        let by_founder = op(0, office.notes, &[]).saying("by role").sign();
        let note = office.note(&[], "by grant");
        let peer = Peer::new().await;
        let notes = peer.adopt(&governed_by(office.staff, 2)).await;
        assert_eq!(notes, office.notes);
        let live = peer.live(notes).await;
        assert_eq!(peer.store.sources(notes).await.unwrap(), [office.staff]);
        let error = peer.take(&[&by_founder]).await.unwrap_err();
        assert!(matches!(error, IngestError::MissingSource { missing, .. } if missing == office.staff), "{error}");
        assert!(!error.blames_sender());
        let error = peer.take(&[&note]).await.unwrap_err();
        assert!(matches!(error, IngestError::MissingDependency { .. }), "{error}");
        assert!(live.update(&author(0), 1, |edit| edit.write("mine")).await.is_err());
        assert_eq!(peer.store.dependents(office.staff).await.unwrap(), [notes]);
        peer.adopt(&founded(1)).await;
        peer.took(&[&by_founder]).await;
        assert!(matches!(peer.take(&[&note]).await, Err(IngestError::MissingDependency { .. })));
        peer.took(&[&office.bens]).await;
        peer.took(&[&note]).await;
        live.update(&author(0), 1, |edit| edit.write("mine")).await.unwrap();
        assert_eq!(texts(&live), ["by grant", "by role", "mine"]);
    });
}

/// The removal keeps an op that has not come yet: what is below it is void until it does. Live replicas and heads follow, here and
/// where the notes were read anew in between.
#[test]
fn a_cut_whose_head_comes_late() {
    block_on(async {
        let peer = Peer::new().await;
        let office = Office::at(&peer).await;
        let first = office.note(&[], "first");
        let second = office.note(&[first.id()], "second");
        let removed = office.removal(&[second.id()]);
        peer.took(&[&office.bens]).await;
        peer.took(&[&first]).await;
        let other = Peer::new().await;
        Office::at(&other).await;
        peer.give(&other, &office.replicas()).await;
        let live = peer.live(office.notes).await;
        peer.took(&[&removed]).await;
        assert!(texts(&live).is_empty());
        assert!(peer.heads(office.notes).await.is_empty());
        peer.took(&[&second]).await;
        assert_eq!(texts(&live), ["first", "second"]);
        assert_eq!(peer.heads(office.notes).await, [second.id()].into());
        other.took(&[&removed]).await;
        let other = other.reopened().await;
        let live = other.live(office.notes).await;
        assert!(texts(&live).is_empty());
        assert!(other.heads(office.notes).await.is_empty());
        other.took(&[&second]).await;
        assert_eq!(texts(&live), ["first", "second"]);
        assert_eq!(other.heads(office.notes).await, [second.id()].into());
    });
}

/// A replica that gives authority to another one is not deleted before that.
#[test]
fn a_source_is_not_deleted() {
    block_on(async {
        let peer = Peer::new().await;
        let Office { staff, notes, .. } = Office::at(&peer).await;
        for refused in [peer.store.delete_replica(staff).await, peer.store.delete_space(staff).await] {
            let error = refused.unwrap_err();
            assert!(
                matches!(error, DeleteError::Source { replica, dependent } if (replica, dependent) == (staff, notes))
            );
            assert!(error.to_string().contains(&notes.to_string()));
        }
        peer.store.delete_replica(notes).await.unwrap();
        assert!(peer.store.dependents(staff).await.unwrap().is_empty());
        peer.store.delete_space(staff).await.unwrap();
    });
}
