//! Finding objects by class and reference, saving what is nested, and watching.

use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use hhs_model::codec::{Value, encode};
use hhs_model::{Nested, Object, ObjectId, Registry};
use hhs_store::{Cursor, Found, MemoryBackend, Query, Store, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::checking::check;
use crate::world::{dump, open};

fn object(class: &str, number: usize, links: &[(&'static str, ObjectId)], list: &[ObjectId]) -> Vec<u8> {
    let fields = links.iter().map(|(key, id)| (*key, id.cid().into()));
    let list = Value::List(list.iter().map(|id| id.cid().into()).collect());
    let rest = [("$", Value::Text(class.into())), ("number", Value::Int(number as i128)), ("list", list)];
    encode(&Value::Map(fields.chain(rest).collect())).unwrap()
}

async fn ids(store: &Store, query: Query) -> Vec<ObjectId> {
    store.query(&query).await.unwrap().into_iter().map(|found| found.id).collect()
}

#[derive(Object, Debug, Clone, PartialEq)]
#[object(class = "test/v1/Photo")]
struct Photo {
    name: String,
}

#[derive(Object, Debug, Clone, PartialEq)]
#[object(class = "test/v1/Album")]
struct Album {
    cover: Nested<Photo>,
    photos: Vec<Nested<Photo>>,
}

#[derive(Object, Debug, Clone, PartialEq)]
#[object(class = "test/v2/Photo")]
struct NewPhoto {
    title: String,
}

fn photo(name: &str) -> Photo {
    Photo { name: name.into() }
}

fn album() -> Album {
    let (sea, hill) = (Nested::new(photo("sea")).unwrap(), Nested::new(photo("hill")).unwrap());
    Album { cover: sea.clone(), photos: vec![hill, sea] }
}

/// An album is saved with its photos, each once, and found by its class and by each photo; it is loaded with them or
/// without.
#[test]
fn an_object_is_saved_and_loaded_with_what_is_nested() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let id = store.save(&album()).await.unwrap();
        let before = dump(&memory);
        assert_eq!(store.save(&album()).await.unwrap(), id);
        assert_eq!(dump(&memory), before);
        assert_eq!(store.query(&Query::class("test/v1/Photo")).await.unwrap().len(), 2);
        for (path, found) in [("cover", 1), ("photos/*", 1), ("photos", 0), ("*", 0)] {
            let query = Query::referencing(album().cover.id()).at(path);
            assert_eq!(ids(&store, query).await.len(), found, "{path}");
        }
        let shallow: Album = store.load(id).await.unwrap().unwrap();
        assert!(shallow.cover.get().is_none());
        let deep: Album = store.load_deep(id).await.unwrap().unwrap();
        assert_eq!(deep.photos[0].get(), Some(&photo("hill")));
        assert_eq!(store.load_deep::<Album>(ObjectId::of(b"none")).await.unwrap(), None);
        assert!(matches!(store.load_deep::<Photo>(id).await, Err(StoreError::Load { .. })));
        assert!(check(&store).await.is_sound());
    });
}

/// Somebody saves an album without its photos: that is refused, and says which link leads nowhere. Those that are saved
/// together may come in any order; if one is refused, none is kept.
#[test]
fn a_link_to_nowhere() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let before = dump(&memory);
        let missing = album().photos[0].id();
        let parts = hhs_model::object::to_blocks(&album()).unwrap();
        let of = |id: ObjectId| parts.iter().find(|block| block.id == id).unwrap().bytes.clone();
        let root = parts.last().unwrap().bytes.clone();
        let error = store.put_all(vec![root.clone(), of(album().cover.id())]).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Dangling { missing: found, path, .. }
            if *found == missing && path == "photos/0"),
            "{error}"
        );
        assert_eq!(dump(&memory), before);
        store.put_all(vec![root, of(album().cover.id()), of(missing)]).await.unwrap();
        assert_eq!(ids(&store, Query::all()).await.len(), 3);
        // What is here was linked to before: a second album needs nothing along.
        store.put(&Album { photos: vec![], ..album() }).await.unwrap();
    });
}

