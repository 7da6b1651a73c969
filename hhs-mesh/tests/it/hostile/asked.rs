//! Wrong answers to what was asked.

use std::time::Duration;

use futures::executor::block_on;
use hhs_crdt::{Log, Replica};
use hhs_mesh::proto::{Message, delta, gossip};
use hhs_model::op::{Act, Capability, Genesis, Header, Op};
use hhs_model::{Bytes, Object, OpId, ReplicaId};
use hhs_store::SignedOp;

use super::stage::{Stage, batch, id_of, op};

/// Her ops are signed by somebody else than they say, or their signature is broken.
#[test]
fn a_bad_signature() {
    let mut stage = Stage::opened();
    let mut forged = stage.op(&stage.bob, b"Bob owes me money");
    // The last bytes of a header are not the signature's, but some of these are.
    let signature = forged.header.len() - 10;
    let broken = (0..signature).rev().find(|at| {
        let mut header = forged.header.clone();
        header[*at] ^= 1;
        Op::from_bytes(&header).is_ok_and(|op| op.header() == Op::from_bytes(&forged.header).unwrap().header())
    });
    forged.header[broken.unwrap()] ^= 1;
    let request = stage.lure(stage.room, vec![id_of(&forged)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![forged]));
    stage.assert_blamed("signature");
}

/// A good op and a bad one in the same batch: neither is kept.
#[test]
fn one_bad_op_among_good_ones() {
    let mut stage = Stage::opened();
    let good = stage.op(&stage.bob, b"good");
    let mut bad = op(&stage.bob, stage.room, vec![id_of(&good)], b"bad");
    bad.payload = Some(b"something else".to_vec());
    let request = stage.lure(stage.room, vec![id_of(&bad)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![good, bad]));
    stage.assert_blamed("is not the one that its header names");
}

/// She writes an op herself, in good order, but she was never let in.
#[test]
fn an_author_without_standing() {
    let mut stage = Stage::opened();
    let mallory = stage.world.author_of(stage.mallory);
    let uninvited = stage.op(&mallory, b"I am one of you");
    let request = stage.lure(stage.room, vec![id_of(&uninvited)]);
    stage.say_delta(batch(request, &[&mallory], vec![uninvited]));
    stage.assert_blamed("holds no right to write");
}

/// She lets herself in.
#[test]
fn a_grant_by_nobody() {
    let mut stage = Stage::opened();
    let mallory = stage.world.author_of(stage.mallory);
    let heads = stage.world.version(stage.alice, stage.room).unwrap().0.heads;
    let header = Header {
        target: stage.room,
        parents: heads.into_iter().collect(),
        deps: Vec::new(),
        grants: Vec::new(),
        act: Some(Act::Grant { to: mallory.id(), can: [Capability::write()].into() }),
        author: mallory.id(),
        time: 0,
        payload: None,
    };
    let grant = Op::sign(header, &**mallory.signer()).unwrap();
    let request = stage.lure(stage.room, vec![grant.id()]);
    let grant = SignedOp { header: grant.bytes().to_vec(), payload: None };
    stage.say_delta(batch(request, &[&mallory], vec![grant]));
    stage.assert_blamed("holds no right");
}

/// The author's identity does not come along, and Alice has never heard of them.
#[test]
fn an_author_without_identity() {
    let mut stage = Stage::opened();
    let stranger = stage.world.author("stranger");
    let unknown = stage.op(&stranger, b"who am I?");
    let request = stage.lure(stage.room, vec![id_of(&unknown)]);
    stage.say_delta(batch(request, &[], vec![unknown]));
    stage.assert_blamed("did not come along");
}

/// Ops whose parents are missing.
#[test]
fn ops_without_their_past() {
    let mut stage = Stage::opened();
    let orphan = op(&stage.bob, stage.room, vec![OpId::of(b"nowhere")], b"where do I come from?");
    let request = stage.lure(stage.room, vec![id_of(&orphan)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![orphan]));
    stage.assert_blamed("which did not come before it");
}

/// Children before their parents.
#[test]
fn ops_in_the_wrong_order() {
    let mut stage = Stage::opened();
    let parent = stage.op(&stage.bob, b"parent");
    let child = op(&stage.bob, stage.room, vec![id_of(&parent)], b"child");
    let request = stage.lure(stage.room, vec![id_of(&child)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![child, parent]));
    stage.assert_blamed("");
}

/// Ops of another replica.
#[test]
fn ops_of_another_replica() {
    let mut stage = Stage::opened();
    let other = op(&stage.bob, ReplicaId::of(b"another"), Vec::new(), b"not here");
    let request = stage.lure(stage.room, vec![id_of(&other)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![other]));
    stage.assert_blamed("which was not asked for");
}

