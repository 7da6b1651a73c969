//! The situations that the types have to pass, on documents in memory: no network, no store.

use hhs_crdt::{Carried, Document, Expand, Log, Members, Register, Replica, Set};
use hhs_model::Author;
use hhs_model::op::Act;
use hhs_model::replay::Voided;

use crate::document::{author, doc, founding, grant, reinstate, revoke, shown, sync, write};

/// A room: what the situations about sets and logs are set in.
#[derive(Replica)]
#[replica(class = "test/v1/Situation")]
struct Room {
    elements: Set<String>,
    members: Members,
    messages: Log<u64>,
    feature: Register<bool>,
}

type Peer = Document<Room>;

fn peers<const N: usize>() -> [Peer; N] {
    std::array::from_fn(|_| Peer::trusting(founding(Room::CLASS)))
}

fn elements(peer: &Peer) -> Vec<&String> {
    peer.state().elements.iter().collect()
}

fn messages(peer: &Peer) -> Vec<u64> {
    peer.state().messages.iter().map(|entry| *entry.value).collect()
}

fn meet(peers: &mut [Peer]) {
    for _ in 0..2 {
        for at in 1..peers.len() {
            let (before, after) = peers.split_at_mut(at);
            before.iter_mut().for_each(|peer| sync(peer, &mut after[0]));
        }
    }
}

/// Situation 2. A set changes ten times at one of three peers, and all converge. Then in stages: each time one of them is away, and
/// learns of it in the next. Then with elements of 32 KiB and of 4 MiB.
#[test]
fn a_set_that_changes_at_one_of_three() {
    let (ana, mut peers) = (author("Ana"), peers::<3>());
    for number in 0..10 {
        write(&mut peers[0], &ana, |edit| match number % 3 {
            2 => edit.elements.remove(&(number - 1).to_string()),
            _ => edit.elements.insert(number.to_string()),
        });
    }
    meet(&mut peers);
    assert_eq!(elements(&peers[0]), ["0", "3", "6", "9"]);
    peers.iter().for_each(|peer| assert_eq!(elements(peer), elements(&peers[0])));

    for stage in 0..6 {
        let (away, writer, other) = (stage % 3, (stage + 1) % 3, (stage + 2) % 3);
        let name = format!("stage {stage}");
        // Who was away in the stage before learns of it first.
        let ops = peers[other].beyond(&peers[writer].version());
        peers[writer].receive(ops);
        write(&mut peers[writer], &ana, |edit| {
            edit.elements.insert(name.clone());
            edit.elements.remove(&"0".to_owned());
        });
        let ops = peers[writer].beyond(&peers[other].version());
        peers[other].receive(ops);
        assert_eq!(elements(&peers[other]), elements(&peers[writer]));
        assert!(elements(&peers[other]).len() == 4 + stage && !elements(&peers[away]).contains(&&name));
    }
    meet(&mut peers);
    let stages = ["3", "6", "9", "stage 0", "stage 1", "stage 2", "stage 3", "stage 4", "stage 5"];
    assert_eq!(elements(&peers[0]), stages);
    peers.iter().for_each(|peer| assert_eq!(elements(peer), elements(&peers[0])));

    for size in [32 << 10, 4 << 20] {
        write(&mut peers[1], &ana, |edit| edit.elements.insert("x".repeat(size)));
    }
    meet(&mut peers);
    peers.iter().for_each(|peer| assert_eq!(elements(peer), elements(&peers[1])));
}

/// A network that loses, doubles, delays and mixes up what it carries; the same each time.
struct BadNetwork {
    seed: u64,
    late: Vec<Carried>,
}

impl BadNetwork {
    fn next(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % below
    }

