//! Texts: against the definition, and story by story.

pub(crate) mod marks;
pub(crate) mod reference;
mod scale;
mod stories;
mod wire;
mod world;

use hhs_crdt::{Bias, CharId, Cursor, Field, Text};
use proptest::prelude::*;

use reference::Reference;
use world::{Replica, Script, identity, scripts};

/// Takes a history in, in an order that `order` picks, by way of checkpoints where `pauses` says.
fn replay(reference: &Reference, order: &[u16], pauses: u64) -> Replica {
    replay_into(Replica::default(), reference, order, pauses)
}

fn replay_into(mut replica: Replica, reference: &Reference, order: &[u16], pauses: u64) -> Replica {
    for (step, op) in reference.order_of_ops(order).into_iter().enumerate() {
        replica.apply(&reference.ops[op], &reference.ops);
        if pauses >> (step % 64) & 1 == 1 {
            replica.save_and_load();
        }
    }
    replica
}

/// What every character's cursors point to, and who wrote what is shown, by definition.
fn check_characters(replica: &Replica, reference: &Reference) {
    let text = &replica.text;
    let origins = reference.origins();
    for ((op, number), before) in reference.places() {
        let char = Some(CharId { op: reference.ops[op].id, number });
        let shown = origins.contains(&(op, number));
        assert_eq!(text.position_of(&Cursor { char, bias: Bias::Before }), Some(before));
        assert_eq!(text.position_of(&Cursor { char, bias: Bias::Behind }), Some(before + usize::from(shown)));
    }
    let mut blamed = vec![];
    for blame in text.blame(0..usize::MAX) {
        assert_eq!(blame.range.start, blamed.len());
        blamed.extend(blame.range.map(|_| (blame.op, blame.author)));
    }
    let authors = origins.iter().map(|(op, _)| (reference.ops[*op].id, identity(reference.ops[*op].author)));
    assert_eq!(blamed, authors.collect::<Vec<_>>());
    for (at, (op, number)) in origins.into_iter().enumerate() {
        let char = Some(CharId { op: reference.ops[op].id, number });
        assert_eq!(text.cursor_at(at, Bias::Before), Cursor { char, bias: Bias::Before });
        assert_eq!(text.cursor_at(at + 1, Bias::Behind), Cursor { char, bias: Bias::Behind });
    }
}