/// A photo of the class of last year is read as one of this year.
#[test]
fn an_older_class_is_read_as_a_newer_one() {
    block_on(async {
        let mut registry = Registry::new();
        registry.upgrade(|old: Photo| NewPhoto { title: old.name }).unwrap();
        let store = Store::open(MemoryBackend::new(), registry).await.unwrap();
        let id = store.save(&photo("sea")).await.unwrap();
        assert_eq!(store.load(id).await.unwrap(), Some(NewPhoto { title: "sea".into() }));
        assert!(matches!(store.load::<Album>(id).await, Err(StoreError::Read { .. })));
    });
}

/// Who pages through objects while others come finds each that was there once, in order, and the new ones at the end.
#[test]
fn pages_while_others_write() {
    block_on(async {
        let store = open(MemoryBackend::new()).await;
        let mut expected = Vec::new();
        for number in 0..10 {
            expected.push(store.put_bytes(object("a", number, &[], &[])).await.unwrap());
        }
        let mut found: Vec<Found> = store.query(&Query::class("a").limit(4)).await.unwrap();
        let last = found.last().unwrap().cursor;
        let back = store.query(&Query::class("a").descending().after(last)).await.unwrap();
        assert_eq!(back.iter().map(|found| found.id).collect::<Vec<_>>(), [expected[2], expected[1], expected[0]]);
        for number in 10..13 {
            expected.push(store.put_bytes(object("a", number, &[], &[])).await.unwrap());
            store.put_bytes(object("b", number, &[], &[])).await.unwrap();
            let last = found.last().unwrap().cursor;
            found.extend(store.query(&Query::class("a").after(last).limit(3)).await.unwrap());
        }
        assert_eq!(found.iter().map(|found| found.id).collect::<Vec<_>>(), expected);
        assert_eq!(last.to_string().parse::<Cursor>().unwrap(), last);
    });
}

/// A watcher is told of what is there and then of what comes, each once and in order, and of nothing that was deleted before
/// it looked; it ends with the store.
#[test]
fn watching_a_class() {
    block_on(async {
        let store = open(MemoryBackend::new()).await;
        let mut expected = vec![store.put_bytes(object("a", 0, &[], &[])).await.unwrap()];
        let mut watch = store.watch_query(Query::class("a"));
        let mut typed = store.subscribe::<Photo>(None);
        let mut told = vec![watch.next().await.unwrap().unwrap().id];
        assert!(watch.next().now_or_never().is_none());
        for number in 1..300 {
            expected.push(store.put_bytes(object("a", number, &[], &[])).await.unwrap());
            store.put_bytes(object("b", number, &[], &[])).await.unwrap();
            if number % 50 == 0 {
                told.push(watch.next().await.unwrap().unwrap().id);
            }
        }
        let gone = store.put_bytes(object("a", 300, &[], &[])).await.unwrap();
        assert!(store.delete_object(gone).await.unwrap());
        store.save(&photo("sea")).await.unwrap();
        assert_eq!(typed.next().await.unwrap().unwrap().1, photo("sea"));
        while let Some(Some(found)) = watch.next().now_or_never() {
            told.push(found.unwrap().id);
        }
        assert_eq!(told, expected);
        // A number that was given is not given again, or this one would have been passed.
        let last = store.put_bytes(object("a", 301, &[], &[])).await.unwrap();
        assert_eq!(watch.next().await.unwrap().unwrap().id, last);
        drop(store);
        assert!(watch.next().await.is_none());
        assert!(typed.next().await.is_none());
    });
}