    /// One hands over all that they have, again and again, until the other one has it.
    fn hand_over(&mut self, ops: &[Carried], to: &mut Peer) {
        let all: Vec<_> = ops.iter().map(|carried| carried.op.id()).collect();
        while all.iter().any(|id| to.get(id).is_none()) {
            for _ in 0..3 {
                let carried = ops[self.next(ops.len())].clone();
                match self.next(4) {
                    0 => {}
                    1 => self.late.push(carried),
                    2 => drop(to.receive([carried.clone(), carried])),
                    _ => drop(to.receive([carried])),
                }
            }
            if !self.late.is_empty() && self.next(3) == 0 {
                let at = self.next(self.late.len());
                to.receive([self.late.swap_remove(at)]);
            }
        }
    }
}

/// Situation 3. Three peers build on each other's ops by turns, five levels deep; then two write at once, and the third joins what
/// they wrote. What they hand each other is lost, late, doubled and in any order, from the first op on; so it is for somebody who comes when
/// all is over.
#[test]
fn a_deep_history_and_a_diamond_on_a_bad_network() {
    let (ana, mut peers) = (author("Ana"), peers::<4>());
    let mut network = BadNetwork { seed: 7, late: Vec::new() };
    for level in 0..5_u64 {
        let writer = level as usize % 3;
        write(&mut peers[writer], &ana, |edit| edit.messages.append(level));
        let ops = peers[writer].beyond(&Default::default());
        network.hand_over(&ops, &mut peers[(writer + 1) % 3]);
        let next = &peers[(writer + 1) % 3];
        assert_eq!((messages(next), next.heads().heads.len()), ((0..=level).collect(), 1));
    }
    // The fifth level was written by the second peer, and reached the third.
    let ops = peers[2].beyond(&Default::default());
    network.hand_over(&ops, &mut peers[0]);
    for (peer, number) in [(0, 10), (2, 12)] {
        write(&mut peers[peer], &ana, |edit| edit.messages.append(number));
    }
    for from in [0, 2] {
        let ops = peers[from].beyond(&Default::default());
        network.hand_over(&ops, &mut peers[1]);
    }
    assert_eq!(peers[1].heads().heads.len(), 2);
    write(&mut peers[1], &ana, |edit| edit.messages.append(20));

    let all = peers[1].beyond(&Default::default());
    for peer in [0, 2, 3] {
        network.hand_over(&all, &mut peers[peer]);
        assert_eq!(messages(&peers[peer]), messages(&peers[1]));
        assert_eq!(peers[peer].version(), peers[1].version());
    }
    let messages = messages(&peers[1]);
    assert_eq!((&messages[..5], messages[7]), (&[0, 1, 2, 3, 4][..], 20));
    assert!(messages[5..7] == [10, 12] || messages[5..7] == [12, 10], "{messages:?}");
}

/// Situation 4. Two writers alternate for a thousand rounds; one appends ten thousand entries; then there is one op on each side of
/// a hundred thousand that both have.
#[test]
fn alternating_and_long_histories() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let [mut here, mut there] = peers();
    grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    for round in 0..1_000 {
        let id = unsigned(&mut here, &ana, round * 2);
        there.receive([carried(&here, id)]);
        let id = unsigned(&mut there, &ben, round * 2 + 1);
        here.receive([carried(&there, id)]);
    }
    assert_eq!(messages(&here), (0..2_000).collect::<Vec<u64>>());
    assert_eq!(messages(&here), messages(&there));
    for number in 2_000..12_000 {
        unsigned(&mut here, &ana, number);
    }
    sync(&mut here, &mut there);
    for number in 12_000..100_000 {
        unsigned(&mut there, &ben, number);
    }
    sync(&mut here, &mut there);
    let shared = here.version();
    unsigned(&mut here, &ana, 1);
    unsigned(&mut there, &ben, 2);
    let (to_there, to_here) = (here.beyond(&shared), there.beyond(&shared));
    assert_eq!((to_there.len(), to_here.len()), (1, 1), "nothing of the hundred thousand is handed over");
    here.receive(to_here);
    there.receive(to_there);
    assert_eq!(here.len(), 100_003);
    assert_eq!(messages(&here), messages(&there));
}

