//! Marks: stories, and the definition.

pub(crate) mod random;
pub(crate) mod reference;

use std::collections::BTreeMap;

use hhs_crdt::{Expand, Span};
use hhs_model::class::Action;
use hhs_model::codec::Value;
use proptest::prelude::*;

use super::world::Replica;
use crate::harness::History;
use random::Page;

const YES: Option<Value> = Some(Value::Bool(true));

fn span(range: std::ops::Range<usize>, marks: &[&str]) -> Span {
    let marks: BTreeMap<String, Value> = marks.iter().map(|name| ((*name).to_owned(), Value::Bool(true))).collect();
    Span { range, marks }
}

/// Ana makes a word bold while Ben makes that word and the next one italic. Both hold.
#[test]
fn marks_of_two_names_overlap() {
    let mut replica = Replica::default();
    let base = replica.write(0, |edit| edit.push_str("the fox jumped"));
    let bold = replica.draft(|edit| edit.mark(0..7, "bold", YES, Expand::End));
    let italic = replica.draft(|edit| edit.mark(4..14, "italic", YES, Expand::End));
    replica.apply_on("ana", 1, &[base], bold);
    replica.apply_on("ben", 2, &[base], italic);
    let expected = [span(0..4, &["bold"]), span(4..7, &["bold", "italic"]), span(7..14, &["italic"])];
    assert_eq!(replica.text.spans(), expected);
    replica.save_and_load();
    assert_eq!(replica.text.spans(), expected);
}

/// What is typed at the end of a bold word is bold, what is typed at the end of a link is not part of it; and what somebody else has
/// put into the word, without knowing that it is bold, is bold.
#[test]
fn what_expands_and_what_does_not() {
    for (expand, at_start, at_end) in
        [(Expand::Neither, 1, 3), (Expand::End, 1, 4), (Expand::Start, 0, 3), (Expand::Both, 0, 4)]
    {
        let mut replica = Replica::default();
        let base = replica.write(0, |edit| edit.push_str("[ab]"));
        let marked = replica.draft(|edit| edit.mark(1..3, "bold", YES, expand));
        let inside = replica.draft(|edit| edit.insert(2, "+"));
        replica.apply_on("marked", 0, &[base], marked);
        replica.apply_on("inside", 1, &[base], inside);
        assert_eq!(replica.text.spans(), [span(1..4, &["bold"])], "[a+b]");
        replica.write(0, |edit| edit.insert(4, "e"));
        replica.write(0, |edit| edit.insert(1, "s"));
        assert_eq!(replica.text.to_string(), "[sa+be]");
        assert_eq!(replica.text.spans(), [span(at_start + 1..at_end + 2, &["bold"])], "{expand:?}");
    }
}

/// A later mark of the same name counts where it holds, and taking a mark away is one too.
#[test]
fn the_latest_counts() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("abcdef"));
    let red = |colour: &str| Some(Value::Text(colour.into()));
    replica.write(0, |edit| edit.mark(0..6, "colour", red("red"), Expand::End));
    replica.write(1, |edit| edit.mark(2..4, "colour", red("blue"), Expand::End));
    replica.write(1, |edit| edit.mark(4..5, "colour", None, Expand::End));
    let coloured: Vec<_> =
        replica.text.spans().into_iter().map(|span| (span.range, span.marks["colour"].clone())).collect();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(coloured, [(0..2, text("red")), (2..4, text("blue")), (5..6, text("red"))]);
}

/// A word is typed and marked in one op, and more is typed after it.
#[test]
fn typed_and_marked_in_one_op() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("12"));
    replica.write(0, |edit| {
        edit.insert(1, "bold");
        edit.insert(0, "!");
        edit.mark(2..7, "bold", YES, Expand::Neither);
        edit.insert(2, "not ");
        edit.mark(0..1, "big", YES, Expand::Neither);
    });
    assert_eq!(replica.text.to_string(), "!1not bold2");
    assert_eq!(replica.text.spans(), [span(0..1, &["big"]), span(6..11, &["bold"])]);
}