/// A valid op, but not below the heads that she was asked for.
#[test]
fn ops_that_do_not_hang_below_what_was_asked() {
    let mut stage = Stage::opened();
    let other = stage.op(&stage.bob, b"another one");
    let request = stage.lure(stage.room, vec![OpId::of(b"what I said I have")]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![other]));
    stage.assert_blamed("not below what was asked for");
}

/// Nothing at all, although she said that she has it: nobody can tell that from an honest change of mind, but she gains
/// nothing by it. She is asked again, less and less often.
#[test]
fn empty_answers() {
    let mut stage = Stage::opened();
    let mut request = stage.lure(stage.room, vec![OpId::of(b"what I said I have")]);
    let mut asked = 1;
    for _ in 0..3600 {
        stage.say_delta(batch(request, &[], Vec::new()));
        request = u64::MAX;
        while request == u64::MAX && stage.world.now < Duration::from_secs(3600) {
            for message in stage.heard() {
                if let Message::Delta(delta::Message::Want { request: again, .. }) = message {
                    (request, asked) = (again, asked + 1);
                }
            }
        }
        if stage.world.now >= Duration::from_secs(3600) {
            break;
        }
    }
    assert!((10..=80).contains(&asked), "{asked} requests in an hour");
    stage.assert_tolerated();
}

/// An empty batch that is not the last one, of which there could be any number.
#[test]
fn empty_batches() {
    let mut stage = Stage::opened();
    let request = stage.lure(stage.room, vec![OpId::of(b"what I said I have")]);
    stage.say_delta(delta::Message::Batch { request, total: 1, identities: Vec::new(), ops: Vec::new(), last: false });
    stage.assert_blamed("a size that is not allowed");
}

/// A batch with more ops than anybody sends.
#[test]
fn a_batch_without_measure() {
    let mut stage = Stage::opened();
    let known = stage.op(&stage.bob, b"x");
    let request = stage.lure(stage.room, vec![id_of(&known)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![known; 16_001]));
    stage.assert_blamed("a size that is not allowed");
}

/// She answers a second time what she has answered.
#[test]
fn a_second_answer() {
    let mut stage = Stage::opened();
    let request = stage.lure(stage.room, vec![OpId::of(b"what I said I have")]);
    stage.say_delta(batch(request, &[], Vec::new()));
    stage.heard();
    let more = stage.op(&stage.bob, b"and another thing");
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![more]));
    stage.assert_blamed("nobody asked for");
}

/// A genesis where one was not asked for, a list after ops have come: all out of turn.
#[test]
fn out_of_turn() {
    let mut stage = Stage::opened();
    let request = stage.lure(stage.room, vec![OpId::of(b"x")]);
    stage.say_delta(delta::Message::Genesis { request, genesis: Bytes(vec![]), identities: vec![] });
    stage.assert_blamed("a genesis that nobody asked for");

    let mut stage = Stage::opened();
    let known = known_op(&stage);
    let request = stage.lure(stage.room, vec![OpId::of(b"x")]);
    stage.say_delta(delta::Message::Batch {
        request,
        total: 9,
        identities: Vec::new(),
        ops: vec![known.into()],
        last: false,
    });
    stage.say_delta(delta::Message::Listed { request, unknown: vec![], ids: vec![OpId::of(b"x")], all: true });
    stage.assert_blamed("out of turn");
}

/// Lists longer than was asked for, empty ones, and lists where none may be sent.
#[test]
fn lists_that_were_not_asked_for() {
    let ids: Vec<OpId> = (0..65_u32).map(|number| OpId::of(&number.to_be_bytes())).collect();
    for ids in [vec![], ids.clone()] {
        let mut stage = Stage::opened();
        let request = stage.lure(stage.room, vec![OpId::of(b"x")]);
        stage.say_delta(delta::Message::Listed { request, unknown: vec![], ids, all: false });
        stage.assert_blamed("lists what it was not asked for");
    }
    let mut stage = Stage::opened();
    let request = stage.lure(stage.room, vec![OpId::of(b"x")]);
    for _ in 0..2 {
        stage.say_delta(delta::Message::Listed { request, unknown: vec![], ids: ids[..64].to_vec(), all: true });
    }
    stage.assert_blamed("lists what it was not asked for");
}

/// Lists without end, each no longer than was asked for. After a few, in proportion to what Alice has, she may not.
#[test]
fn endless_lists() {
    let mut stage = Stage::opened();
    let request = stage.lure(stage.room, vec![OpId::of(b"x")]);
    let mut number = 0_u32;
    let mut allowed = 64;
    let mut rounds = 0;
    while allowed > 0 {
        let ids = (0..allowed).map(|_| {
            number += 1;
            OpId::of(&number.to_be_bytes())
        });
        stage.say_delta(delta::Message::Listed { request, unknown: vec![], ids: ids.collect(), all: false });
        (_, allowed) = stage.wanted();
        rounds += 1;
        assert!(rounds < 10, "it goes on and on");
    }
    stage.say_delta(delta::Message::Listed { request, unknown: vec![], ids: vec![OpId::of(b"x")], all: false });
    stage.assert_blamed("lists what it was not asked for");
}

