//! A class that has every simple type, nested in each other, in random histories with liars, withdrawals and checkpoints:
//! every order of delivery gives what the definition gives.

mod reference;
mod show;
pub(crate) mod view;

use hhs_crdt::{Counter, Field, GrowSet, Log, Map, Members, MultiRegister, Register, Replica, Set};
use hhs_model::class::Changes;
use hhs_model::codec::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::{History, Local};
use crate::history::{map, payload, text};
use reference::Definition;
use view::View;

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Everything")]
pub(crate) struct Everything {
    title: Register<u8>,
    mood: MultiRegister<u8>,
    tags: Set<u8>,
    seen: GrowSet<u8>,
    votes: Counter,
    lines: Log<u8>,
    members: Members,
    tasks: Map<u8, Task>,
    shelves: Map<u8, Map<u8, Counter>>,
}

#[derive(Field, Debug, Clone, PartialEq)]
pub(crate) struct Task {
    name: Register<u8>,
    mood: MultiRegister<u8>,
    labels: Set<u8>,
    #[hhs(rename = "the-votes")]
    votes: Counter,
    notes: Log<u8>,
    steps: Map<u8, Register<u8>>,
}

const AUTHORS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Edit { author: usize, writes: Vec<Write> },
    Raw { author: usize, tasks: Vec<RawTask> },
    Withdraw { author: usize, op: usize },
    Undo { author: usize, op: usize },
    Restart { author: usize },
}

#[derive(Debug, Clone, Copy)]
enum Write {
    Title(u8),
    Mood(u8),
    Tag(u8),
    Untag(u8),
    See(u8),
    Vote(i8),
    Say(u8),
    Task(u8, InTask),
    InsertTask(u8),
    RemoveTask(u8),
    Shelf(u8, u8, i8),
    RemoveShelf(u8),
    RemoveFromShelf(u8, u8),
}

#[derive(Debug, Clone, Copy)]
enum InTask {
    Name(u8),
    Mood(u8),
    Label(u8),
    Unlabel(u8),
    Vote(i8),
    Note(u8),
    Step(u8, u8),
    RemoveStep(u8),
}