/// How many histories are made up.
fn cases() -> u32 {
    std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    /// Several people write at once, some of them in vain, and not everybody sees that at the same time: whatever order the ops
    /// arrive in, the text reads what the definition says, and whoever follows the changes reads the same.
    #[test]
    fn every_order_reads_what_the_definition_says(
        script in scripts(),
        order in prop::collection::vec(any::<u16>(), 0..40),
        pauses in any::<u64>(),
    ) {
        let reference = Script::play(&script);
        let expected = reference.text();
        let arrived = replay(&reference, &[], 0);
        prop_assert_eq!(arrived.text.to_string(), &*expected);
        prop_assert_eq!(&arrived.followed, &*expected);
        let other = replay(&reference, &order, pauses & (order.len() as u64 * 0x1111));
        prop_assert_eq!(other.text.to_string(), &*expected);
        prop_assert_eq!(&other.followed, &*expected);
        // Where nobody follows, the text is put together when it is read.
        let quiet = replay_into(Replica::quiet(), &reference, &order, pauses);
        prop_assert_eq!(quiet.text.to_string(), &*expected);
        let never_read = replay_into(Replica::quiet(), &reference, &order, 0);
        prop_assert_eq!(never_read.text.clone().to_string(), &*expected);
        prop_assert_eq!(never_read.text.to_string(), &*expected);
        check_characters(&never_read, &reference);
    }

    /// Cursors stand where the definition says, on both sides of characters that are there and of those that are gone, and every
    /// character is known by its op and author: whenever one asks.
    #[test]
    fn cursors_and_blame(script in scripts(), order in prop::collection::vec(any::<u16>(), 0..40), asked in any::<u64>()) {
        let reference = Script::play(&script);
        let mut replica = Replica::default();
        for (step, op) in reference.order_of_ops(&order).into_iter().enumerate() {
            replica.apply(&reference.ops[op], &reference.ops);
            if asked >> (step % 64) & 1 == 1 {
                let cursor = replica.text.cursor_at(step, Bias::Before);
                prop_assert_eq!(replica.text.position_of(&cursor), Some(step.min(replica.text.len())));
            }
        }
        prop_assert_eq!(replica.text.to_string(), reference.text());
        prop_assert_eq!(&replica.followed, &reference.text());
        check_characters(&replica, &reference);
    }

    /// Somebody takes an op back. What it inserted is gone, what it alone deleted is back where it was, and nothing else is
    /// different; taking that back as well brings back what was there before.
    #[test]
    fn undo_and_redo(script in scripts(), pick in any::<prop::sample::Index>()) {
        let mut reference = Script::play(&script);
        let ops = reference.ops.iter().enumerate();
        let able: Vec<usize> = ops.filter(|(_, op)| !op.void && !op.edits.is_empty()).map(|(number, _)| number).collect();
        if able.is_empty() {
            return Ok(());
        }
        let number = able[pick.index(able.len())];
        let mut replica = replay(&reference, &[], 0);
        let before = replica.text.to_string();
        let undone = replica.undo(&reference.ops[number]);
        reference.ops[number].void = true;
        prop_assert_eq!(replica.text.to_string(), reference.text());
        prop_assert_eq!(undone.is_some(), before != reference.text());
        if let Some(undone) = undone {
            replica.undo_id(undone);
            prop_assert_eq!(replica.text.to_string(), before);
        }
    }

    /// An app writes here and there, far beyond the end too: what it reads meanwhile, what it is told after the op, and what the
    /// op says in all are the same.
    #[test]
    fn an_edit_reads_what_it_writes(
        start in "[a-cä𝄞]{0,20}",
        writes in prop::collection::vec((0..24_usize, 0..6_usize, "[xyü𝄞]{0,3}", any::<bool>()), 0..30),
    ) {
        let mut replica = Replica::default();
        replica.write(0, |edit| edit.push_str(&start));
        let mut model: Vec<char> = start.chars().collect();
        replica.write(1, |edit| {
            for (at, delete, insert, look) in &writes {
                edit.splice(*at, *delete, insert);
                let from = (*at).min(model.len());
                let to = (at + delete).min(model.len());
                model.splice(from..to, insert.chars());
                assert_eq!(edit.len(), model.len());
                if *look {
                    assert_eq!(edit.to_string(), model.iter().collect::<String>());
                }
            }
        });
        let model: String = model.into_iter().collect();
        prop_assert_eq!(replica.text.to_string(), &*model);
        prop_assert_eq!(&replica.followed, &model);
        prop_assert!(replica.text.edit().snapshot() == replica.text.snapshot());
        prop_assert!(Text::finish(replica.text.edit()).mutations.is_empty());
    }

    /// Positions in other units, against the standard library.
    #[test]
    fn units(text in "[a-cäé𝄞\u{301}\r\n🇩🇪]{0,30}", at in 0..40_usize) {
        let mut replica = Replica::default();
        replica.write(0, |edit| edit.push_str(&text));
        let snapshot = replica.text.snapshot();
        let before: String = text.chars().take(at).collect();
        prop_assert_eq!(snapshot.len_utf8(), text.len());
        prop_assert_eq!(snapshot.len_utf16(), text.encode_utf16().count());
        prop_assert_eq!(snapshot.to_utf8(at), before.len());
        prop_assert_eq!(snapshot.to_utf16(at), before.encode_utf16().count());
        let at = at.min(snapshot.len());
        prop_assert_eq!(snapshot.from_utf8(before.len()), at);
        prop_assert_eq!(snapshot.from_utf16(before.encode_utf16().count()), at);
        let mut ends = vec![0];
        ends.extend(unicode_segmentation::UnicodeSegmentation::graphemes(&*text, true).scan(0, |end, cluster| {
            *end += cluster.chars().count();
            Some(*end)
        }));
        let next = ends.iter().copied().find(|end| *end > at).unwrap_or(snapshot.len());
        let previous = ends.iter().copied().rfind(|end| *end < at).unwrap_or(0);
        prop_assert_eq!(snapshot.next_grapheme(at), next);
        prop_assert_eq!(snapshot.previous_grapheme(at), previous);
        prop_assert_eq!(snapshot.is_grapheme_boundary(at), ends.contains(&at));
    }
}
