//! Geneses, ops and derived ids, by the keys of fixed seeds.

use std::collections::BTreeSet;

use hhs_model::codec::encode;
use hhs_model::op::{Act, Capability, Cut, Genesis, Header, Op, PayloadRef, Roles, Rule};
use hhs_model::{Author, IdentityId, Map, OpId, ReplicaId, Value};
use serde_json::{Value as Json, json};

use super::hex;
use super::identities::author;

pub(super) fn all() -> Vec<Json> {
    let vector = |(name, bytes, id): (&str, Vec<u8>, ReplicaId)| json!({ "kind": "genesis", "name": name, "hex": hex(bytes), "id": id.to_string() });
    let geneses = geneses().into_iter().map(vector);
    geneses.chain(ops().into_iter().map(|(name, op, payload)| op_vector(name, &op, payload.as_deref()))).collect()
}

fn op_vector(name: &str, op: &Op, payload: Option<&[u8]>) -> Json {
    let signer = author(if op.header().author == author(1).id() { 1 } else { 2 });
    let signed = op.signed_message(signer.identity().key);
    let payload_id = op.header().payload.map(|payload| payload.id.to_string());
    json!({
        "kind": "op",
        "name": name,
        "hex": hex(op.bytes()),
        "id": op.id().to_string(),
        "author": op.header().author.to_string(),
        "key": hex(signed.key.as_bytes()),
        "signed": hex(&signed.bound),
        "signature": hex(signed.signature.0),
        "payload": payload.map(hex),
        "payload_id": payload_id,
    })
}

/// Children: all that their ids follow from, their geneses, their ids.
pub(super) fn derived() -> Vec<Json> {
    let (_, _, mut parent) = geneses().remove(0);
    let places = [("guests", "chat/v1/Guests"), ("pages/home", "wiki/v1/Page"), ("水/ü", "wiki/v1/Page")];
    let mut vectors = Vec::new();
    for (path, class) in places {
        let genesis = Genesis::child(parent, path.parse().expect("it is a path"), class);
        let (bytes, id) = genesis.encoded().expect("vectors have canonical bytes");
        let (parent_id, id_text) = (parent.to_string(), id.to_string());
        vectors.push(json!({ "parent": parent_id, "path": path, "class": class, "hex": hex(bytes), "id": id_text }));
        // Each is a child of the one before.
        parent = id;
    }
    vectors
}

pub(crate) fn geneses() -> Vec<(&'static str, Vec<u8>, ReplicaId)> {
    let (ana, ben) = (author(1).id(), author(2).id());
    let roles = [
        (Capability::write(), BTreeSet::from([ana, ben])),
        (Capability::grant(), BTreeSet::from([ana])),
        ("chat/moderate".parse().expect("that is a name"), BTreeSet::from([ben])),
    ];
    let geneses = [
        ("a room of Ana's", Genesis::with_founder("chat/v1/Room", [7; 16], ana)),
        ("a room of two writers", Genesis::with_writers("chat/v1/Room", [8; 16], BTreeSet::from([ana, ben]))),
        ("a room with roles", Genesis::with_roles("chat/v1/Room", [9; 16], roles.into())),
        ("a room that nobody writes in", Genesis::with_writers("x", [0; 16], BTreeSet::new())),
        ("a room with rules", ruled(ana, ben)),
    ];
    let encoded = |(name, genesis): (_, Genesis)| {
        let (bytes, id) = genesis.encoded().expect("vectors have canonical bytes");
        (name, bytes, id)
    };
    geneses.into_iter().map(encoded).collect()
}

/// Rules of every kind.
fn ruled(ana: IdentityId, ben: IdentityId) -> Genesis {
    let other = ReplicaId::of(b"a genesis");
    let (write, grant) = (Capability::write(), Capability::grant());
    let named = Rule::Is(BTreeSet::from([ana, ben]));
    let write_rule = Rule::Any(vec![Rule::Can(write.clone()), Rule::CanIn(write.clone(), other)]);
    let rules = [
        (grant.clone(), Rule::All(vec![Rule::Can(grant), named])),
        (write, write_rule),
        ("read".parse().expect("that is a name"), Rule::always()),
        ("erase".parse().expect("that is a name"), Rule::never()),
    ];
    Genesis::with_rules("chat/v1/Room", [10; 16], Roles::new(), rules.into())
}

/// A small history: Ana's first op, her grant to Ben, an op of his on top, one of both heads, one without payload; then
/// each of the other acts.
pub(crate) fn ops() -> Vec<(&'static str, Op, Option<Vec<u8>>)> {
    let (ana, ben) = (author(1), author(2));
    let (_, _, room) = geneses().remove(0);
    let says = |text: &str| {
        let message: Map = [("text", Value::from(text))].into();
        let payload: Map = [("messages", Value::List(vec![Value::Map(message)]))].into();
        Some(encode(&payload).expect("payloads have canonical bytes"))
    };
    let grant = Act::Grant { to: ben.id(), can: BTreeSet::from([Capability::write()]) };
    let first = sign(&ana, room, &[], &[], None, says("hello").as_deref());
    let granting = sign(&ana, room, &[first.id()], &[], Some(grant), None);
    let answer = sign(&ben, room, &[granting.id()], &[granting.id()], None, says("hello, Ana").as_deref());
    let beside = sign(&ana, room, &[granting.id()], &[], None, says("anybody there?").as_deref());
    let merging = sign(&ben, room, &[answer.id(), beside.id()], &[granting.id()], None, None);
    let cut: Cut =
        [(ReplicaId::of(b"a genesis"), first.id()), (ReplicaId::of(b"another"), answer.id())].into_iter().collect();
    let revoke = Act::Revoke { grants: [granting.id()].into(), cut: cut.clone() };
    let revoking = sign(&ana, room, &[merging.id()], &[], Some(revoke), None);
    let renounce = Act::Renounce { grant: granting.id(), cut: Cut::new() };
    let leaving = sign(&ben, room, &[merging.id()], &[granting.id()], Some(renounce), None);
    let reinstate = Act::Reinstate { of: [revoking.id()].into() };
    let reinstating =
        sign(&ana, room, &[revoking.id(), leaving.id()], &[], Some(reinstate), says("welcome back").as_deref());
    let extend = Act::Extend { of: leaving.id(), cut };
    let extending = sign(&ana, room, &[reinstating.id()], &[], Some(extend), None);
    vec![
        ("first op on the genesis", first, says("hello")),
        ("grant without payload", granting, None),
        ("op by a grant", answer, says("hello, Ana")),
        ("concurrent op", beside, says("anybody there?")),
        ("merge of two heads", merging, None),
        ("revocation with a cut", revoking, None),
        ("renunciation", leaving, None),
        ("reinstatement", reinstating, says("welcome back")),
        ("extension", extending, None),
    ]
}

fn sign(
    author: &Author,
    target: ReplicaId,
    parents: &[OpId],
    grants: &[OpId],
    act: Option<Act>,
    payload: Option<&[u8]>,
) -> Op {
    let mut parents = parents.to_vec();
    parents.sort();
    let header = Header {
        target,
        parents,
        deps: Vec::new(),
        grants: grants.to_vec(),
        act,
        author: author.id(),
        time: 1_700_000_000_000,
        payload: payload.map(PayloadRef::to),
    };
    Op::sign(header, author.signer().as_ref()).expect("it is within bounds, and keys in memory sign")
}