/// Mutations of the map that no honest author would write: of any life, in any order.
#[derive(Debug, Clone)]
enum RawTask {
    At(u8, u64, u8),
    Insert(u8, u64),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        5 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        8 => (author(), vec(write(), 1..4)).prop_map(|(author, writes)| Step::Edit { author, writes }),
        2 => (author(), vec(raw_task(), 1..4)).prop_map(|(author, tasks)| Step::Raw { author, tasks }),
        1 => (author(), 0..40_usize).prop_map(|(author, op)| Step::Withdraw { author, op }),
        2 => (author(), 0..40_usize).prop_map(|(author, op)| Step::Undo { author, op }),
        1 => author().prop_map(|author| Step::Restart { author }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    let few = || 0..3_u8;
    prop_oneof![
        1 => any::<u8>().prop_map(Write::Title),
        1 => any::<u8>().prop_map(Write::Mood),
        1 => few().prop_map(Write::Tag),
        1 => few().prop_map(Write::Untag),
        1 => few().prop_map(Write::See),
        1 => any::<i8>().prop_map(Write::Vote),
        1 => any::<u8>().prop_map(Write::Say),
        5 => (0..2_u8, in_task()).prop_map(|(key, write)| Write::Task(key, write)),
        1 => (0..2_u8).prop_map(Write::InsertTask),
        2 => (0..2_u8).prop_map(Write::RemoveTask),
        1 => (0..2_u8, 0..2_u8, any::<i8>()).prop_map(|(key, inner, addend)| Write::Shelf(key, inner, addend)),
        1 => (0..2_u8).prop_map(Write::RemoveShelf),
        1 => (0..2_u8, 0..2_u8).prop_map(|(key, inner)| Write::RemoveFromShelf(key, inner)),
    ]
}

fn in_task() -> impl Strategy<Value = InTask> {
    prop_oneof![
        any::<u8>().prop_map(InTask::Name),
        any::<u8>().prop_map(InTask::Mood),
        (0..3_u8).prop_map(InTask::Label),
        (0..3_u8).prop_map(InTask::Unlabel),
        any::<i8>().prop_map(InTask::Vote),
        any::<u8>().prop_map(InTask::Note),
        (0..2_u8, any::<u8>()).prop_map(|(key, value)| InTask::Step(key, value)),
        (0..2_u8).prop_map(InTask::RemoveStep),
    ]
}

fn raw_task() -> impl Strategy<Value = RawTask> {
    // The third is of a height that no history here has.
    let life = || prop_oneof![3 => 0..3_u64, 1 => Just(1 << 40)];
    prop_oneof![
        (0..2_u8, life(), any::<u8>()).prop_map(|(key, life, name)| RawTask::At(key, life, name)),
        (0..2_u8, life()).prop_map(|(key, life)| RawTask::Insert(key, life)),
        (0..2_u8).prop_map(RawTask::Remove),
    ]
}

fn history(steps: &[Step]) -> History<Everything> {
    let mut history = History::new(AUTHORS);
    for step in steps {
        match step {
            Step::Pull { to, from } => history.pull(*to, *from),
            Step::Edit { author, writes } => {
                history.edit(*author, |edit| writes.iter().for_each(|write| apply(edit, *write)));
            }
            Step::Raw { author, tasks } => {
                history.write(*author, payload([("tasks", tasks.iter().map(raw).collect())]));
            }
            Step::Withdraw { author, op } => drop(history.void(*author, [*op]).clone()),
            Step::Undo { author, op } => {
                let known = history.replicas[*author].known();
                if known.contains(op) && history.ops[*op].draft.payload.is_some() {
                    history.undo(*author, *op);
                }
            }
            Step::Restart { author } => history.replicas[*author].save_and_load(),
        }
    }
    history
}

fn apply(edit: &mut EverythingEdit<'_>, write: Write) {
    match write {
        Write::Title(title) => edit.title.set(title),
        Write::Mood(mood) => edit.mood.set(mood),
        Write::Tag(tag) => edit.tags.insert(tag),
        Write::Untag(tag) => edit.tags.remove(&tag),
        Write::See(element) => edit.seen.insert(element),
        Write::Vote(addend) => edit.votes.add(addend.into()),
        Write::Say(line) => edit.lines.append(line),
        Write::Task(key, write) => apply_to_task(edit.tasks.at(key), write),
        Write::InsertTask(key) => edit.tasks.insert(key),
        Write::RemoveTask(key) => edit.tasks.remove(&key),
        Write::Shelf(key, inner, addend) => edit.shelves.at(key).at(inner).add(addend.into()),
        Write::RemoveShelf(key) => edit.shelves.remove(&key),
        Write::RemoveFromShelf(key, inner) => edit.shelves.at(key).remove(&inner),
    }
}

fn apply_to_task(task: &mut TaskEdit<'_>, write: InTask) {
    match write {
        InTask::Name(name) => task.name.set(name),
        InTask::Mood(mood) => task.mood.set(mood),
        InTask::Label(label) => task.labels.insert(label),
        InTask::Unlabel(label) => task.labels.remove(&label),
        InTask::Vote(addend) => task.votes.add(addend.into()),
        InTask::Note(note) => task.notes.append(note),
        InTask::Step(key, value) => task.steps.at(key).set(value),
        InTask::RemoveStep(key) => task.steps.remove(&key),
    }
}

fn raw(task: &RawTask) -> Value {
    let place = |key: u8, life: u64| {
        let life = (life > 0).then(|| ("life".to_owned(), Value::from(life)));
        [("key".to_owned(), Value::from(u64::from(key)))].into_iter().chain(life)
    };
    match task {
        RawTask::At(key, life, name) => {
            let name = map([("name", Value::from(u64::from(*name)))]);
            let parts = place(*key, *life).chain([("do".to_owned(), name)]);
            map([("at", Value::Map(parts.collect()))])
        }
        RawTask::Insert(key, life) => map([("insert", Value::Map(place(*key, *life).collect()))]),
        RawTask::Remove(key) => map([("remove", Value::from(u64::from(*key)))]),
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Two replicas get the ops of a history in different orders; one is restarted in between, nobody listens to the other. They
    /// are equal in every respect, and show what the definition says.
    #[test]
    fn every_causal_order_gives_the_state_of_the_definition(
        steps in vec(step(), 1..40),
        some in vec(0..1000_usize, 1..60),
        other in vec(0..1000_usize, 1..60),
        restart in 0..40_usize,
    ) {
        let history = history(&steps);
        let (mut one, mut two) = (Local::new(), Local::new());
        for (number, op) in history.causal_order(&some).into_iter().enumerate() {
            one.apply(op).expect("the op has a meaning");
            if number == restart {
                one.save_and_load();
            }
        }
        for op in history.causal_order(&other) {
            two.apply_with(op, &mut Changes::unwatched()).expect("the op has a meaning");
        }
        prop_assert_eq!(&one.state, &two.state);
        prop_assert_eq!(show::everything(&one.state), Definition::of(&history, &one.known()).everything());
    }

    /// At every moment every author sees what the definition says of the ops that they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in vec(step(), 1..40)) {
        let history = history(&steps);
        for replica in &history.replicas {
            let definition = Definition::of(&history, &replica.known());
            prop_assert_eq!(show::everything(&replica.state), definition.everything());
        }
    }

    /// A view that follows the changes alone ends up with what the replica shows, across withdrawals too.
    #[test]
    fn changes_tell_every_difference(steps in vec(step(), 1..40), picks in vec(0..1000_usize, 1..60)) {
        let history = history(&steps);
        let (mut replica, mut view) = (Local::<Everything>::new(), View::default());
        for op in history.causal_order(&picks) {
            let changes = replica.apply(op).expect("the op has a meaning");
            changes.iter().for_each(|change| view.follow(change));
            prop_assert_eq!(&view, &View::of(&replica.state));
        }
    }
}

/// The bytes of every mutation are those of the format page.
#[test]
fn mutations_stand_in_payloads_as_the_format_says() {
    let mut history: History<Everything> = History::new(1);
    history.edit(0, |edit| {
        edit.tasks.at(1).name.set(7);
        edit.shelves.at(1).at(2).add(-3);
    });
    let of = |number: usize| history.ops[number].draft.payload.clone();
    let number = |number: u64| Value::from(number);
    let at = |key: u64, inner: Value| map([("at", map([("do", inner), ("key", number(key))]))]);
    let expected =
        payload([("tasks", vec![at(1, map([("name", number(7))]))]), ("shelves", vec![at(1, at(2, Value::Int(-3)))])]);
    assert_eq!(of(0), expected.payload);

    history.edit(0, |edit| edit.tasks.remove(&1));
    history.edit(0, |edit| edit.tasks.insert(1));
    history.edit(0, |edit| edit.mood.set(1));
    let of = |number: usize| history.ops[number].draft.payload.clone();
    assert_eq!(of(1), payload([("tasks", vec![map([("remove", number(1))])])]).payload);
    let insert = map([("insert", map([("key", number(1)), ("life", number(1))]))]);
    assert_eq!(of(2), payload([("tasks", vec![insert])]).payload);
    assert_eq!(of(3), payload([("mood", vec![number(1)])]).payload);
}

/// What is not as the format says is void: an entry that nobody knows, a first life that is written, nothing to do.
#[test]
fn mutations_that_no_map_knows_are_void() {
    let key = || ("key", Value::from(1_u64));
    let inner = || ("do", map([("name", Value::from(1_u64))]));
    let wrong = [
        text("remove"),
        map([]),
        map([("at", map([key()]))]),
        map([("at", map([inner()]))]),
        map([("at", map([key(), inner(), ("life", Value::from(0_u64))]))]),
        map([("at", map([key(), inner(), ("more", Value::Null)]))]),
        map([("at", map([key(), ("do", map([]))]))]),
        map([("at", map([key(), ("do", map([("nothing", Value::Null)]))]))]),
        map([("at", map([key(), ("do", map([("name", Value::from(1_u64)), ("votes", Value::from(1_u64))]))]))]),
        map([("insert", map([key(), inner()]))]),
        map([("insert", map([]))]),
        map([("remove", Value::from(1_u64)), ("insert", map([key()]))]),
    ];
    for mutation in wrong {
        let op = History::<Everything>::new(1).write(0, payload([("tasks", vec![mutation.clone()])])).clone();
        Local::<Everything>::new().apply(&op).expect_err(&format!("{mutation:?} means nothing"));
    }
    let right = map([("at", map([key(), inner()]))]);
    let op = History::<Everything>::new(1).write(0, payload([("tasks", vec![right])])).clone();
    Local::<Everything>::new().apply(&op).expect("this means something");
}
