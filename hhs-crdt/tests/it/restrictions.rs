//! What may be written to a field.

mod random;

use hhs_crdt::{Document, Field, Log, Map, Register, Replica, Set, SetMutation, WriteError, one_of};
use hhs_model::class::{ActionKind, ChangeFilter, EditError, OpContext, PathSegment, Void};
use hhs_model::codec::Value;
use hhs_model::op::Capability;
use hhs_model::{IdentityId, OpId};

use crate::document::{author, founding, grant};
use crate::harness::{History, Local, identity};
use crate::history::{add, map, payload, text};

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Rules")]
struct Rules {
    #[replica(accept = known_color)]
    colors: Set<String>,
    #[replica(needs = "paint")]
    picture: Register<String>,
    #[replica(writers = is_ana)]
    diary: Log<String>,
    #[replica(accept_by = about_oneself)]
    profiles: Set<String>,
    cards: Map<String, Card>,
}

#[derive(Field, Debug, Clone, PartialEq)]
struct Card {
    #[field(accept = small)]
    size: Register<u64>,
    #[field(needs = "paint")]
    color: Register<String>,
}

fn known_color(mutation: &SetMutation<String>) -> Result<(), &'static str> {
    one_of(mutation.element(), &["red", "green"])
}

fn is_ana(author: &IdentityId) -> bool {
    *author == identity(0)
}

fn about_oneself(mutation: &SetMutation<String>, op: &OpContext<'_>) -> Result<(), &'static str> {
    match *mutation.element() == op.author.to_string() {
        true => Ok(()),
        false => Err("everybody writes about themselves"),
    }
}

fn small(size: &u64) -> Result<(), &'static str> {
    if *size <= 10 { Ok(()) } else { Err("a card is at most ten wide") }
}

type World = History<Rules>;

/// An app writes what its class does not accept, and is told before there is an op; from a peer it makes the payload void.
#[test]
fn elements_that_are_not_accepted() {
    let state = Rules::new();
    let mut edit = state.edit();
    edit.colors.insert("pink".into());
    let error = Rules::finish(edit).expect_err("pink is not accepted");
    assert!(matches!(error, EditError::NotAccepted { field: "colors", .. }));

    let mut world = World::new(1);
    let op = world.write(0, payload([("colors", vec![add("red"), add("pink")])])).clone();
    let void = Local::<Rules>::new().apply(&op).expect_err("pink is not accepted");
    assert!(matches!(void, Void::NotAccepted { field: "colors", .. }));
    assert!(world.state(0).colors.is_empty(), "the payload is void as a whole");
    world.edit(0, |rules| rules.colors.insert("green".into()));
    assert_eq!(world.state(0).colors.len(), 1);
}

/// Who has not been given a brush does not paint; that a draft needs one stands beside it, so that the grants can be named.
#[test]
fn a_field_that_needs_a_capability() {
    let paint: Capability = "paint".parse().expect("a name");
    let mut world = World::new(3);
    let op = world.edit(1, |rules| rules.picture.set("sun".into())).clone();
    assert_eq!(op.draft.needs, [paint].into());
    assert!(world.state(1).picture.get().is_some());
    let op = world.edit(2, |rules| rules.picture.set("moon".into())).clone();
    let void = Local::<Rules>::new().apply(&op).expect_err("author 2 holds nothing");
    assert_eq!(void, Void::Needs { field: "picture", capability: "paint" });
    assert!(world.edit(2, |rules| rules.colors.insert("red".into())).draft.needs.is_empty());
}

/// Ana's diary: only she writes in it, whoever else may write to the replica.
#[test]
fn a_field_with_static_writers() {
    let mut world = World::new(2);
    for author in 0..2 {
        world.edit(author, |rules| rules.diary.append("dear diary".into()));
    }
    world.pull_all();
    for author in 0..2 {
        let authors: Vec<_> = world.state(author).diary.iter().map(|entry| entry.author).collect();
        assert_eq!(authors, [identity(0)]);
    }
}

