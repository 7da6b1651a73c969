//! Nested objects: saved once each, read lazily or all together.

use std::collections::BTreeMap;

use hhs_model::bounds::{MAX_NESTED_BLOCKS, MAX_NESTED_BYTES, MAX_NESTED_LEVELS};
use hhs_model::codec::{DecodeError, EncodeError, encode};
use hhs_model::object::{self, Block, LoadError, Loading, Nested, load_deep, to_blocks};
use hhs_model::{Bytes, Link, Object, ObjectId, Value};

#[derive(Object, Debug, PartialEq)]
#[object(class = "album/v1/Photo", validate = Photo::check)]
struct Photo {
    title: String,
    pixels: Bytes,
}

impl Photo {
    fn new(title: &str) -> Self {
        Self { title: title.into(), pixels: Bytes::default() }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.title.is_empty() { Err("a photo has a title") } else { Ok(()) }
    }
}

#[derive(Object, Debug, PartialEq)]
#[object(class = "album/v1/Album")]
struct Album {
    cover: Option<Nested<Photo>>,
    photos: Vec<Nested<Photo>>,
    by: Option<Link<Photo>>,
}

/// Anything that has more of itself inside.
#[derive(Object, Debug, PartialEq)]
#[object(class = "tree/v1/Node")]
struct Node {
    number: u64,
    below: Vec<Nested<Node>>,
    inline: Option<Box<Inline>>,
}

#[derive(hhs_model::Encode, hhs_model::Decode, Debug, PartialEq)]
struct Inline {
    next: Option<Box<Inline>>,
    end: Option<Nested<Node>>,
}

fn node(number: u64, below: Vec<Nested<Node>>) -> Node {
    Node { number, below, inline: None }
}

fn nested(number: u64, below: Vec<Nested<Node>>) -> Nested<Node> {
    Nested::new(node(number, below)).unwrap()
}

fn stored(blocks: Vec<Block>) -> BTreeMap<ObjectId, Vec<u8>> {
    blocks.into_iter().map(|block| (block.id, block.bytes)).collect()
}

fn ids(blocks: &[Block]) -> Vec<ObjectId> {
    blocks.iter().map(|block| block.id).collect()
}

/// An album shows one photo twice, and another one. Each is saved once, before the album, in which there are links.
#[test]
fn nested_objects_are_saved_once() {
    let (sea, hill) = (Nested::new(Photo::new("sea")).unwrap(), Nested::new(Photo::new("hill")).unwrap());
    // Made twice, it is the same photo.
    let again = Nested::new(Photo::new("sea")).unwrap();
    assert_eq!(sea, again);
    let album = Album { cover: Some(again), photos: vec![sea.clone(), hill.clone()], by: Some(hill.link()) };
    let blocks = to_blocks(&album).unwrap();
    assert_eq!(ids(&blocks), [sea.id(), hill.id(), object::id(&album).unwrap()]);
    assert!(blocks.iter().all(|block| block.id == ObjectId::of(&block.bytes)));
    assert_eq!(blocks[2].bytes, object::to_bytes(&album).unwrap());
    let link = |nested: &Nested<Photo>| Value::from(nested.id().cid());
    let plain = [
        ("$", Value::from("album/v1/Album")),
        ("by", link(&hill)),
        ("cover", link(&sea)),
        ("photos", Value::List(vec![link(&sea), link(&hill)])),
    ];
    assert_eq!(Value::of(&album).unwrap(), Value::Map(plain.into()));
}

/// A list of albums is shown by their titles; photos are read when somebody looks at them.
#[test]
fn nested_objects_are_read_when_wanted() {
    let photo = Nested::new(Photo::new("sea")).unwrap();
    assert_eq!(photo.get(), Some(&Photo::new("sea")));
    let album = Album { cover: Some(photo.clone()), photos: vec![], by: None };
    let blocks = stored(to_blocks(&album).unwrap());
    let read: Album = object::from_bytes(&blocks[&object::id(&album).unwrap()]).unwrap();
    assert_eq!(read, album);
    let cover = read.cover.as_ref().unwrap();
    assert_eq!(cover.get(), None);
    assert_eq!(cover.read(&blocks[&cover.id()]), Ok(Photo::new("sea")));
    assert!(format!("{cover:?} {photo:?}").contains("not loaded"));
    // What is not loaded has not changed, and is not saved again.
    assert_eq!(to_blocks(&read).unwrap().len(), 1);

    let other = object::to_bytes(&Photo::new("hill")).unwrap();
    let wrong = LoadError::WrongId { expected: cover.id(), found: ObjectId::of(&other) };
    assert_eq!(cover.read(&other), Err(wrong.clone()));
    assert_eq!(cover.link().read(&other), Err(wrong));
}