fn unsigned(peer: &mut Peer, by: &Author, number: u64) -> hhs_model::OpId {
    let written = peer.write_unsigned(by.id(), number, |edit| edit.messages.append(number));
    written.expect("they may").expect("they append something")
}

fn carried(peer: &Peer, id: hhs_model::OpId) -> Carried {
    let (op, payload) = peer.get(&id).expect("it is there");
    Carried { op: op.clone(), payload: payload.map(<[u8]>::to_vec) }
}

/// Situation 5, within one replica. Ben, an administrator, has added Cleo. Ana removes him, while he adds Dan and switches a feature on.
/// Dan is gone everywhere and the feature is off again; Cleo, whom Ana had seen, stays. The removal is undone: all comes back.
#[test]
fn an_administrator_adds_somebody_while_being_removed() {
    let [ana, ben, cleo, dan] = ["Ana", "Ben", "Cleo", "Dan"].map(author);
    let [mut here, mut there] = peers();
    write(&mut here, &ana, |edit| edit.feature.set(false));
    let administrator = grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    grant(&mut there, &ben, cleo.id());
    sync(&mut here, &mut there);

    let removal = revoke(&mut here, &ana, administrator);
    let added = grant(&mut there, &ben, dan.id());
    let on = write(&mut there, &ben, |edit| edit.feature.set(true));
    let by_dan = write(&mut there, &dan, |edit| edit.messages.append(4));
    write(&mut there, &cleo, |edit| edit.messages.append(3));
    assert_eq!((messages(&there), there.state().feature.get()), (vec![4, 3], Some(&true)));
    sync(&mut here, &mut there);
    for peer in [&here, &there] {
        let members = &peer.state().members;
        let stays = [&ana, &ben, &cleo, &dan].map(|author| members.contains(&author.id()));
        assert_eq!(stays, [true, false, true, false]);
        assert_eq!((messages(peer), peer.state().feature.get()), (vec![3], Some(&false)));
        for void in [added, on, by_dan] {
            assert_eq!(peer.void(&void), Some(Voided::ByAuthority));
        }
        let why = peer.explain(&by_dan).expect("it is there").to_string();
        assert!(why.contains(&added.to_string()) && why.contains(&removal.to_string()), "{why}");
    }
    assert!(there.write(&dan, 1, |edit| edit.messages.append(5)).is_err(), "Dan's own program tells him");

    reinstate(&mut there, &ana, removal);
    sync(&mut here, &mut there);
    for peer in [&here, &there] {
        assert!([&ana, &ben, &cleo, &dan].iter().all(|author| peer.state().members.contains(&author.id())));
        assert_eq!((messages(peer), peer.state().feature.get()), (vec![4, 3], Some(&true)));
        assert_eq!(peer.void(&by_dan), None);
    }
}

/// Situation 5, last part, within one replica. Ana lets Ben in, Ben Cleo, and Cleo Dan. Without Ben the others have nothing to stand
/// on in what Ana had not seen; with him all are back.
#[test]
fn a_chain_of_three() {
    let [ana, ben, cleo, dan] = ["Ana", "Ben", "Cleo", "Dan"].map(author);
    let [mut here, mut there] = peers();
    let first = grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    grant(&mut there, &ben, cleo.id());
    grant(&mut there, &cleo, dan.id());
    let last = write(&mut there, &dan, |edit| edit.messages.append(1));
    let removal = revoke(&mut here, &ana, first);
    sync(&mut here, &mut there);
    assert!(messages(&here).is_empty() && messages(&there).is_empty());
    assert_eq!(there.explain(&last).expect("it is there").because.len(), 2, "two grants lie between");
    assert_eq!(there.state().members.len(), 1);
    reinstate(&mut here, &ana, removal);
    sync(&mut here, &mut there);
    assert_eq!((messages(&here), messages(&there)), (vec![1], vec![1]));
    assert_eq!(there.state().members.len(), 4);
}

