//! Groups against the plain meaning of their batches: one after the other.

use std::collections::{BTreeMap, BTreeSet};

use hhs_store::backend::{Batch, Write};

use super::{Plan, STEP_BYTES, STEP_ENTRIES, Step, guarded_keys};

/// Random groups over few keys, with guards that hold and others that do not: the plan leaves out the batches that fail one
/// after the other, and leaves the entries as these do.
#[test]
fn a_plan_is_what_its_batches_do_one_after_the_other() {
    let mut dice = Dice(7);
    let mut conflicts = 0;
    for round in 0..2000 {
        let found: BTreeMap<_, _> = (0..dice.below(4)).map(|_| (vec![dice.below(4)], vec![dice.below(3)])).collect();
        let batches: Vec<_> = (0..=dice.below(5)).map(|_| batch(&mut dice)).collect();
        let batches: Vec<&Batch> = batches.iter().collect();
        let (expected, expected_conflicts) = one_after_the_other(&batches, found.clone());

        let plan = Plan::new(&batches, &found);
        let mut entries = found;
        for (key, value) in &plan.writes {
            match value {
                Some(value) => entries.insert(key.to_vec(), value.to_vec()),
                None => entries.remove(*key),
            };
        }
        assert_eq!((&entries, &plan.conflicts), (&expected, &expected_conflicts), "round {round}: {batches:?}");
        conflicts += plan.conflicts.len();
    }
    assert!(conflicts > 500, "guards fail often enough: {conflicts}");
}

/// A key that several guards ask about is looked up once.
#[test]
fn guarded_keys_are_asked_for_once() {
    let (mut one, mut two, mut three) = (Batch::new(), Batch::new(), Batch::new());
    one.guard("b", None);
    two.guard("a", None);
    three.guard("b", Some(b"1".to_vec()));
    assert_eq!(guarded_keys(&[&one, &Batch::new(), &two, &three]), [b"a", b"b"]);
}

/// A large batch takes several statements, none over the bounds by more than one entry, and together they write all of it.
#[test]
fn a_large_plan_is_written_in_bounded_steps() {
    let mut batch = Batch::new();
    for number in 0..STEP_ENTRIES as u32 + 10 {
        batch.put(number.to_be_bytes(), "small").delete([&number.to_be_bytes()[..], b"old"].concat());
    }
    for number in 0..5 {
        batch.put([b'l', number], vec![0; STEP_BYTES / 2]);
    }
    let batches = [&batch];
    let plan = Plan::new(&batches, &BTreeMap::new());
    let steps = plan.steps();
    let mut written: BTreeSet<&[u8]> = BTreeSet::new();
    for step in &steps {
        match step {
            Step::Put(keys, values) => {
                assert_eq!(keys.len(), values.len());
                assert!(keys.len() <= STEP_ENTRIES);
                let before_last: usize = values.iter().rev().skip(1).map(|value| value.len()).sum();
                assert!(before_last < STEP_BYTES);
                written.extend(keys);
            }
            Step::Delete(keys) => {
                assert!(keys.len() <= STEP_ENTRIES);
                written.extend(keys);
            }
        }
    }
    assert_eq!(written.len(), plan.writes.len());
    assert!(steps.len() <= 8, "{} statements", steps.len());
}

fn one_after_the_other(
    batches: &[&Batch],
    mut entries: BTreeMap<Vec<u8>, Vec<u8>>,
) -> (BTreeMap<Vec<u8>, Vec<u8>>, BTreeSet<usize>) {
    let mut conflicts = BTreeSet::new();
    for (at, batch) in batches.iter().enumerate() {
        if batch.guard.as_ref().is_some_and(|guard| entries.get(&guard.key) != guard.expected.as_ref()) {
            conflicts.insert(at);
            continue;
        }
        for write in &batch.writes {
            match write {
                Write::Put(key, value) => entries.insert(key.clone(), value.clone()),
                Write::Delete(key) => entries.remove(key),
            };
        }
    }
    (entries, conflicts)
}

fn batch(dice: &mut Dice) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..dice.below(4) {
        match dice.below(3) {
            0 => batch.delete([dice.below(4)]),
            _ => batch.put([dice.below(4)], [dice.below(3)]),
        };
    }
    if dice.below(3) > 0 {
        let expected = (dice.below(3) > 0).then(|| vec![dice.below(3)]);
        batch.guard([dice.below(4)], expected);
    }
    batch
}

/// Knuth's MMIX; the low bits are poor, so the high ones count.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u8) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u8
    }
}