/// What somebody does to a store of objects.
#[derive(Debug, Clone)]
enum Step {
    Save { class: u8, links: Vec<(u8, Index)>, list: Vec<Index> },
    Delete(Index),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u8, vec((0..2_u8, any::<Index>()), 0..3), vec(any::<Index>(), 0..3))
            .prop_map(|(class, links, list)| Step::Save { class, links, list }),
        2 => any::<Index>().prop_map(Step::Delete),
        1 => Just(Step::Reopen),
    ]
}

/// An object as the reference remembers it.
struct Known {
    id: ObjectId,
    class: &'static str,
    links: BTreeSet<(ObjectId, &'static str)>,
}

const CLASSES: [&str; 3] = ["a", "b", "c"];
const PATHS: [&str; 3] = ["x", "y", "list/*"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Objects are saved and deleted at random: every query finds what going through a list of them finds, in both
    /// directions and in pages, and the check has nothing to say.
    #[test]
    fn queries_find_what_a_list_has(steps in vec(step(), 1..40)) {
        let memory = MemoryBackend::new();
        let mut store = block_on(open(memory.clone()));
        let mut all: Vec<Known> = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Save { class, links, list } => {
                    let pick = |index: &Index| (!all.is_empty()).then(|| all[index.index(all.len())].id);
                    let links: std::collections::BTreeMap<&'static str, ObjectId> = links.iter()
                        .filter_map(|(path, index)| Some((PATHS[*path as usize], pick(index)?))).collect();
                    let links: Vec<_> = links.into_iter().collect();
                    let list: Vec<ObjectId> = list.iter().filter_map(pick).collect();
                    let class = CLASSES[*class as usize];
                    let id = block_on(store.put_bytes(object(class, number, &links, &list))).unwrap();
                    let links = links.iter().map(|(path, id)| (*id, *path))
                        .chain(list.iter().map(|id| (*id, PATHS[2]))).collect();
                    all.push(Known { id, class, links });
                }
                Step::Delete(index) if !all.is_empty() => {
                    let at = index.index(all.len());
                    let id = all[at].id;
                    let linked = all.iter().any(|other| other.links.iter().any(|(target, _)| *target == id));
                    prop_assert_eq!(block_on(store.delete_object(id)).is_err(), linked);
                    if !linked {
                        all.remove(at);
                    }
                }
                Step::Delete(_) => {}
                Step::Reopen => store = block_on(open(memory.clone())),
            }
        }
        let compare = |query: Query, expected: Vec<ObjectId>| {
            let paged = |query: Query| {
                let (mut found, mut query) = (Vec::new(), query.limit(3));
                loop {
                    let page = block_on(store.query(&query)).unwrap();
                    let Some(last) = page.last() else { return found };
                    query = query.after(last.cursor);
                    found.extend(page.iter().map(|found| found.id));
                }
            };
            let backwards: Vec<ObjectId> = expected.iter().rev().copied().collect();
            (paged(query.clone()), paged(query.descending())) == (expected, backwards)
        };
        prop_assert!(compare(Query::all(), all.iter().map(|known| known.id).collect()));
        for class in CLASSES {
            let expected = all.iter().filter(|known| known.class == class).map(|known| known.id).collect();
            prop_assert!(compare(Query::class(class), expected));
        }
        for target in all.iter().map(|known| known.id) {
            for class in CLASSES.map(Some).into_iter().chain([None]) {
                for path in PATHS.map(Some).into_iter().chain([None]) {
                    let links = |known: &&Known| class.is_none_or(|class| known.class == class)
                        && known.links.iter().any(|(id, at)| *id == target && path.is_none_or(|path| path == *at));
                    let expected = all.iter().filter(links).map(|known| known.id).collect();
                    let query = class.into_iter().fold(Query::referencing(target), |query, class| query.by_class(class));
                    let query = path.into_iter().fold(query, |query, path| query.at(path));
                    prop_assert!(compare(query, expected));
                }
            }
        }
        prop_assert!(block_on(check(&store)).is_sound());
    }
}