/// Who acts as they may not: their own program makes the op without asking, as a hostile one would.
fn forced(peer: &Peer, by: &Author, grant: hhs_model::OpId, stands_on: hhs_model::OpId) -> Carried {
    let header = hhs_model::op::Header {
        target: peer.authority().founding().id(),
        parents: peer.heads().heads.into_iter().collect(),
        deps: Vec::new(),
        grants: vec![stands_on],
        act: Some(Act::Revoke { grants: [grant].into(), cut: Default::default() }),
        author: by.id(),
        time: 1,
        payload: None,
    };
    let op = hhs_model::op::Op::sign(header, &**by.signer()).expect("a header with canonical bytes");
    Carried { op, payload: None }
}

/// Situation 6, the first half. Ben and Cleo are both administrators, and remove each other at once, each on their own device. Ben was
/// let in first: his removal counts, and hers is refused by everybody, her own program first, whoever hears of what first. What Ben
/// wrote stays, and what she wrote that he had not seen is void.
#[test]
fn two_administrators_who_remove_each_other() {
    let [ana, ben, cleo] = ["Ana", "Ben", "Cleo"].map(author);
    let mut peers = peers::<3>();
    let of_ben = grant(&mut peers[0], &ana, ben.id());
    let of_cleo = grant(&mut peers[0], &ana, cleo.id());
    meet(&mut peers);
    write(&mut peers[1], &ben, |edit| edit.messages.append(1));
    write(&mut peers[2], &cleo, |edit| edit.messages.append(2));
    let draft = hhs_model::class::Draft {
        act: Some(Act::Revoke { grants: [of_ben].into(), cut: Default::default() }),
        ..Default::default()
    };
    assert!(peers[2].put(&cleo, 1, draft).is_err(), "her own program tells her");
    let by_cleo = forced(&peers[2], &cleo, of_ben, of_cleo);
    let by_ben = revoke(&mut peers[1], &ben, of_cleo);
    let of_both = [peers[1].beyond(&Default::default()), peers[2].beyond(&Default::default())];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut peer = Peer::trusting(founding(Room::CLASS));
        let mut refused = Vec::new();
        for part in order {
            let ops = if part == 2 { vec![by_cleo.clone()] } else { of_both[part].clone() };
            refused.extend(peer.receive(ops).refused);
        }
        assert_eq!(refused.iter().map(|(op, _)| *op).collect::<Vec<_>>(), [by_cleo.op.id()], "{order:?}");
        let stays = [&ana, &ben, &cleo].map(|author| peer.state().members.contains(&author.id()));
        assert_eq!((stays, messages(&peer)), ([true, true, false], vec![1]), "{order:?}");
        assert_eq!(peer.void(&by_ben), None);
    }
}

/// Situation 6, the second half. Three administrators remove each other in a circle: Ben removes Cleo, she Dan, and he Ben. Dan's is
/// refused, as Ben is his senior; Cleo's is void, as Ben's has not seen it. So Ben and Dan stay, and what Dan wrote; in whatever order one
/// hears of it.
#[test]
fn administrators_who_remove_each_other() {
    let [ana, ben, cleo, dan] = ["Ana", "Ben", "Cleo", "Dan"].map(author);
    let mut peers = peers::<3>();
    let of_ben = grant(&mut peers[0], &ana, ben.id());
    let of_cleo = grant(&mut peers[0], &ana, cleo.id());
    let of_dan = grant(&mut peers[0], &ana, dan.id());
    meet(&mut peers);
    let by_ben = revoke(&mut peers[0], &ben, of_cleo);
    let by_cleo = revoke(&mut peers[1], &cleo, of_dan);
    let by_dan = forced(&peers[2], &dan, of_ben, of_dan);
    write(&mut peers[2], &dan, |edit| edit.messages.append(7));
    let mut parts: Vec<Vec<Carried>> = peers.iter().map(|peer| peer.beyond(&Default::default())).collect();
    parts.push(vec![by_dan.clone()]);
    for number in 0..24 {
        let mut left = vec![0, 1, 2, 3];
        let order: Vec<usize> = [6, 2, 1, 1].iter().map(|step| left.remove(number / step % left.len())).collect();
        let mut peer = Peer::trusting(founding(Room::CLASS));
        let mut refused = Vec::new();
        for part in &order {
            refused.extend(peer.receive(parts[*part].clone()).refused);
        }
        assert_eq!(refused.iter().map(|(op, _)| *op).collect::<Vec<_>>(), [by_dan.op.id()], "{order:?}");
        assert_eq!((peer.void(&by_ben), peer.void(&by_cleo)), (None, Some(Voided::ByAuthority)), "{order:?}");
        let stays = [&ben, &cleo, &dan].map(|author| peer.state().members.contains(&author.id()));
        assert_eq!(stays, [true, false, true], "who was removed by Cleo is there, as her removal does not count");
        assert_eq!(messages(&peer), [7]);
    }
}

