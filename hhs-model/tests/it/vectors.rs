//! The golden vectors in `vectors/`: checked with our code and with `serde_ipld_dagcbor`.
//!
//! `vectors/oracle.mjs` checks the same files with JavaScript's implementation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use hhs_model::authority::{Authority, Seen, Standing};
use hhs_model::codec::{DecodeError, decode, encode};
use hhs_model::history::Graph;
use hhs_model::identity::{Signature, SignedMessage, verify, verify_batch};
use hhs_model::op::{Act, Cut, FieldPath, Founding, Genesis, Op};
use hhs_model::{BigInt, Identity, ObjectId, OpId, PayloadId, PublicKey, ReplicaId, Value};
use ipld_core::cid::Cid as OracleCid;
use ipld_core::ipld::Ipld;
use serde_json::Value as Json;

#[path = "../../examples/vectors/files.rs"]
mod files;

use files::signatures::DOMAINS;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors"))
}

fn vectors(file: &str) -> Vec<Json> {
    let text = fs::read_to_string(folder().join(file)).expect("the file of vectors is there");
    let json: Json = serde_json::from_str(&text).expect("the file of vectors is JSON");
    let vectors = json["vectors"].as_array().expect("a list of vectors").clone();
    assert!(!vectors.is_empty(), "{file}");
    vectors
}

fn text<'a>(vector: &'a Json, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("{vector} has a text {key}"))
}

fn bytes(vector: &Json, key: &str) -> Vec<u8> {
    HEXLOWER.decode(text(vector, key).as_bytes()).expect("hexadecimal digits")
}

fn array<const N: usize>(vector: &Json, key: &str) -> [u8; N] {
    bytes(vector, key).try_into().expect("the right number of bytes")
}

/// The value that stands in a file in its typed form.
fn untyped(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::from(*value),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(untyped).collect(),
        Json::Number(_) => panic!("numbers say of what kind they are"),
        Json::Object(object) => {
            let (kind, content) = object.iter().next().expect("one entry");
            match (kind.as_str(), content) {
                ("map", Json::Array(entries)) => {
                    let entries = entries.iter().map(|entry| (entry[0].as_str().expect("a key"), untyped(&entry[1])));
                    Value::Map(entries.collect())
                }
                ("int", Json::String(digits)) => Value::Int(digits.parse().expect("an integer")),
                ("float", Json::String(digits)) => Value::from(digits.parse::<f64>().expect("a float")),
                ("bytes", Json::String(hex)) => {
                    Value::Bytes(HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal digits").into())
                }
                ("link", Json::String(cid)) => Value::from(cid.parse::<hhs_model::Cid>().expect("a CID")),
                _ => panic!("{kind} is no kind of value"),
            }
        }
    }
}

/// The id as another implementation of CIDs has it.
fn oracle_id(bytes: &[u8]) -> String {
    let cid = [&[0x01, 0x71, 0x12, 0x20][..], &hhs_model::Hash::of(bytes).0].concat();
    OracleCid::try_from(&cid[..]).expect("it is a CID").to_string()
}

/// What the generator writes is what the files hold: a change of the format does not go unseen, nor a stale file.
#[test]
fn the_files_are_what_the_generator_writes() {
    for (name, text) in files::all() {
        let held = fs::read_to_string(folder().join(name)).expect("the file of vectors is there");
        assert!(held == text, "{name} differs from what `cargo run -p hhs-model --example vectors -- vectors/` writes");
    }
}

/// Every value has these bytes and this id, here and elsewhere.
#[test]
fn values() {
    for vector in vectors("values.json") {
        let (hex, value) = (bytes(&vector, "hex"), untyped(&vector["value"]));
        assert_eq!(encode(&value).unwrap(), hex, "{vector}");
        assert_eq!(decode::<Value>(&hex).unwrap(), value, "{vector}");
        assert_eq!(ObjectId::of(&hex).to_string(), text(&vector, "id"));

        let ipld: Ipld = serde_ipld_dagcbor::from_slice(&hex).unwrap();
        assert_eq!(serde_ipld_dagcbor::to_vec(&ipld).unwrap(), hex, "{vector}");
        assert_eq!(oracle_id(&hex), text(&vector, "id"));
        if let Some(decimal) = vector["big_integer"].as_str() {
            let integer: BigInt = decode(&hex).unwrap();
            assert_eq!(integer.to_string(), decimal);
            assert_eq!(encode(&integer).unwrap(), hex, "{vector}");
        }
    }
}