/// An album is read with all of it, and saved elsewhere: nothing is lost, and equal parts are the same in memory.
#[test]
fn nested_objects_are_read_all_together() {
    let leaf = nested(0, vec![]);
    let tree = node(3, vec![nested(1, vec![leaf.clone()]), nested(2, vec![leaf.clone(), leaf])]);
    let blocks = to_blocks(&tree).unwrap();
    assert_eq!(blocks.len(), 4);
    let read: Node = load_deep(blocks[3].id, &stored(blocks.clone())).unwrap();
    let below = |at: usize| read.below[at].get().unwrap();
    assert_eq!((below(0).number, below(1).number, below(1).below.len()), (1, 2, 2));
    let leaves = [&below(0).below[0], &below(1).below[0], &below(1).below[1]].map(|leaf| leaf.get().unwrap());
    assert!(leaves.iter().all(|leaf| std::ptr::eq(*leaf, leaves[0])));
    assert_eq!(to_blocks(&read).unwrap(), blocks);
    // What was read can become a part of something else.
    assert_eq!(to_blocks(&node(4, vec![Nested::new(read).unwrap()])).unwrap().len(), 5);
}

/// Half an album has come. What is missing is said, all of it, so that it can be fetched at once.
#[test]
fn missing_objects_are_named() {
    let photos: Vec<_> = (0..12).map(|number| Nested::new(Photo::new(&format!("{number}"))).unwrap()).collect();
    let album = Album { cover: None, photos: photos.clone(), by: None };
    let blocks = to_blocks(&album).unwrap();
    let id = blocks[12].id;
    let mut there = stored(blocks);
    assert_eq!(load_deep::<Album>(ObjectId::of(b""), &there), Err(LoadError::Missing(vec![ObjectId::of(b"")])));
    let mut gone: Vec<ObjectId> = photos[2..].iter().map(Nested::id).collect();
    gone.sort();
    gone.iter().for_each(|id| drop(there.remove(id)));
    let error = load_deep::<Album>(id, &there).unwrap_err();
    assert_eq!(error, LoadError::Missing(gone.clone()));
    let text = error.to_string();
    assert!(text.contains(&gone[0].to_string()) && text.ends_with("and 2 more") && text.len() < 1000, "{text}");
}

/// What a peer sent is another object, one of another class, or one that its class refuses: each is said of which it is.
#[test]
fn wrong_objects_are_named() {
    let sea = Nested::new(Photo::new("sea")).unwrap();
    let album = Album { cover: Some(sea.clone()), photos: vec![], by: None };
    let blocks = to_blocks(&album).unwrap();
    let id = blocks[1].id;
    let mut there = stored(blocks);
    let hill = object::to_bytes(&Photo::new("hill")).unwrap();
    let found = ObjectId::of(&hill);
    there.insert(sea.id(), hill);
    assert_eq!(load_deep::<Album>(id, &there), Err(LoadError::WrongId { expected: sea.id(), found }));

    for (class, title, error) in [
        ("album/v1/Photo", "", DecodeError::Validation("a photo has a title".into())),
        ("tree/v1/Node", "x", DecodeError::Class { expected: "album/v1/Photo", found: "tree/v1/Node".into() }),
    ] {
        let wrong = [("$", class.into()), ("title", title.into()), ("pixels", Bytes::default().into())];
        let wrong = encode(&Value::Map(wrong.into())).unwrap();
        let nested = ObjectId::of(&wrong);
        let album = [("$", "album/v1/Album".into()), ("cover", nested.cid().into()), ("photos", Value::List(vec![]))];
        let album = encode(&Value::Map(album.into())).unwrap();
        let id = ObjectId::of(&album);
        let there = BTreeMap::from([(nested, wrong), (id, album)]);
        assert_eq!(load_deep::<Album>(id, &there), Err(LoadError::Object { id: nested, error }));
    }
}

#[derive(Object, Debug)]
#[object(class = "pair/v1/Pair")]
struct Pair {
    photo: Nested<Photo>,
    value: Nested<Anything>,
}

/// Reads a photo too: what it does not know it does not keep.
#[derive(Object, Debug)]
#[object(class = "album/v1/Photo")]
struct Anything {
    title: String,
}