/// Situation 8. Ben overwrites, adds, removes and inserts in a field of every type, and is removed by who has not seen it: all that
/// he wrote disappears, and what he had overwritten, removed or deleted is back. The removal is undone, and all of his is there again;
/// the states were saved before, and are loaded after.
#[test]
fn what_somebody_wrote_who_is_removed() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let admission = grant(&mut here, &ana, ben.id());
    write(&mut here, &ana, |edit| {
        edit.name.set("garden".into());
        edit.status.set("open".into());
        edit.tags.insert("plants".into());
        edit.kinds.insert("park".into());
        edit.score.add(3);
        edit.messages.append("hello".into());
        edit.pages.at("home".into()).set("welcome".into());
        edit.text.insert(0, "a garden of flowers");
        edit.list.push("beds".into());
        edit.list.push("paths".into());
        edit.order.push("first".into());
        edit.order.push("second".into());
        edit.purse.append(10);
    });
    sync(&mut here, &mut there);
    let before = shown(here.state());
    write(&mut there, &ben, |edit| {
        edit.name.set("ruin".into());
        edit.status.set("closed".into());
        edit.tags.remove(&"plants".to_owned());
        edit.tags.insert("stones".into());
        edit.kinds.insert("ruin".into());
        edit.score.add(-7);
        edit.messages.append("goodbye".into());
        edit.pages.at("home".into()).set("go away".into());
        edit.pages.at("other".into()).set("nothing".into());
        edit.text.delete(0..8);
        edit.text.insert(0, "no garden");
        edit.text.mark(0..2, "bold", Some(true.into()), Expand::End);
        edit.list.remove(0);
        edit.list.set(0, "walls".into());
        edit.list.insert(0, "gates".into());
        edit.order.move_to(0, 1);
        edit.order.push("third".into());
        edit.purse.append(-4);
    });
    let with_ben = shown(there.state());
    assert!(
        with_ben.iter().all(|(field, value)| before[field] != *value || *field == "members"),
        "every field differs"
    );
    there.checkpoint().expect("nothing is being typed");
    let removal = revoke(&mut here, &ana, admission);
    here.checkpoint().expect("nothing is being typed");
    sync(&mut here, &mut there);
    let without = |mut fields: std::collections::BTreeMap<&'static str, String>| {
        fields.remove("members");
        fields
    };
    for document in [&mut here, &mut there] {
        assert_eq!(without(shown(document.state())), without(before.clone()));
        document.reopen().expect("nothing is being typed");
        assert_eq!(without(shown(document.state())), without(before.clone()));
    }
    // Somebody writes on what is there now: it is not lost when Ben's comes back.
    write(&mut here, &ana, |edit| edit.text.insert(19, ", and more"));
    reinstate(&mut here, &ana, removal);
    sync(&mut here, &mut there);
    for document in [&mut here, &mut there] {
        document.checkpoint().expect("nothing is being typed");
        for _ in 0..2 {
            let mut shown = shown(document.state());
            assert_eq!(
                shown.insert("text", with_ben["text"].clone()).as_deref(),
                Some("no garden of flowers, and more")
            );
            assert_eq!(shown, with_ben);
            document.reopen().expect("nothing is being typed");
        }
    }
}
