//! Stories about texts.

use hhs_crdt::{Bias, Field, Text};
use hhs_model::class::{Action, Changes};

use super::world::Replica;

/// The same history in both orders in which two concurrent ops can arrive.
fn both_orders(
    start: &str,
    ana: &str,
    ben: &str,
    write: impl Fn(&Replica, bool) -> Vec<hhs_crdt::TextMutation>,
) -> [String; 2] {
    [[true, false], [false, true]].map(|order| {
        let mut replica = Replica::default();
        let base = replica.write(0, |edit| edit.push_str(start));
        let drafts = [write(&replica, true), write(&replica, false)];
        for is_ana in order {
            let (name, draft) = if is_ana { (ana, &drafts[0]) } else { (ben, &drafts[1]) };
            replica.apply_on(name, usize::from(is_ana), &[base], draft.clone());
        }
        assert_eq!(replica.followed, replica.text.to_string());
        replica.text.to_string()
    })
}

/// Ana and Ben type a word each at the same place, offline. Each word stays whole, and everybody reads them in one order.
#[test]
fn words_at_one_place_stay_whole() {
    let texts = both_orders("[]", "ana", "ben", |replica, is_ana| {
        replica.draft(|edit| edit.insert(1, if is_ana { "garden" } else { "house" }))
    });
    assert_eq!(texts[0], texts[1]);
    assert!(["[gardenhouse]", "[housegarden]"].contains(&&*texts[0]), "{}", texts[0]);
}

/// Both type letter by letter, in an op each, and Ben from back to front: whole again.
#[test]
fn words_typed_letter_by_letter_stay_whole() {
    let mut replica = Replica::default();
    let base = replica.write(0, |edit| edit.push_str("[]"));
    let (mut ana, mut ben) = (Replica::default(), Replica::default());
    ana.write(0, |edit| edit.push_str("[]"));
    ben.write(0, |edit| edit.push_str("[]"));
    let (mut last_of_ana, mut last_of_ben) = (base, base);
    for (step, letter) in "garden".chars().enumerate() {
        let draft = ana.draft(|edit| edit.insert(step + 1, &letter.to_string()));
        ana.write(1, |edit| edit.insert(step + 1, &letter.to_string()));
        last_of_ana = replica.apply_on(&format!("ana {step}"), 1, &[last_of_ana], draft);
        let letter = "esuoh!".chars().nth(step).expect("six letters").to_string();
        let draft = ben.draft(|edit| edit.insert(1, &letter));
        ben.write(2, |edit| edit.insert(1, &letter));
        last_of_ben = replica.apply_on(&format!("ben {step}"), 2, &[last_of_ben], draft);
    }
    let text = replica.text.to_string();
    assert!(["[garden!house]", "[!housegarden]"].contains(&&*text), "{text}");
}

/// Ana deletes a sentence while Ben puts a word into it. The word stays: she has not seen it.
#[test]
fn what_one_has_not_seen_one_does_not_delete() {
    let texts = both_orders("one two three", "ana", "ben", |replica, is_ana| {
        replica.draft(|edit| if is_ana { edit.delete(0..13) } else { edit.insert(4, "new ") })
    });
    assert_eq!(texts, ["new ", "new "]);
}

/// Both delete the same word: it is gone once, and nothing beside it.
#[test]
fn the_same_deletion_twice() {
    let texts = both_orders("one two three", "ana", "ben", |replica, _| replica.draft(|edit| edit.delete(4..8)));
    assert_eq!(texts, ["one three", "one three"]);
}

/// A cursor stands behind the word that Ana is writing, and another one before what follows, while Ben writes in front of them and
/// between them.
#[test]
fn cursors_stay_with_their_characters() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("ab"));
    let (behind, before) = (replica.text.cursor_at(1, Bias::Behind), replica.text.cursor_at(1, Bias::Before));
    replica.write(1, |edit| edit.insert(0, "123"));
    replica.write(1, |edit| edit.insert(4, "x"));
    assert_eq!(replica.text.to_string(), "123axb");
    assert_eq!(replica.text.position_of(&behind), Some(4));
    assert_eq!(replica.text.position_of(&before), Some(5));
    replica.write(1, |edit| edit.delete(0..6));
    assert_eq!(replica.text.position_of(&behind), Some(0));
    let (start, end) = (replica.text.cursor_at(0, Bias::Behind), replica.text.cursor_at(0, Bias::Before));
    replica.write(1, |edit| edit.push_str("new"));
    assert_eq!(replica.text.position_of(&start), Some(0));
    assert_eq!(replica.text.position_of(&end), Some(3));
}

/// Ana and Ben have written at once, and nobody has read what became of it: a cursor is looked up first, or something is taken back
/// first. That changes nothing of what is read then.
#[test]
fn a_question_before_the_text_is_read() {
    for asks in [true, false] {
        let mut replica = Replica::quiet();
        let base = replica.write(0, |edit| edit.push_str("[]"));
        let cursor = replica.text.cursor_at(1, Bias::Behind);
        let drafts = ["garden", "house"].map(|word| replica.draft(|edit| edit.insert(1, word)));
        let mut fresh = Replica::quiet();
        fresh.write(0, |edit| edit.push_str("[]"));
        let [ana, ben] = drafts;
        fresh.apply_on("ana", 1, &[base], ana);
        let of_ben = fresh.apply_on("ben", 2, &[base], ben);
        match asks {
            true => assert_eq!(fresh.text.position_of(&cursor), Some(1)),
            false => assert!(fresh.undo_id(of_ben).is_some()),
        }
        let text = fresh.text.to_string();
        let expected = if asks { ["[gardenhouse]", "[housegarden]"] } else { ["[garden]", "[garden]"] };
        assert!(expected.contains(&&*text), "{text}");
    }
}

/// A cursor beside a character of an op that is not here points nowhere yet.
#[test]
fn a_cursor_ahead_of_history() {
    let (mut here, mut there) = (Replica::default(), Replica::default());
    here.write(0, |edit| edit.push_str("a"));
    there.write(0, |edit| edit.push_str("a"));
    there.write(0, |edit| edit.push_str("b"));
    let cursor = there.text.cursor_at(2, Bias::Behind);
    assert_eq!(here.text.position_of(&cursor), None);
}

/// What is typed and erased again within one op leaves no trace in it, and typing in one place is one edit.
#[test]
fn an_op_says_what_it_does_in_all() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("hello"));
    let slips = replica.draft(|edit| {
        edit.insert(5, " wrld");
        edit.delete(7..10);
        edit.insert(7, "orld");
        edit.insert(0, "oh ");
        edit.delete(0..3);
    });
    assert_eq!(slips, replica.draft(|edit| edit.insert(5, " world")));
    let nothing = replica.draft(|edit| {
        edit.insert(2, "x");
        edit.delete(2..3);
        edit.insert(0, "");
        edit.delete(3..3);
    });
    assert_eq!(nothing, []);
}

/// The difference of two states is told as one change.
#[test]
fn what_is_different_in_a_newer_state() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("one two three"));
    let before = replica.text.clone();
    replica.write(0, |edit| edit.replace(4..7, "four"));
    let id = replica.write(0, |edit| edit.push_str(""));
    let mut changes = Changes::of(id, super::world::identity(0));
    before.diff(&replica.text, &mut changes);
    let actions: Vec<Action> = changes.into_vec().into_iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Edited { at: 4, deleted: 3, inserted: "four".into() }]);
    let mut none = Changes::of(id, super::world::identity(0));
    replica.text.diff(&replica.text.clone(), &mut none);
    assert_eq!(none.into_vec(), []);
    assert_eq!(Text::default().to_string(), "");
}
