//! Whatever happens to people who let each other in and remove each other, and write where that gives them the right to: once
//! it stops happening, all have the same and show the same.

use std::time::Duration;

use hhs_model::{Author, OpId, ReplicaId};

use super::World;
use super::seeds::in_every_world;
use super::stats::Stats;
use super::world::NodeId;

/// Seeds that every run of the tests tries.
const SEEDS: u64 = 40;
/// How long faults go on.
const TURMOIL: Duration = Duration::from_secs(90);

/// Three people with a staff, a team whose members the staff chooses, notes of each, and a part of the staff's. They grant,
/// revoke, reinstate, and write, while connections break, dials fail and programs crash. Nobody is ever said to have
/// misbehaved. In the end all stand on the same versions, judge the same ops alike, and show the same lines.
#[test]
fn all_judge_alike_once_faults_stop() {
    let lived = in_every_world(SEEDS, "sim::turmoil", live);
    let void: usize = lived.iter().map(|(_, void)| void).sum();
    let sum = |count: fn(&Stats) -> u64| lived.iter().map(|(stats, _)| count(stats)).sum::<u64>();
    let (ops, doubles, lacking) = (sum(|stats| stats.ops), sum(|stats| stats.doubles), sum(|stats| stats.lacking));
    println!("{ops} ops moved, {doubles} of them twice; {lacking} batches came too early; {void} ops are void");
}

/// What there is, and what was done to it.
#[derive(Clone)]
struct Scene {
    nodes: Vec<NodeId>,
    people: Vec<Author>,
    /// Who gives authority, and to whom.
    lists: Vec<ReplicaId>,
    notes: Vec<ReplicaId>,
}

/// What was carried, and how many notes are void in the end.
fn live(world: &mut World) -> (Stats, usize) {
    world.latency = 1_000..(1 << world.number(11..19));
    world.bandwidth = 1 << world.number(13..30);
    world.task_time = 0..(1 << world.number(1..16));
    world.notice_after = 0..(1 << world.number(10..25));
    world.failing_dials = world.number(0..60);
    let scene = scene(world);
    let most = TURMOIL.as_micros() as u64;
    for _ in 0..world.number(20..120) {
        let (after, scene) = (Duration::from_micros(world.number(0..most)), scene.clone());
        world.later(after, move |world| happen(world, &scene));
    }
    world.run_for(TURMOIL);
    world.failing_dials = 0;
    world.heal_all();
    for node in &scene.nodes {
        if !world.runs(*node) {
            world.start(*node);
        }
    }
    let all: Vec<ReplicaId> = scene.lists.iter().chain(&scene.notes).copied().collect();
    let together = |world: &World| world.stand_together(&scene.nodes, &all);
    world.run_until(Duration::from_secs(400), "all stand on the same", together);
    let mut void = 0;
    for notes in &scene.notes {
        let lines = world.lines(scene.nodes[0], *notes);
        let verdicts = world.verdicts(scene.nodes[0], *notes);
        void += verdicts.values().filter(|effective| !**effective).count();
        for node in &scene.nodes[1..] {
            let others = world.verdicts(*node, *notes);
            for (op, effective) in others.iter().filter(|(op, _)| verdicts.contains_key(op)) {
                assert_eq!(*effective, verdicts[op], "{node:?} judges {op} differently");
            }
            assert_eq!(world.lines(*node, *notes), lines, "{node:?} shows something else");
        }
    }
    (world.stats.take(), void)
}

/// Everybody is told of the notes alone.
fn scene(world: &mut World) -> Scene {
    let nodes = ["ana", "ben", "carol"].map(|name| world.node(name)).to_vec();
    let people = nodes.iter().map(|node| world.author_of(*node)).collect();
    let staff = world.found_open(nodes[0]);
    let team = world.found_governed(nodes[0], staff);
    let notes = vec![
        world.found_governed(nodes[0], staff),
        world.found_governed(nodes[0], team),
        world.found_child(nodes[0], staff, "part"),
    ];
    for (number, node) in nodes.iter().enumerate().skip(1) {
        world.grant(nodes[0], staff, &world.author_of(*node));
        for one in &notes {
            let other = nodes[world.number(0..number as u64) as usize];
            world.knows(*node, other, *one);
        }
    }
    Scene { nodes, people, lists: vec![staff, team], notes }
}

fn happen(world: &mut World, scene: &Scene) {
    let long = Duration::from_micros(world.number(0..30_000_000));
    let [node, other] = [any(world, &scene.nodes), any(world, &scene.nodes)];
    let (list, notes) = (any(world, &scene.lists), any(world, &scene.notes));
    match world.number(0..100) {
        0..36 => {
            for number in 0..world.number(1..6) {
                world.write_line(node, notes, &format!("{number} at {:?}", world.now));
            }
        }
        36..50 => {
            let to = any(world, &scene.people);
            world.try_to_grant(node, list, &to);
        }
        50..62 => {
            let grants = world.acts(node, list, |act| act.grantee().is_some());
            if !grants.is_empty() {
                let grant = any(world, &grants);
                world.try_to_revoke(node, list, &[grant]);
            }
        }
        62..68 => {
            let removals = world.acts(node, list, |act| matches!(act, hhs_model::op::Act::Revoke { .. }));
            if !removals.is_empty() {
                let removal: OpId = any(world, &removals);
                world.try_to_reinstate(node, list, removal);
            }
        }
        68..78 => {
            let wires = world.all_wires();
            if !wires.is_empty() {
                let wire = any(world, &wires);
                world.break_wire(wire);
            }
        }
        78..90 if node != other => {
            world.cut(node, other);
            world.later(long, move |world| world.heal(node, other));
        }
        90..100 if world.runs(node) => {
            world.crash(node);
            world.later(long, move |world| {
                if !world.runs(node) {
                    world.start(node);
                }
            });
        }
        _ => {}
    }
}

fn any<T: Clone>(world: &mut World, of: &[T]) -> T {
    of[world.number(0..of.len() as u64) as usize].clone()
}