/// One object is nested as two types, and one type names itself inside: each is what it was asked for as.
#[test]
fn one_object_as_two_types() {
    let photo = Nested::new(Photo::new("sea")).unwrap();
    let pair = Pair { value: Nested::from_id(photo.id()), photo };
    let blocks = to_blocks(&pair).unwrap();
    let read: Pair = load_deep(blocks[1].id, &stored(blocks)).unwrap();
    assert_eq!(read.photo.get().unwrap().title, read.value.get().unwrap().title);
}

/// A store far away answers one request at a time, in any order, with things that nobody wants in between.
#[test]
fn loading_takes_what_comes() {
    let leaves: Vec<_> = (0..5).map(|number| nested(number, vec![])).collect();
    let blocks = to_blocks(&node(9, vec![nested(8, leaves.clone()), leaves[0].clone()])).unwrap();
    let root = blocks.last().unwrap().id;
    let mut loading = Loading::<Node>::new(root);
    loading.supply(ObjectId::of(b"other"), b"other").unwrap();
    assert_eq!(loading.wanted().collect::<Vec<_>>(), [root]);
    let mut rounds = 0;
    while let Some(id) = loading.wanted().last() {
        let block = blocks.iter().find(|block| block.id == id).unwrap();
        loading.supply(id, &block.bytes).unwrap();
        loading.supply(id, &block.bytes).unwrap();
        rounds += 1;
    }
    assert_eq!(rounds, blocks.len());
    assert_eq!(to_blocks(&loading.finish().unwrap()).unwrap().len(), blocks.len());
    let empty = Loading::<Node>::new(root);
    assert!(format!("{empty:?}").starts_with("Loading"));
    assert_eq!(empty.finish().unwrap_err(), LoadError::Missing(vec![root]));
}

/// A diamond on a diamond, as many levels as there may be: 2⁶³ ways lead down, and each object is looked at once, when it
/// is saved and when it is read. The test would not end otherwise.
#[test]
fn shared_parts_are_visited_once() {
    let mut top = nested(0, vec![]);
    for number in 1..MAX_NESTED_LEVELS as u64 {
        top = nested(number, vec![top.clone(), top]);
    }
    let blocks = to_blocks(&node(99, vec![top.clone(), top.clone()])).unwrap();
    assert_eq!(blocks.len(), MAX_NESTED_LEVELS + 1);
    let read: Node = load_deep(blocks.last().unwrap().id, &stored(blocks.clone())).unwrap();
    assert_eq!(to_blocks(&read).unwrap(), blocks);

    let (what, count, limit) = ("levels of objects nested in each other", MAX_NESTED_LEVELS + 1, MAX_NESTED_LEVELS);
    assert_eq!(Nested::new(node(99, vec![top])).unwrap_err(), EncodeError::Bound { what, count, limit });
}

/// The blocks of a chain whose objects know each other by id only, from the outermost one.
fn chain(length: u64) -> (ObjectId, BTreeMap<ObjectId, Vec<u8>>) {
    let (mut blocks, mut last) = (BTreeMap::new(), Vec::new());
    for number in 0..length {
        let bytes = object::to_bytes(&node(number, last)).unwrap();
        let id = ObjectId::of(&bytes);
        last = vec![Nested::from_id(id)];
        blocks.insert(id, bytes);
    }
    (last[0].id(), blocks)
}

/// A peer sends a chain of nested objects that goes on and on. It is given up after the levels there may be, also where
/// a short way leads to most of it.
#[test]
fn chains_that_are_too_long() {
    let levels = MAX_NESTED_LEVELS as u64;
    let (top, blocks) = chain(levels + 1);
    assert!(load_deep::<Node>(top, &blocks).is_ok());
    for length in [levels + 2, 2000] {
        let (top, blocks) = chain(length);
        assert!(matches!(load_deep::<Node>(top, &blocks), Err(LoadError::Bound { .. })), "{length}");
    }
    // All of the chain nested in one object, beside it: none is far from the outermost one.
    let (top, mut blocks) = chain(1000);
    let below = blocks.keys().copied().map(Nested::from_id).collect();
    let shortcut = object::to_bytes(&node(5000, below)).unwrap();
    let id = ObjectId::of(&shortcut);
    blocks.insert(id, shortcut);
    assert!(blocks.contains_key(&top));
    let (what, count, limit) = ("levels of objects nested in each other", MAX_NESTED_LEVELS + 1, MAX_NESTED_LEVELS);
    assert_eq!(load_deep::<Node>(id, &blocks).unwrap_err(), LoadError::Bound { what, count, limit });
}

