//! The seeds of the fuzz targets: good and bad bytes of every kind, small, some of them as deep as may be.

use data_encoding::HEXLOWER;
use hhs_model::codec::encode;
use hhs_model::{BigInt, Bytes, Cid, Value};
use serde_json::Value as Json;

use super::files::identities::author;
use super::files::{self, values};

/// The fuzz target, the name of the file, its bytes.
pub(crate) fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| {
        if bytes.len() <= 4096 {
            let name: String =
                name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
            seeds.push((target, name, bytes));
        }
    };
    for (file, text) in files::all() {
        let json: Json = serde_json::from_str(&text).expect("the files are JSON");
        for (index, vector) in json["vectors"].as_array().into_iter().flatten().enumerate() {
            let name = vector["name"].as_str().map_or_else(|| format!("{index}"), str::to_owned);
            let bytes = |key: &str| vector[key].as_str().and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
            let Some(hex) = bytes("hex") else { continue };
            match (file, vector["kind"].as_str()) {
                ("values.json", _) if !vector["big_integer"].is_null() => add("big_integer", &name, hex),
                ("values.json" | "refused.json", _) => add("value", &name, hex),
                ("identities.json", _) => add("identity", &name, hex),
                ("ops.json", Some("genesis")) => add("genesis", &name, hex),
                ("ops.json", _) => {
                    add("header", &name, hex);
                    bytes("payload")
                        .into_iter()
                        .for_each(|payload| add("value", &format!("payload of {name}"), payload));
                }
                ("derived.json", _) => add("genesis", &format!("child {index}"), hex),
                _ => {}
            }
            if let Some(id) = vector["id"].as_str().filter(|_| file == "ops.json") {
                add("cid", &name, id.as_bytes().to_vec());
            }
        }
    }
    for (target, name, value) in typed().into_iter().chain(acts()).chain(links()).chain(messages()) {
        add(target, name, encode(&value).expect("seeds have canonical bytes"));
    }
    add("value", "maps, 64 deep", [&b"\xa1\x60".repeat(63)[..], b"\xa0"].concat());
    add("cid", "no prefix", b"afyreigq4zsipbk5w3uqkbmh2w2633c5tcfxgspbg63h3mk5vgrdmxwgnm".to_vec());
    add("cid", "upper case", b"BAFYREIGQ4ZSIPBK5W3UQKBMH2W2633C5TCFXGSPBG63H3MK5VGRDMXWGNM".to_vec());
    seeds
}

/// A seed before it is encoded: its target, its name, its value.
type Seed = (&'static str, &'static str, Value);

/// Values of the type that the target `typed` reads.
fn typed() -> Vec<Seed> {
    let full = |children: Vec<Value>| {
        let more = map([("x", Value::from(1)), ("yy", Value::from(2))]);
        let count = Value::of(&(BigInt::from(1) << 70_u32)).expect("it is within bounds");
        map([
            ("$", Value::from("fuzz/v1/Everything")),
            ("note", Value::from("a note")),
            ("tags", Value::from(vec!["b", "aa"])),
            ("more", more),
            ("mood", map([("Because", Value::from(vec!["rain", "again"]))])),
            ("pair", Value::List(vec![Value::from(-1), Value::from(0.5)])),
            ("count", count),
            ("children", Value::List(children)),
            ("unknown", Value::Null),
        ])
    };
    let deep = (0..20).fold(full(vec![]), |inner, _| full(vec![inner]));
    let siblings = full(vec![full(vec![]), full(vec![])]);
    vec![("typed", "everything", full(vec![])), ("typed", "two children", siblings), ("typed", "deep", deep)]
}

fn acts() -> Vec<Seed> {
    let to = Value::from(author(2).id().cid());
    let grant = |can: Vec<&str>| map([("grant", map([("to", to.clone()), ("can", Value::from(can))]))]);
    let op = |seed: u8| Value::from(Cid::of_object(&[seed]));
    let cut =
        || Value::List(vec![Value::List(vec![Value::from(Cid::of_object(b"replica")), Value::List(vec![op(1)])])]);
    let act = |name, entries: Vec<(&'static str, Value)>| map([(name, map(entries))]);
    vec![
        ("act", "grant", grant(vec!["grant", "write"])),
        ("act", "grant of nothing", grant(vec![])),
        ("act", "revoke", act("revoke", vec![("cut", cut()), ("grants", Value::List(vec![op(2)]))])),
        ("act", "revoke without a cut", act("revoke", vec![("grants", Value::List(vec![op(2)]))])),
        ("act", "renounce", act("renounce", vec![("cut", Value::List(vec![])), ("grant", op(2))])),
        ("act", "reinstate", act("reinstate", vec![("of", Value::List(vec![op(3)]))])),
        ("act", "extend", act("extend", vec![("of", op(3)), ("cut", cut())])),
    ]
}

fn links() -> Vec<Seed> {
    let link = || Value::from(Cid::of_object(b"somewhere"));
    let deep = (0..60).fold(link(), |inner, _| map([("a/b~c", inner)]));
    vec![
        ("links", "one", link()),
        ("links", "in an object", values::object()),
        ("links", "deep", deep),
        ("links", "in lists", Value::List(vec![link(), Value::List(vec![Value::Null, link()]), map([("", link())])])),
    ]
}

/// Messages of the mesh, by hand: this crate does not know them.
fn messages() -> Vec<Seed> {
    let replica = || Value::from(Cid::of_object(b"replica"));
    let ids = |count: u8| (0..count).map(|n| Value::from(Cid::of_object(&[n]))).collect::<Value>();
    let bytes = |length| Value::from(Bytes(vec![0xa0; length]));
    let say = |layer, kind, content| map([(layer, map([(kind, map(content))]))]);
    let hello = map([
        ("listen", Value::from(vec!["quic://127.0.0.1:4000"])),
        ("version", Value::from(1)),
        ("identity", bytes(40)),
        ("instance", bytes(16)),
    ]);
    let op = map([("h", bytes(200)), ("p", bytes(3))]);
    let batch = [
        ("request", Value::from(1)),
        ("total", Value::from(2)),
        ("identities", Value::List(vec![bytes(60)])),
        ("ops", Value::List(vec![op, map([("h", bytes(20))])])),
        ("last", Value::from(true)),
    ];
    let want = [
        ("request", Value::from(1)),
        ("replica", replica()),
        ("heads", ids(2)),
        ("have", ids(30)),
        ("list", Value::from(64)),
        ("below", Value::from(Cid::of_object(b"below"))),
        ("genesis", Value::from(true)),
    ];
    let heads = [("replica", replica()), ("heads", ids(3)), ("ops", Value::from(1000))];
    let listed = [("request", Value::from(1)), ("unknown", ids(1)), ("ids", ids(50)), ("all", Value::from(false))];
    let peers = [("replica", replica()), ("addresses", Value::from(vec!["quic://a:1/b", ""]))];
    vec![
        ("message", "hello", map([("Hello", hello)])),
        ("message", "peers", say("Group", "Peers", peers.into())),
        ("message", "heads", say("Gossip", "Heads", heads.into())),
        ("message", "open", say("Gossip", "Open", vec![("replica", replica())])),
        ("message", "want", say("Delta", "Want", want.into())),
        ("message", "listed", say("Delta", "Listed", listed.into())),
        ("message", "batch", say("Delta", "Batch", batch.into())),
        ("message", "more", say("Delta", "More", vec![("request", Value::from(7))])),
        ("message", "join", say("Admission", "Join", vec![("replica", replica()), ("secret", bytes(32))])),
    ]
}

fn map(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}
