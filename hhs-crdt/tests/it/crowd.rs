//! One key of a map, one element of a set and one register, which every op of a long history writes to.

use hhs_crdt::{Document, Map, MultiRegister, Register, Replica, Set};
use hhs_model::op::{Founding, Genesis, Header, Op, PayloadRef};
use hhs_model::{IdentityId, OpId, Signature};

#[derive(Replica)]
#[replica(class = "test/v1/Crowd")]
struct Crowd {
    map: Map<u64, Register<u64>>,
    set: Set<u64>,
    values: MultiRegister<u64>,
}

const MANY: u64 = 20_000;

/// A document that has taken in ops with these parents, by their numbers; those with `removes` remove what the others put in.
fn crowd(parents: impl Fn(u64) -> Vec<u64>, removes: impl Fn(u64) -> bool) -> Document<Crowd> {
    let author = IdentityId::of(b"everybody");
    let founding = Founding::root(Genesis::with_founder(Crowd::CLASS, [0; 16], author)).expect("a genesis is small");
    let mut document = Document::<Crowd>::trusting(founding.clone());
    let mut ids: Vec<OpId> = Vec::new();
    let put = write(&Crowd::new(), false);
    document.receive([carried(&founding, author, Vec::new(), 0, put.clone())]);
    let remove = write(document.state(), true);
    let mut document = Document::<Crowd>::trusting(founding.clone());
    for number in 0..MANY {
        let mut parents: Vec<OpId> = parents(number).into_iter().map(|parent| ids[parent as usize]).collect();
        parents.sort_unstable();
        let payload = if removes(number) { &remove } else { &put };
        let carried = carried(&founding, author, parents, number, payload.clone());
        ids.push(carried.op.id());
        assert!(document.receive([carried]).refused.is_empty());
    }
    document
}

fn write(there: &Crowd, removes: bool) -> Vec<u8> {
    let mut edit = there.edit();
    if removes {
        edit.map.remove(&0);
        edit.set.remove(&0);
    } else {
        edit.map.at(0).set(1);
        edit.set.insert(0);
    }
    edit.values.set(removes.into());
    Crowd::finish(edit).expect("it is small").payload.expect("something was written")
}

fn carried(
    founding: &Founding,
    author: IdentityId,
    parents: Vec<OpId>,
    time: u64,
    payload: Vec<u8>,
) -> hhs_crdt::Carried {
    let payload_ref = Some(PayloadRef::to(&payload));
    let (deps, grants, act) = (Vec::new(), Vec::new(), None);
    let header = Header { target: founding.id(), parents, deps, grants, act, author, time, payload: payload_ref };
    hhs_crdt::Carried {
        op: Op::with_signature(header, Signature([0; 64])).expect("a header within the bounds"),
        payload: Some(payload),
    }
}

/// Twenty thousand devices write the same key without having seen each other, and every second one removes it: nothing that they have
/// not seen goes, and it is done long before anybody would wait for it, which work for every pair of them would not be.
#[test]
fn a_fan_on_one_key() {
    let document = crowd(|_| Vec::new(), |number| number % 2 == 1);
    let state = document.state();
    assert!(state.map.contains_key(&0) && state.set.contains(&0));
    assert_eq!(state.values.get_all().count() as u64, MANY);
}

/// One who has seen all of them removes the key, and settles the conflict.
#[test]
fn a_fan_that_is_settled() {
    let last = MANY - 1;
    let document = crowd(
        |number| if number == last { (0..last).rev().take(64).collect() } else { Vec::new() },
        |number| number == last,
    );
    let (left, state) = (MANY - 65, document.state());
    assert!(state.map.contains_key(&0) && state.set.contains(&0), "it has seen 64 of them");
    assert_eq!(state.values.get_all().count() as u64, left + 1);
}

/// One after the other puts the key in and takes it out: it is what the last one says.
#[test]
fn a_chain_on_one_key() {
    let document = crowd(|number| number.checked_sub(1).into_iter().collect(), |number| number % 2 == 1);
    let state = document.state();
    assert!(!state.map.contains_key(&0) && !state.set.contains(&0));
    assert_eq!(state.values.get_all().collect::<Vec<_>>(), [&1]);
}