/// Who follows is told where a new mark counts, and only there.
#[test]
fn a_mark_is_told_where_it_counts() {
    let mut replica = Replica::default();
    let base = replica.write(0, |edit| edit.push_str("abcdef"));
    let early = replica.draft(|edit| edit.mark(0..6, "bold", YES, Expand::Neither));
    let on_top = replica.write(0, |edit| edit.push_str(""));
    let late = replica.draft(|edit| edit.mark(2..4, "bold", None, Expand::Neither));
    replica.apply_on("late", 1, &[on_top], late);
    replica.told.clear();
    replica.apply_on("early", 2, &[base], early);
    let told = |from, to| Action::Marked { from, to, name: "bold".into(), value: YES };
    assert_eq!(replica.told, [told(0, 2), told(4, 6)]);
}

/// In one op Ana types, marks, and takes away what she typed; and goes on, or not. Taking the op back does not bring it up again.
#[test]
fn what_an_op_took_back_itself_stays_away() {
    for more in ["c", ""] {
        let mut history = History::<Page>::new(1);
        history.edit(0, |page| page.text.push_str("ab"));
        let op = history.edit(0, |page| {
            page.text.insert(1, "slip");
            page.text.mark(0..2, "bold", YES, Expand::End);
            page.text.delete(1..5);
            page.text.mark(1..2, "italic", YES, Expand::End);
            page.text.push_str(more);
        });
        let op = op.number;
        assert_eq!(history.state(0).text.to_string(), format!("ab{more}"));
        history.undo(0, op);
        assert_eq!((history.state(0).text.to_string().as_str(), history.state(0).text.spans()), ("ab", vec![]));
    }
}

/// Ana colours a word, and Ben another colour over it. That she takes hers back leaves his, and needs no op.
#[test]
fn undoing_a_mark_leaves_a_later_one() {
    let mut history = History::<Page>::new(2);
    let colour = |name: &str| Some(Value::Text(name.into()));
    history.edit(0, |page| page.text.push_str("abcdef"));
    let hers = history.edit(0, |page| page.text.mark(1..5, "colour", colour("red"), Expand::End)).number;
    history.pull_all();
    history.edit(1, |page| page.text.mark(2..6, "colour", colour("blue"), Expand::End));
    history.pull_all();
    history.undo(0, hers);
    let blue = BTreeMap::from([("colour".to_owned(), Value::Text("blue".into()))]);
    assert_eq!(history.state(0).text.spans(), [Span { range: 2..6, marks: blue }]);
    history.edit(1, |page| page.text.mark(0..6, "colour", colour("green"), Expand::End));
    history.pull(0, 1);
    assert!(history.undo(0, hers).draft.is_empty());
}

/// A bold word is deleted, and made italic by somebody who does not know. It comes back bold and italic.
#[test]
fn what_comes_back_is_marked_as_it_would_be() {
    let mut history = History::<Page>::new(2);
    history.edit(0, |page| {
        page.text.push_str("a bold word");
        page.text.mark(2..6, "bold", YES, Expand::Neither);
    });
    history.pull_all();
    let deleted = history.edit(0, |page| page.text.delete(2..7)).number;
    history.edit(1, |page| page.text.mark(0..11, "italic", YES, Expand::End));
    history.pull_all();
    assert_eq!(history.state(0).text.spans(), [span(0..6, &["italic"])]);
    history.undo(0, deleted);
    history.pull_all();
    let expected = [span(0..2, &["italic"]), span(2..6, &["bold", "italic"]), span(6..11, &["italic"])];
    assert_eq!(history.state(1).text.spans(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// One author marks here and there: every character has what the last mark over it says.
    #[test]
    fn marks_of_one_author(marks in prop::collection::vec((0..10_usize, 0..10_usize, 0..3_u8, any::<Option<u8>>()), 0..12)) {
        let mut replica = Replica::default();
        replica.write(0, |edit| edit.push_str("abcdefgh"));
        let mut model = vec![BTreeMap::new(); 8];
        for (from, to, name, value) in marks {
            let (name, value) = (name.to_string(), value.map(|value| Value::Int(value.into())));
            replica.write(0, |edit| edit.mark(from..to, &name, value.clone(), Expand::Both));
            for marks in model.iter_mut().take(to).skip(from) {
                match &value {
                    Some(value) => marks.insert(name.clone(), value.clone()),
                    None => marks.remove(&name),
                };
            }
        }
        let mut read = vec![BTreeMap::new(); 8];
        for span in replica.text.spans() {
            prop_assert!(!span.marks.is_empty());
            for marks in &mut read[span.range] {
                *marks = span.marks.clone();
            }
        }
        prop_assert_eq!(read, model);
    }
}
