//! Whatever happens to a network: once it stops happening, all nodes have the same.

use std::time::Duration;

use hhs_mesh::proto::Config;
use hhs_model::ReplicaId;
use hhs_store::MemoryBackend;

use super::World;
use super::seeds::in_every_world;
use super::stats::Stats;
use super::world::NodeId;

/// Seeds that every run of the tests tries.
const SEEDS: u64 = 120;

/// A few nodes write, lose their connections, cannot reach each other, crash and come back, join and stop sharing, at
/// random. Then all of that stops. Nobody is ever said to have misbehaved, and all have the same in the end, over one
/// connection for each two of them, and are quiet.
#[test]
fn all_agree_once_faults_stop() {
    let lived = in_every_world(SEEDS, "sim::swarm", live);
    let sum = |count: fn(&Stats) -> u64| lived.iter().map(count).sum::<u64>();
    let (messages, bytes) = (sum(|stats| stats.messages), sum(|stats| stats.bytes));
    let (ops, doubles) = (sum(|stats| stats.ops), sum(|stats| stats.doubles));
    println!("{messages} messages, {bytes} bytes, {ops} ops moved, {doubles} of them twice");
}

/// How long faults go on.
const TURMOIL: Duration = Duration::from_secs(90);

fn live(world: &mut World) -> Stats {
    world.latency = 1_000..(1 << world.number(11..19));
    world.bandwidth = 1 << world.number(12..30);
    world.task_time = 0..(1 << world.number(1..16));
    world.app_start = 0..(1 << world.number(1..20));
    world.notice_after = 0..(1 << world.number(10..25));
    let nodes = people(world);
    let rooms = rooms(world, &nodes);
    trouble(world, &nodes, &rooms);
    world.run_for(TURMOIL);
    world.failing_dials = 0;
    world.heal_all();
    for node in &nodes {
        if !world.runs(*node) {
            world.start(*node);
        }
    }
    for room in &rooms {
        world.run_until_equal(&nodes, *room, Duration::from_secs(300));
    }
    let stats = world.stats.take();
    quiet(world, &nodes);
    stats
}

/// Two to five nodes; some have small batches, windows and tables.
fn people(world: &mut World) -> Vec<NodeId> {
    let count = world.number(2..6);
    let mut nodes = Vec::new();
    for number in 0..count {
        let name = format!("node-{number}");
        let configure: fn(&mut Config) = match world.number(0..3) {
            0 => |_| (),
            1 => |config| {
                config.batch_ops = 2;
                config.window = 1;
            },
            _ => |config| {
                config.batch_ops = 5;
                config.batch_bytes = 500;
                config.answer_within = Duration::from_secs(2);
            },
        };
        let author = world.author(&name);
        nodes.push(world.node_of(&name, author, MemoryBackend::new(), configure));
    }
    nodes
}

/// One to three replicas; each node but the first joins or was a writer from the start, and knows some node before it.
fn rooms(world: &mut World, nodes: &[NodeId]) -> Vec<ReplicaId> {
    let mut rooms = Vec::new();
    for _ in 0..world.number(1..4) {
        let closed = world.number(0..2) == 0;
        let room = if closed { world.found(nodes) } else { world.found_open(nodes[0]) };
        world.invites(nodes[0], room, b"secret");
        for (number, node) in nodes.iter().enumerate().skip(1) {
            let other = nodes[world.number(0..number as u64) as usize];
            match closed {
                true => world.knows(*node, other, room),
                false => {
                    world.knows(*node, other, room);
                    world.joins(*node, nodes[0], room, b"secret");
                }
            }
            if world.number(0..3) == 0 {
                world.knows(other, *node, room);
            }
        }
        rooms.push(room);
    }
    rooms
}

/// Plans what goes wrong, and who writes.
fn trouble(world: &mut World, nodes: &[NodeId], rooms: &[ReplicaId]) {
    world.failing_dials = world.number(0..60);
    let most = TURMOIL.as_micros() as u64;
    for _ in 0..world.number(5..80) {
        let (after, kind) = (Duration::from_micros(world.number(0..most)), world.number(0..100));
        let (node, other) = (any(world, nodes), any(world, nodes));
        let room = rooms[world.number(0..rooms.len() as u64) as usize];
        world.later(after, move |world| happen(world, kind, node, other, room));
    }
}

fn any(world: &mut World, nodes: &[NodeId]) -> NodeId {
    nodes[world.number(0..nodes.len() as u64) as usize]
}

fn happen(world: &mut World, kind: u64, node: NodeId, other: NodeId, room: ReplicaId) {
    let long = Duration::from_micros(world.number(0..30_000_000));
    match kind {
        0..50 => drop(world.write(node, room, b"something to say")),
        50..60 => {
            for _ in 0..world.number(2..60) {
                world.write(node, room, b"much to say");
            }
        }
        60..70 => {
            let wires = world.all_wires();
            if !wires.is_empty() {
                let chosen = world.number(0..wires.len() as u64) as usize;
                world.break_wire(wires[chosen]);
            }
        }
        70..80 if node != other => {
            world.cut(node, other);
            world.later(long, move |world| world.heal(node, other));
        }
        80..92 if world.runs(node) => {
            world.crash(node);
            world.later(long, move |world| {
                if !world.runs(node) {
                    world.start(node);
                }
            });
        }
        92..96 if world.runs(node) => {
            world.unshare(node, room);
            world.later(long, move |world| world.resume(node, room));
        }
        _ => {}
    }
}

/// Each two who know each other keep one connection, and all there is to say is said once in a while.
fn quiet(world: &mut World, nodes: &[NodeId]) {
    world.run_for(Duration::from_secs(60));
    world.stats.take();
    world.run_for(Duration::from_secs(60));
    let (pairs, stats) = (nodes.len() * (nodes.len() - 1), world.stats.take());
    for (number, a) in nodes.iter().enumerate() {
        for b in &nodes[number + 1..] {
            let wires = world.wires_between(*a, *b).len();
            assert!(wires <= 1, "{a:?} and {b:?} have {wires} connections");
        }
    }
    // Everybody tells everybody the heads of at most three replicas, two or three times a minute.
    assert!(stats.messages <= 9 * pairs as u64, "in a quiet minute there were {stats:?}");
}
