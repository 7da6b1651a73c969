//! `derive(Replica)`: payloads, what is void, and edits.

use hhs_crdt::{Log, MAX_MUTATIONS, Register, Replica, Set};
use hhs_model::class::{Action, Changes, Draft, EditError, Void};
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, Value, decode, encode};
use hhs_model::op::{Act, Capability};

use crate::harness::{History, Local};
use crate::history::{Room, World, add, bytes, empty, identity, map, payload, remove, text};

/// An op whose payload means nothing is kept, and its payload void as a whole: what it has right does not count either.
#[test]
fn a_payload_that_means_nothing_changes_nothing() {
    let list = |items: Vec<Value>| Value::List(items);
    let payloads = [
        Vec::new(),
        vec![0xff],
        bytes(&Value::Null),
        bytes(&list(vec![])),
        bytes(&map([])),
        bytes(&map([("name", list(vec![]))])),
        bytes(&map([("name", text("not in a list"))])),
        bytes(&map([("name", list(vec![text("right"), Value::Int(1)]))])),
        bytes(&map([("name", list(vec![text("right")])), ("nothing", list(vec![text("known")]))])),
        bytes(&map([("name", list(vec![text("right")])), ("tags", list(vec![map([("take", text("red"))])]))])),
        bytes(&map([("tags", list(vec![map([("add", text("a")), ("more", Value::Null)])]))])),
        bytes(&map([("tags", list(vec![map([("remove", Value::Int(1))])]))])),
        bytes(&map([("members", list(vec![Value::Null]))])),
        [bytes(&map([("name", list(vec![text("right")]))])), vec![0x00]].concat(),
    ];
    let mut world = World::new(1);
    world.edit(0, |room| {
        room.name.set("before".into());
        room.tags.insert("red".into());
    });
    for payload in payloads {
        let mut room = world.replicas[0].clone();
        let before = room.clone();
        let op = world.write(0, Draft { payload: Some(payload.clone()), ..Draft::default() }).clone();
        let void = room.apply(&op).expect_err("the payload means nothing");
        assert!(matches!(void, Void::Payload(_)), "{payload:02x?}");
        assert_eq!(room.state, before.state, "{payload:02x?}");
    }
}

/// A member admits Ben in an op whose payload a newer version of the app wrote. Everybody lets Ben write, with the class or
/// without; so the room shows him, says so to who listens, and shows nothing else of the op.
#[test]
fn a_grant_beside_a_payload_that_means_nothing_counts() {
    let garbage = [vec![0xff], bytes(&map([("name", Value::List(vec![text("right"), Value::Int(1)]))]))];
    for payload in garbage {
        let mut world = World::new(1);
        world.edit(0, |room| room.name.set("before".into()));
        let mut room = world.replicas[0].clone();
        let act = Act::Grant { to: identity(1), can: [Capability::write()].into() };
        let op = world.write(0, Draft { act: Some(act), payload: Some(payload), ..Draft::default() });
        let mut changes = Changes::of(op.id(), identity(0));
        assert!(matches!(room.apply_with(op, &mut changes), Err(Void::Payload(_))));
        assert!(room.state.members.contains(&identity(1)));
        assert_eq!(room.state.name.get().map(String::as_str), Some("before"));
        let changes: Vec<_> = changes.into_vec().into_iter().map(|change| (change.field(), change.action)).collect();
        assert_eq!(changes, [(Some("members"), Action::Granted { to: identity(1) })]);
    }
}

/// Several fields change in one op; the bytes are those of the format page: a canonical map of lists.
#[test]
fn an_op_carries_the_fields_that_it_writes() {
    let mut world = World::new(1);
    world.edit(0, |room| room.tags.insert("old".into()));
    let op = world.edit(0, |room| {
        room.messages.append("hello".into());
        room.tags.remove(&"old".into());
        room.tags.insert("new".into());
        room.name.set("garden".into());
    });
    let expected = payload([
        ("name", vec![text("garden")]),
        ("tags", vec![remove("old"), add("new")]),
        ("messages", vec![text("hello")]),
    ]);
    assert_eq!(op.draft, expected);
}

/// An edit that writes nothing makes no payload.
#[test]
fn an_edit_without_writes_is_empty() {
    let room = Room::new();
    let draft = Room::finish(room.edit()).expect("nothing can be saved");
    assert!(draft.is_empty());
}

/// While an app edits it still reads the state that it started from.
#[test]
fn an_edit_shows_the_state_before_it() {
    let mut world = World::new(1);
    world.edit(0, |room| room.name.set("before".into()));
    let mut edit = world.room(0).edit();
    edit.name.set("after".into());
    assert_eq!(edit.name.get().map(String::as_str), Some("before"));
    assert_eq!(edit.members.len(), 1, "the founder");
}

/// Whatever a value's own class or the bounds do not allow is an error before there is an op.
#[test]
fn what_cannot_be_saved_is_an_error() {
    let room = Numbers::new();
    let mut edit = room.edit();
    edit.ratio.set(f64::NAN);
    assert!(matches!(Numbers::finish(edit), Err(EditError::Encode(EncodeError::Float(_)))));
}