/// As deep as it goes in every way, within the stack of a thread of 512 KiB: read, saved, compared and dropped.
#[test]
fn the_deepest_objects_need_little_stack() {
    let work = || {
        let mut last: Option<Nested<Node>> = None;
        for number in 0..MAX_NESTED_LEVELS as u64 {
            let mut inline = Inline { next: None, end: last };
            for _ in 0..60 {
                inline = Inline { next: Some(Box::new(inline)), end: None };
            }
            last = Some(Nested::new(Node { number, below: vec![], inline: Some(Box::new(inline)) }).unwrap());
        }
        let top = node(1000, last.into_iter().collect());
        let blocks = to_blocks(&top).unwrap();
        assert_eq!(blocks.len(), MAX_NESTED_LEVELS + 1);
        let read: Node = load_deep(blocks.last().unwrap().id, &stored(blocks.clone())).unwrap();
        assert_eq!(read, top);
        assert_eq!(to_blocks(&read).unwrap(), blocks);
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

/// More than may be nested in one object: by number and by bytes.
#[test]
fn too_much_nested_in_one() {
    let many = |count: usize| -> BTreeMap<ObjectId, Vec<u8>> {
        (0..count as u64)
            .map(|number| object::to_bytes(&node(number, vec![])).unwrap())
            .map(|b| (ObjectId::of(&b), b))
            .collect()
    };
    // Two objects, each with half of them and one more.
    let all = many(MAX_NESTED_BLOCKS);
    let ids: Vec<Nested<Node>> = all.keys().copied().map(Nested::from_id).collect();
    let mut blocks = all;
    let mut halves = Vec::new();
    for half in ids.chunks(ids.len() / 2) {
        let bytes = object::to_bytes(&node(1 << 40, half.to_vec())).unwrap();
        halves.push(Nested::<Node>::from_id(ObjectId::of(&bytes)));
        blocks.insert(ObjectId::of(&bytes), bytes);
    }
    let top = object::to_bytes(&node(1 << 41, halves)).unwrap();
    let id = ObjectId::of(&top);
    blocks.insert(id, top);
    let error = load_deep::<Node>(id, &blocks).unwrap_err();
    let (what, count, limit) = ("objects nested in one", MAX_NESTED_BLOCKS + 1, MAX_NESTED_BLOCKS);
    assert!(matches!(error, LoadError::Object { error, .. } if error == DecodeError::Bound { what, count, limit }));

    let photo = |number: u8| Photo { title: "large".into(), pixels: Bytes(vec![number; MAX_NESTED_BYTES / 16]) };
    let photos = (0..16).map(|number| Nested::new(photo(number)).unwrap()).collect();
    let error = to_blocks(&Album { cover: None, photos, by: None }).unwrap_err();
    assert!(matches!(error, EncodeError::Bound { what: "bytes of the objects nested in one", .. }), "{error}");
}

/// Nested objects are checked before there is an id for them, and a list of them is a set like any other.
#[test]
fn nested_objects_that_are_not_valid() {
    let reason = EncodeError::Validation("a photo has a title".into());
    assert_eq!(Nested::new(Photo::new("")).unwrap_err(), reason);
    assert_eq!(to_blocks(&Photo::new("")).unwrap_err(), reason);
}

#[derive(Object, Debug)]
#[object(class = "shelf/v1/Shelf")]
struct Shelf<T, U: Clone> {
    best: Nested<T>,
    rest: Vec<Nested<Shelf<T, U>>>,
    extra: Option<U>,
}

/// Nested objects of a type that is a parameter.
#[test]
fn generic_types_that_nest() {
    let sea = Nested::new(Photo::new("sea")).unwrap();
    let inner = Nested::new(Shelf::<Photo, u8> { best: sea.clone(), rest: vec![], extra: Some(1) }).unwrap();
    let shelf = Shelf::<Photo, u8> { best: sea, rest: vec![inner], extra: None };
    let blocks = to_blocks(&shelf).unwrap();
    let read: Shelf<Photo, u8> = load_deep(blocks[2].id, &stored(blocks)).unwrap();
    assert_eq!(read.rest[0].get().unwrap().best.get(), Some(&Photo::new("sea")));
    assert_eq!(read.rest[0].get().unwrap().extra, Some(1));
}