/// What is refused is refused for the reason that is listed; every reason that bytes of any type can have is there.
#[test]
fn refused_bytes() {
    let mut reasons = BTreeSet::new();
    for vector in vectors("refused.json") {
        let hex = bytes(&vector, "hex");
        let reason = files::refused::reason(&decode::<Value>(&hex).unwrap_err());
        assert_eq!(reason, text(&vector, "reason"), "{vector}");
        reasons.insert(reason);
        let elsewhere = serde_ipld_dagcbor::from_slice::<Ipld>(&hex).is_err();
        assert_eq!(vector["refused_by"]["serde_ipld_dagcbor"], elsewhere, "{vector}");
        assert!(vector["refused_by"]["@ipld/dag-cbor"].is_boolean(), "{vector}");
    }
    let all = [
        "Float",
        "Indefinite",
        "Integer",
        "KeyKind",
        "KeyOrder",
        "Link",
        "NotShortest",
        "Simple",
        "Tag",
        "TooDeep",
        "Trailing",
        "Truncated",
        "Utf8",
    ];
    assert_eq!(reasons, all.map(str::to_owned).into());
}

/// The key of an identity, its information and its id.
#[test]
fn identities() {
    for vector in vectors("identities.json") {
        let hex = bytes(&vector, "hex");
        let identity = Identity::from_bytes(&hex).unwrap();
        assert_eq!(HEXLOWER.encode(identity.key.as_bytes()), text(&vector, "key"));
        assert_eq!(Value::of(&identity.info).unwrap(), untyped(&vector["info"]));
        let (again, id) = identity.encoded().unwrap();
        assert_eq!((again, id.to_string()), (hex.clone(), text(&vector, "id").to_owned()));
        assert_eq!(oracle_id(&hex), text(&vector, "id"));
    }
}

/// Every signature has the verdict that is listed: alone, in a batch of itself, beside one that holds.
#[test]
fn signatures() {
    let honest = signed(&vectors("signatures.json")[0]).expect("the first one has a key").0;
    for vector in vectors("signatures.json") {
        let expected = text(&vector, "expected");
        let Some((item, single)) = signed(&vector) else {
            assert_eq!(expected, "no key", "{vector}");
            continue;
        };
        assert_eq!(if single { "valid" } else { "invalid" }, expected, "{vector}");
        for copies in 1..=3 {
            let mut batch = vec![item.clone(); copies];
            assert_eq!(verify_batch(&batch).is_ok(), single, "{vector}");
            batch.insert(0, honest.clone());
            assert_eq!(verify_batch(&batch), if single { Ok(()) } else { Err(1) }, "{vector}");
        }
    }
}

/// The signature, and whether it holds when it is checked alone; none if the key is refused.
fn signed(vector: &Json) -> Option<(SignedMessage, bool)> {
    let key = PublicKey::from_bytes(&array(vector, "key")).ok()?;
    let named = text(vector, "domain");
    let (_, domain) = DOMAINS.into_iter().find(|(name, _)| *name == named).expect("one of the domains of vectors");
    let (message, signature) = (bytes(vector, "message"), Signature(array(vector, "signature")));
    let single = verify(&key, domain, &message, &signature).is_ok();
    Some((SignedMessage { key, bound: domain.bind(&message), signature }, single))
}

/// Geneses and ops: their ids, what is signed, by whom, and their payloads.
#[test]
fn geneses_and_ops() {
    let keys: Vec<Identity> =
        vectors("identities.json").iter().map(|vector| Identity::from_bytes(&bytes(vector, "hex")).unwrap()).collect();
    for vector in vectors("ops.json") {
        let hex = bytes(&vector, "hex");
        assert_eq!(oracle_id(&hex), text(&vector, "id"));
        if text(&vector, "kind") == "genesis" {
            let (again, id) = decode::<Genesis>(&hex).unwrap().encoded().unwrap();
            assert_eq!((again, id.to_string()), (hex, text(&vector, "id").to_owned()));
            continue;
        }
        let op = Op::from_bytes(&hex).unwrap();
        assert_eq!(op.id(), text(&vector, "id").parse::<OpId>().unwrap());
        assert_eq!(op.header().author.to_string(), text(&vector, "author"));
        let author =
            keys.iter().find(|identity| identity.encoded().unwrap().1 == op.header().author).expect("an author");
        let signed = op.signed_message(author.key);
        assert_eq!(HEXLOWER.encode(author.key.as_bytes()), text(&vector, "key"));
        assert_eq!(HEXLOWER.encode(&signed.bound), text(&vector, "signed"));
        assert_eq!(HEXLOWER.encode(&signed.signature.0), text(&vector, "signature"));
        assert_eq!(verify_batch(&[signed]), Ok(()), "{vector}");
        let payload = vector["payload"].as_str().map(|_| bytes(&vector, "payload"));
        assert!(op.is_payload(payload.as_deref()), "{vector}");
        let payload_id = payload.map(|payload| PayloadId::of(&payload).to_string());
        assert_eq!(vector["payload_id"].as_str(), payload_id.as_deref());
    }
}

