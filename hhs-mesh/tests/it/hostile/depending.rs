//! Ops that depend on acts which nobody has. An honest peer can send such ops when it has more than we have, so that nobody is
//! blamed; it must not cost much.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::proto::{Message, delta, gossip};
use hhs_model::op::{Header, Op, PayloadRef};
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::{MemoryBackend, SignedOp};

use super::stage::{Stage, batch};
use crate::sim::{NodeId, World, dump, line_payload};

/// Alice has notes in which write who is on her staff. Mallory, who is not, shares both with her.
struct Office {
    stage: Stage,
    mallory: Author,
    staff: ReplicaId,
    notes: ReplicaId,
    /// Requests that Mallory has had, for ops of the staff and of the notes.
    asked: [usize; 2],
    ops: BTreeMap<OpId, SignedOp>,
}

impl Office {
    fn new() -> Self {
        let mut stage = Stage::opened();
        let staff = stage.world.found_open(stage.alice);
        let notes = stage.world.found_governed(stage.alice, staff);
        stage.world.write_line(stage.alice, notes, "first").unwrap();
        for replica in [staff, notes] {
            stage.say(&Message::Gossip(gossip::Message::Open { replica }));
        }
        let mallory = stage.world.author_of(stage.mallory);
        Self { stage, mallory, staff, notes, asked: [0, 0], ops: BTreeMap::new() }
    }

    /// Mallory says that she has an op that depends on something that does not exist, something else each time.
    fn claims(&mut self) {
        let number = self.ops.len();
        let payload = line_payload("let me in");
        let header = Header {
            target: self.notes,
            parents: Vec::new(),
            deps: vec![OpId::of(&number.to_be_bytes())],
            grants: Vec::new(),
            act: None,
            author: self.mallory.id(),
            time: 0,
            payload: Some(PayloadRef::to(&payload)),
        };
        let op = Op::sign(header, &**self.mallory.signer()).unwrap();
        let heads = vec![op.id()];
        self.ops.insert(op.id(), SignedOp { header: op.bytes().to_vec(), payload: Some(payload) });
        self.stage.say(&Message::Gossip(gossip::Message::Heads { replica: self.notes, heads, ops: 9 }));
    }

    /// Mallory answers whatever she is asked, for a while: with her ops if she has said that she has them, or with nothing.
    fn answers(&mut self, until: Duration) {
        while self.stage.world.now < until {
            for message in self.stage.heard() {
                let Message::Delta(delta::Message::Want { request, replica, heads, .. }) = message else { continue };
                self.asked[usize::from(replica == self.notes)] += 1;
                let ops = heads.iter().filter_map(|head| self.ops.get(head).cloned()).collect();
                let mallory = self.mallory.clone();
                self.stage.say_delta(batch(request, &[&mallory], ops));
            }
        }
    }

    /// Somebody honest comes, who is on the staff.
    fn ben(&mut self) -> NodeId {
        let author = self.stage.world.author("ben");
        let ben = self.stage.world.node_of("ben", author.clone(), MemoryBackend::new(), |_| ());
        self.stage.world.grant(self.stage.alice, self.staff, &author);
        self.stage.world.knows(ben, self.stage.alice, self.notes);
        ben
    }
}

/// Mallory sends the same op again whenever she is asked. That is less and less often; nothing of it is kept, and nobody is
/// blamed.
#[test]
fn what_depends_on_nothing_that_exists() {
    let mut office = Office::new();
    let before = dump(&office.stage.world.backend(office.stage.alice));
    office.claims();
    office.answers(Duration::from_secs(3600));
    let [staff, notes] = office.asked;
    assert!((10..=80).contains(&notes) && staff <= 80, "{staff} and {notes} requests in an hour");
    assert!(dump(&office.stage.world.backend(office.stage.alice)) == before, "Alice's store has changed");
    office.stage.assert_nobody_is_blamed();
}

/// The staff is busy: with each of its ops what depends on it could have come. Mallory has something new each time. She is
/// not asked each time, and Ben's notes come as soon as ever.
#[test]
fn what_depends_on_a_replica_that_is_busy() {
    let mut office = Office::new();
    let ben = office.ben();
    let (alice, notes, staff) = (office.stage.alice, office.notes, office.staff);
    office.stage.world.run_until(Duration::from_secs(20), "Ben may write", |world| world.may_write(ben, notes));
    let mut worst = Duration::ZERO;
    for number in 0..100_u32 {
        office.claims();
        office.stage.world.write(alice, staff, b"busy").unwrap();
        office.answers(office.stage.world.now + Duration::from_secs(2));
        let written = office.stage.world.write_line(ben, notes, &format!("{number}")).unwrap();
        let has_it = |world: &World| block_on(world.store(alice).unknown(notes, &[written])).unwrap().is_empty();
        let took = office.stage.world.run_until(Duration::from_secs(20), "Alice has Ben's note", has_it);
        worst = worst.max(took);
    }
    let [on_staff, on_notes] = office.asked;
    println!("{on_staff} and {on_notes} requests in 200 seconds; a note takes {worst:?} at most");
    assert!(on_staff + on_notes < 60, "{on_staff} and {on_notes} requests");
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    office.stage.assert_nobody_is_blamed();
}

/// Mallory says that she has much of the staff and sends nothing. The notes, which wait for the staff, do not wait for her.
#[test]
fn a_source_that_is_never_sent() {
    let mut office = Office::new();
    let ben = office.ben();
    let (alice, notes, staff) = (office.stage.alice, office.notes, office.staff);
    office.stage.world.run_until(Duration::from_secs(20), "Ben may write", |world| world.may_write(ben, notes));
    let mut worst = Duration::ZERO;
    for number in 0..50_u32 {
        let heads = vec![OpId::of(&number.to_be_bytes())];
        office.stage.say(&Message::Gossip(gossip::Message::Heads { replica: staff, heads, ops: 1000 }));
        office.stage.world.run_for(Duration::from_millis(700));
        let written = office.stage.world.write_line(ben, notes, &format!("{number}")).unwrap();
        let has_it = |world: &World| block_on(world.store(alice).unknown(notes, &[written])).unwrap().is_empty();
        worst = worst.max(office.stage.world.run_until(Duration::from_secs(60), "Alice has Ben's note", has_it));
    }
    println!("with a source that is never sent, a note takes {worst:?} at most");
    assert!(worst < Duration::from_secs(5), "{worst:?}");
    office.stage.assert_nobody_is_blamed();
}