/// Whoever may not write there is told so before there is an op.
#[test]
fn a_document_refuses_what_its_class_does_not_accept() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let mut document = Document::<Rules>::trusting(founding(Rules::CLASS));
    grant(&mut document, &ana, ben.id());
    let refused = |outcome: Result<Option<OpId>, WriteError>| match outcome {
        Err(WriteError::Edit(EditError::NotAccepted { field, .. })) => field,
        other => panic!("{other:?}"),
    };
    let ops = document.len();
    // Ana of this document is not the one who keeps the diary.
    assert_eq!(refused(document.write(&ana, 1, |rules| rules.diary.append("dear diary".into()))), "diary");
    assert_eq!(refused(document.write(&ben, 1, |rules| rules.profiles.insert(ana.id().to_string()))), "profiles");
    assert!(matches!(
        document.write(&ben, 1, |rules| rules.picture.set("a garden".into())),
        Err(WriteError::NotAllowed { .. })
    ));
    assert_eq!(document.len(), ops);
    assert!(document.write(&ben, 1, |rules| rules.profiles.insert(ben.id().to_string())).unwrap().is_some());
}

/// What is accepted can depend on who writes.
#[test]
fn a_field_that_asks_who_writes() {
    let mut world = World::new(2);
    let (ana, ben) = (identity(0).to_string(), identity(1).to_string());
    world.edit(0, |rules| rules.profiles.insert(ana.clone()));
    world.edit(1, |rules| rules.profiles.insert(ana.clone()));
    world.edit(1, |rules| rules.profiles.insert(ben.clone()));
    world.pull_all();
    let by_ben = world.replicas[1].ops.iter().filter(|op| op.author == 1).count();
    assert_eq!((world.state(0).profiles.len(), by_ben), (2, 2));
}

/// Inside a map too.
#[test]
fn restrictions_hold_in_nested_fields() {
    let state = Rules::new();
    let mut edit = state.edit();
    edit.cards.at("a".into()).size.set(11);
    let error = Rules::finish(edit).expect_err("it is too wide");
    assert_eq!(error, EditError::NotAccepted { field: "size", reason: "a card is at most ten wide" });

    let mut world = World::new(3);
    let wide = map([("do", map([("size", Value::from(11_u64))])), ("key", text("a"))]);
    let op = world.write(0, payload([("cards", vec![map([("at", wide)])])])).clone();
    let void = Local::<Rules>::new().apply(&op).expect_err("it is too wide");
    assert!(matches!(void, Void::NotAccepted { field: "size", .. }));

    let op = world.edit(2, |rules| rules.cards.at("a".into()).color.set("red".into())).clone();
    assert_eq!(op.draft.needs.len(), 1);
    let void = Local::<Rules>::new().apply(&op).expect_err("author 2 holds nothing");
    assert!(matches!(void, Void::Needs { field: "color", .. }));
    assert!(world.state(2).cards.is_empty());
}

/// One screen shows which cards there are, another one card with all that happens in it, a third what Ben does.
#[test]
fn changes_are_filtered_by_path_kind_and_author() {
    let mut world = World::new(2);
    let begin = |rules: &mut RulesEdit<'_>| {
        rules.cards.at("a".into()).size.set(1);
        rules.cards.at("b".into()).size.set(2);
        rules.colors.insert("red".into());
    };
    let op = world.edit(1, begin).clone();
    let changes = Local::<Rules>::new().apply(&op).expect("the op has a meaning");
    let count = |filter: ChangeFilter| changes.iter().filter(|change| filter.matches(change)).count();
    let cards = || ChangeFilter::under([PathSegment::Field("cards")]);
    assert_eq!((changes.len(), count(ChangeFilter::all())), (5, 5));
    assert_eq!(count(cards()), 4);
    assert_eq!(count(cards().shallow()), 2);
    assert_eq!(count(cards().of([ActionKind::Set])), 2);
    assert_eq!(count(ChangeFilter::under([PathSegment::Field("cards"), PathSegment::Key("a".into())])), 1);
    assert_eq!(count(ChangeFilter::all().by([identity(1)])), 5);
    assert_eq!(count(ChangeFilter::all().by([identity(0)])), 0);
    assert_eq!(count(ChangeFilter::all().to_depth(1)), 3);
}