/// Verdicts, by the incremental evaluator, with all acts added in the order in which they stand in the file.
#[test]
fn authority() {
    let keys: Vec<Identity> =
        vectors("identities.json").iter().map(|vector| Identity::from_bytes(&bytes(vector, "hex")).unwrap()).collect();
    let mut void = 0;
    for vector in vectors("authority.json") {
        let list = |key: &str| vector[key].as_array().expect("a list").clone();
        let genesis =
            |hex: &Json| HEXLOWER.decode(hex.as_str().expect("a text").as_bytes()).expect("hexadecimal digits");
        let foundings: Vec<Founding> =
            list("geneses").iter().map(|hex| Founding::root(decode(&genesis(hex)).unwrap()).unwrap()).collect();
        let ops: Vec<Op> = list("ops").iter().map(|op| Op::from_bytes(&bytes(op, "hex")).unwrap()).collect();
        for (op, entry) in ops.iter().zip(list("ops")) {
            assert_eq!(op.id(), text(&entry, "id").parse::<OpId>().unwrap());
            let is_author = |identity: &&Identity| identity.encoded().unwrap().1 == op.header().author;
            let author = keys.iter().find(is_author).expect("an author");
            assert_eq!(verify_batch(&[op.signed_message(author.key)]), Ok(()), "{vector}");
        }
        let peer = Peer::new(&foundings, &ops);
        for (op, entry) in ops.iter().zip(list("ops")) {
            let verdict = if peer.is_void(op) { "void" } else { "effective" };
            assert_eq!(verdict, text(&entry, "verdict"), "{} in {}", op.id(), vector["name"]);
            void += usize::from(verdict == "void");
        }
    }
    assert!(void > 5, "the files are not about nothing");
}

/// All replicas of a history of authority, each with its own evaluator.
struct Peer {
    replicas: BTreeMap<ReplicaId, (Authority, Graph)>,
    places: BTreeMap<OpId, (u64, Seen)>,
}

impl Peer {
    fn new(foundings: &[Founding], ops: &[Op]) -> Self {
        let authority = |founding: &Founding| Authority::with_sources(founding.clone(), foundings.to_vec());
        let replicas = foundings.iter().map(|founding| (founding.id(), (authority(founding), Graph::new()))).collect();
        let mut peer = Self { replicas, places: BTreeMap::new() };
        ops.iter().for_each(|op| peer.take(op));
        for op in ops {
            for (replica, heads) in op.header().act.iter().filter_map(Act::cut).flat_map(Cut::iter) {
                let graph = &peer.replicas[replica].1;
                let heads: Vec<u64> = heads.iter().map(|head| peer.places[head].0).collect();
                let kept = graph.difference(&heads, &[]).0;
                for (authority, _) in peer.replicas.values_mut() {
                    authority.keep(&op.id(), *replica, kept.clone());
                }
            }
        }
        peer
    }

    fn take(&mut self, op: &Op) {
        let header = op.header();
        let (authority, graph) = self.replicas.get_mut(&header.target).unwrap();
        let dependencies = header.deps.iter().map(|dep| authority.dependency(dep).expect("it came before"));
        let seen: Vec<Seen> =
            header.parents.iter().map(|parent| self.places[parent].1.clone()).chain(dependencies).collect();
        let seen = authority.join(&seen);
        authority.judge(header, &seen).expect("nothing here is refused");
        let parents: Vec<u64> = header.parents.iter().map(|parent| self.places[parent].0).collect();
        let position = graph.push(&parents);
        let (height, unseen) = (graph.height(position), graph.unseen(position));
        let added = authority.add(op, position, height, seen.clone(), || unseen.clone());
        self.places.insert(op.id(), (position, added.seen));
        for (id, (authority, _)) in &mut self.replicas {
            if *id != header.target {
                authority.add_source(header.target, op, position, height, &seen, || unseen.clone());
            }
        }
    }

    fn is_void(&self, op: &Op) -> bool {
        let act = op.header().act.is_some().then(|| op.id());
        let standing = Standing { grants: &op.header().grants, position: self.places[&op.id()].0, act };
        self.replicas[&op.header().target].0.verdict(standing).is_void()
    }
}

/// The id of a child follows from what everybody knows who knows its parent.
#[test]
fn derived_ids() {
    for vector in vectors("derived.json") {
        let parent: ReplicaId = text(&vector, "parent").parse().unwrap();
        let path: FieldPath = text(&vector, "path").parse().unwrap();
        let child = ReplicaId::child(parent, &path, text(&vector, "class")).unwrap();
        assert_eq!(child.to_string(), text(&vector, "id"));
        assert_eq!(oracle_id(&bytes(&vector, "hex")), text(&vector, "id"));
        let genesis = Genesis::child(parent, path, text(&vector, "class"));
        assert_eq!(decode::<Genesis>(&bytes(&vector, "hex")).unwrap(), genesis);
    }
}

/// A reason of another kind would be listed under the name of its variant.
#[test]
fn reasons_are_named_as_errors_are() {
    assert_eq!(files::refused::reason(&DecodeError::TooManyLinks), "TooManyLinks");
    assert_eq!(files::refused::reason(&DecodeError::KeyOrder(3)), "KeyOrder");
}