/// An op has a bounded number of mutations: what is written beyond is an error here, and void from a peer.
#[test]
fn an_op_has_a_bounded_number_of_mutations() {
    let room = Room::new();
    let full = || (0..MAX_MUTATIONS).map(|_| text("")).collect::<Vec<_>>();
    let mut edit = room.edit();
    (0..MAX_MUTATIONS).for_each(|_| edit.messages.append(String::new()));
    let draft = Room::finish(edit).expect("as many as may be");
    assert_eq!(draft, payload([("messages", full())]));
    let op = World::new(1).write(0, draft).clone();
    assert_eq!(empty().apply(&op).map(|changes| changes.len()), Ok(MAX_MUTATIONS));

    let mut edit = room.edit();
    (0..MAX_MUTATIONS).for_each(|_| edit.messages.append(String::new()));
    edit.name.set("one more".into());
    assert!(matches!(Room::finish(edit), Err(EditError::Encode(EncodeError::Bound { .. }))));
    let op = World::new(1).write(0, payload([("messages", full()), ("name", vec![text("")])])).clone();
    let void = empty().apply(&op).expect_err("one too many");
    let (count, limit) = (MAX_MUTATIONS + 1, MAX_MUTATIONS);
    assert_eq!(void, Void::Payload(DecodeError::Bound { what: "mutations of an op", count, limit }));
}

/// A class of fields under other names, with raw identifiers, kept private to a module.
#[derive(Replica, Debug, PartialEq)]
#[replica(class = "test/v1/Numbers")]
struct Numbers {
    #[hhs(rename = "a-longer-name")]
    ratio: Register<f64>,
    r#type: Register<Option<String>>,
}

/// A field goes by its other name in payloads and changes alike; a raw identifier goes by its plain name.
#[test]
fn a_field_goes_by_one_name_everywhere() {
    assert_eq!(Numbers::CLASS, "test/v1/Numbers");
    let mut world: History<Numbers> = History::new(1);
    let op = world.edit(0, |numbers| {
        numbers.ratio.set(0.5);
        numbers.r#type.set(None);
    });
    let expected = payload([("type", vec![Value::Null]), ("a-longer-name", vec![Value::Float(0.5)])]);
    assert_eq!(op.draft, expected);

    let mut numbers = Local::<Numbers>::new();
    let changes = numbers.apply(op).expect("it has a meaning");
    let fields: Vec<_> = changes.iter().filter_map(|change| change.field()).collect();
    assert_eq!(fields, ["a-longer-name", "type"]);
    assert_eq!(numbers.state.r#type.get(), Some(&None));
}

/// A class that leaves open what it holds.
#[derive(Replica, Debug, PartialEq)]
#[replica(class = "test/v1/Shelf")]
struct Shelf<T: Ord + Clone, const SIZE: usize = 3> {
    things: Set<T>,
    history: Log<T>,
    size: Register<u64>,
}

/// A generic class works for every type that its fields take.
#[test]
fn a_class_may_be_generic() {
    fn empty<T: Ord + Clone + Encode + Decode + Send + Sync + 'static>() -> Shelf<T, 2> {
        Shelf::new()
    }
    assert!(empty::<u64>().things.is_empty());
    let shelf: Shelf<String> = Shelf::new();
    let mut edit = shelf.edit();
    edit.things.insert("book".into());
    edit.size.set(1);
    assert!(Shelf::finish(edit).expect("it can be saved").payload.is_some());
}

/// A value of a few bytes that takes more than a block when it is written again, as defaults are written, must not hurt
/// those who listen.
#[test]
fn a_value_that_grows_beyond_a_block_does_not_panic() {
    #[derive(Debug, Clone)]
    struct Swollen;
    impl Encode for Swollen {
        fn encode(&self, encoder: &mut Encoder) {
            encoder.bytes(&vec![0; 9 << 20]);
        }
    }
    impl Decode for Swollen {
        fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
            decoder.null().map(|()| Self)
        }
    }
    #[derive(Replica)]
    #[replica(class = "test/v1/Swollen")]
    struct Holder {
        value: Register<Swollen>,
    }
    let op = World::new(1).write(0, payload([("value", vec![Value::Null])])).clone();
    let mut holder = Local::<Holder>::new();
    assert_eq!(holder.apply(&op).map(|changes| changes.len()), Ok(1));
    assert!(holder.state.value.get().is_some());
}

/// The mutations of a set are what the format page says, byte for byte.
#[test]
fn mutations_of_a_set_round_trip() {
    use hhs_crdt::SetMutation;
    let add_red = SetMutation::Add("red".to_owned());
    let remove_red = SetMutation::Remove("red".to_owned());
    for (mutation, value) in [(add_red, add("red")), (remove_red, remove("red"))] {
        let bytes = encode(&mutation).expect("it has a canonical form");
        assert_eq!(decode::<Value>(&bytes), Ok(value));
        assert_eq!(decode(&bytes), Ok(mutation));
    }
}
