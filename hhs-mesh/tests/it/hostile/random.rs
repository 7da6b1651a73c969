//! Anything at all: messages made up at random, of ids that exist and that do not.

use std::collections::BTreeSet;
use std::time::Duration;

use hhs_mesh::proto::{Event, Message, admission, delta, gossip, group};
use hhs_model::{Bytes, OpId, ReplicaId};
use hhs_store::SignedOp;

use super::stage::{Stage, op};
use crate::sim::World;

/// Hundreds of peers say whatever comes to their mind, a few dozen messages each. Nothing changes in the store, nothing
/// panics, and Alice still works in the end.
#[test]
fn whatever_is_said() {
    let mut stage = Stage::new();
    let pool = Pool::of(&mut stage);
    for number in 0..1000 {
        let mut waiting = None;
        let who = stage.world.puppet(&format!("mallory-{number}"));
        let wire = stage.world.connect(who, stage.alice);
        let hello = Message::Hello(super::stage::hello_of(&stage.world.author_of(who)));
        stage.world.say(wire, &hello);
        stage.world.say(wire, &Message::Gossip(gossip::Message::Open { replica: stage.room }));
        for _ in 0..stage.world.number(1..30) {
            let message = pool.message(&mut stage.world, waiting);
            stage.world.say(wire, &message);
            let time = stage.world.number(0..50);
            stage.world.run_for(Duration::from_millis(time));
            // The better part of nonsense is in answers to real requests.
            for message in stage.world.heard(wire) {
                if let Message::Delta(delta::Message::Want { request, .. }) = message {
                    waiting = Some(request);
                }
            }
            if stage.world.ended(wire).is_some() {
                break;
            }
        }
        if stage.world.number(0..3) > 0 {
            stage.world.hang_up(wire);
        }
    }
    stage.world.all_wires().into_iter().for_each(|wire| stage.world.hang_up(wire));
    stage.assert_unchanged();
    let reasons: BTreeSet<String> =
        stage.world.events(stage.alice).iter().filter_map(|(_, event)| kind(event)).collect();
    assert!(reasons.len() >= 9, "the nonsense is too harmless: only {reasons:#?}");
    stage.world.run_for(Duration::from_secs(400));
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.knows(bob, stage.alice, stage.room);
    stage.world.run_until_equal(&[stage.alice, bob], stage.room, Duration::from_secs(60));
}

/// Real frames with some bytes changed, cut off or doubled are read or refused; they never panic.
#[test]
fn frames_with_errors() {
    let mut stage = Stage::new();
    let pool = Pool::of(&mut stage);
    for _ in 0..5000 {
        let mut frame = pool.message(&mut stage.world, Some(1)).to_bytes().unwrap();
        for _ in 0..stage.world.number(1..4) {
            let at = stage.world.number(0..frame.len() as u64) as usize;
            match stage.world.number(0..4) {
                0 => frame.truncate(at + 1),
                1 => frame.insert(at, stage.world.number(0..256) as u8),
                _ => frame[at] = stage.world.number(0..256) as u8,
            }
        }
        if let Ok(message) = Message::from_bytes(&frame) {
            message.to_bytes().expect("what is read can be written");
        }
    }
}

/// What somebody is blamed for, without ids.
fn kind(event: &Event) -> Option<String> {
    match event {
        Event::Misbehaved { reason, .. } => {
            Some(reason.split(' ').filter(|word| word.len() < 30).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

/// What messages are made of.
struct Pool {
    replicas: Vec<ReplicaId>,
    ids: Vec<OpId>,
    ops: Vec<SignedOp>,
}

impl Pool {
    fn of(stage: &mut Stage) -> Self {
        let store = stage.world.store(stage.alice);
        let mut ids = futures::executor::block_on(store.op_ids(stage.room, 0..5)).unwrap();
        let stranger = stage.world.author("stranger");
        let ops = vec![
            stage.op(&stranger, b"by a stranger"),
            op(&stage.bob, stage.room, vec![OpId::of(b"nowhere")], b"from nowhere"),
            op(&stage.bob, ReplicaId::of(b"elsewhere"), vec![], b"from elsewhere"),
            SignedOp { header: b"nonsense".to_vec(), payload: None },
        ];
        ids.extend(ops.iter().map(super::stage::id_of));
        ids.push(OpId::of(b"unknown"));
        Self { replicas: vec![stage.room, stage.room, stage.room, ReplicaId::of(b"elsewhere")], ids, ops }
    }

    fn message(&self, world: &mut World, waiting: Option<u64>) -> Message {
        let replica = pick(world, &self.replicas);
        let request = if world.number(0..5) > 0 { waiting.unwrap_or(0) } else { world.number(0..20) };
        let flag = world.number(0..2) == 0;
        // Mostly no answers where nobody has asked.
        let kinds = if waiting.is_some() || world.number(0..20) == 0 { 0..16 } else { 0..9 };
        use delta::Message as D;
        match world.number(kinds) {
            0 => Message::Gossip(gossip::Message::Open { replica }),
            1 => Message::Gossip(gossip::Message::Closed { replica }),
            2..5 => {
                let mut heads = self.some_ids(world);
                heads.sort();
                heads.dedup();
                Message::Gossip(gossip::Message::Heads { replica, heads, ops: world.number(0..u64::MAX) })
            }
            5 => Message::Group(group::Message::Peers { replica, addresses: vec!["mem://nobody/x".into()] }),
            6 => Message::Admission(admission::Message::Join { replica, secret: Bytes(vec![1]) }),
            7 => Message::Delta(D::More { request }),
            8 => Message::Delta(D::Cancel { request }),
            9 => Message::Delta(D::Unavailable { request, reason: "x".into() }),
            10 => Message::Delta(D::Genesis { request, genesis: Bytes(vec![0xa0]), identities: vec![Bytes(vec![1])] }),
            11 => Message::Delta(D::Listed {
                request,
                unknown: self.some_ids(world),
                ids: self.some_ids(world),
                all: flag,
            }),
            12 => Message::Delta(D::Want {
                request,
                replica,
                heads: self.some_ids(world),
                have: self.some_ids(world),
                list: world.number(0..3),
                below: flag.then(|| pick(world, &self.ids)),
                genesis: world.number(0..2) == 0,
            }),
            _ => Message::Delta(D::Batch {
                request,
                total: world.number(0..10),
                identities: Vec::new(),
                ops: (0..world.number(0..3)).map(|_| pick(world, &self.ops).into()).collect(),
                last: flag,
            }),
        }
    }

    fn some_ids(&self, world: &mut World) -> Vec<OpId> {
        (0..world.number(0..5)).map(|_| pick(world, &self.ids)).collect()
    }
}

fn pick<T: Clone>(world: &mut World, of: &[T]) -> T {
    of[world.number(0..of.len() as u64) as usize].clone()
}