/// Alice wants a replica of which she knows nothing but the id. She gets another genesis, one that is none, the ops before
/// it, or it without the identities in it.
#[test]
fn a_wrong_genesis() {
    let other = Genesis::with_writers("sim/v1/Unknown", [1; 16], Default::default()).encoded().unwrap().0;
    let mut writers = std::collections::BTreeSet::new();
    writers.insert(hhs_model::IdentityId::of(b"nobody"));
    let (asked, id) = Genesis::with_writers("sim/v1/Unknown", [2; 16], writers).encoded().unwrap();
    for (genesis, why) in [
        (other, "but the bytes are those of"),
        (b"x".to_vec(), "but the bytes are those of"),
        (asked, "did not come along"),
    ] {
        let mut stage = Stage::opened();
        stage.world.share(stage.alice, id);
        stage.say(&Message::Gossip(gossip::Message::Open { replica: id }));
        stage.heard();
        let request = stage.lure(id, vec![OpId::of(b"x")]);
        stage.say_delta(delta::Message::Genesis { request, genesis: Bytes(genesis), identities: Vec::new() });
        stage.assert_blamed(why);
    }
    let mut stage = Stage::opened();
    stage.world.share(stage.alice, id);
    stage.say(&Message::Gossip(gossip::Message::Open { replica: id }));
    stage.heard();
    let first = op(&stage.bob, id, Vec::new(), b"first");
    let request = stage.lure(id, vec![id_of(&first)]);
    stage.say_delta(batch(request, &[&stage.bob.clone()], vec![first]));
    stage.assert_blamed("out of turn");
}

#[derive(Object, Clone, Debug, PartialEq)]
#[object(class = "test/v1/Line")]
struct Line {
    text: String,
}

#[derive(Replica)]
#[replica(class = "test/v1/Page")]
struct Page {
    lines: Log<Line>,
}

/// Bob, who may write, runs a program that writes what Alice's cannot make sense of. His op is kept, has no effect, and
/// nobody is blamed; what he writes on top of it counts.
#[test]
fn a_payload_that_means_nothing_is_kept() {
    let mut stage = Stage::new();
    let (alice, bob) = (stage.world.author_of(stage.alice), stage.bob.clone());
    let genesis = Genesis::with_writers(Page::CLASS, [3; 16], [alice.id(), bob.id()].into());
    let identities = [alice.identity_bytes().to_vec(), bob.identity_bytes().to_vec()];
    let store = stage.world.store(stage.alice);
    let page = block_on(store.create(&genesis, &identities)).unwrap();
    let live = block_on(store.open_replica::<Page>(page)).unwrap();
    stage.world.share(stage.alice, page);
    stage.say_hello();
    stage.say(&Message::Gossip(gossip::Message::Open { replica: page }));
    stage.heard();

    let sense = op(&bob, page, vec![], &Page::new().edit_as_draft().unwrap());
    let nonsense = op(&bob, page, vec![id_of(&sense)], b"\xffnonsense");
    let more = op(&bob, page, vec![id_of(&nonsense)], &Page::new().edit_as_draft().unwrap());
    let request = stage.lure(page, vec![id_of(&more)]);
    stage.say_delta(batch(request, &[], vec![sense, nonsense.clone(), more]));
    stage.world.run_for(Duration::from_secs(1));
    stage.assert_nobody_is_blamed();
    assert_eq!(stage.world.ended(stage.wire), None);
    assert_eq!(block_on(store.count(page)).unwrap(), 3);
    assert!(block_on(live.explain(id_of(&nonsense))).unwrap().is_some());
    assert_eq!(live.read(|page| page.lines.len()), 2);
}

impl Page {
    /// The payload of an op that appends a line.
    fn edit_as_draft(&self) -> Option<Vec<u8>> {
        let mut edit = self.edit();
        edit.lines.append(Line { text: "sense".into() });
        Page::finish(edit).unwrap().payload
    }
}

/// An op that Alice has.
fn known_op(stage: &Stage) -> SignedOp {
    let limit = hhs_store::ReadLimit { ops: 1, bytes: usize::MAX };
    let stored = block_on(stage.world.store(stage.alice).ops(stage.room, 0..1, limit)).unwrap().remove(0);
    SignedOp { header: stored.op.bytes().to_vec(), payload: stored.payload }
}
