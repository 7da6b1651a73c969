//! What lies below lists, held to vectors.

use proptest::collection::vec;
use proptest::prelude::*;

use super::pieces::{Item, Pieces};
use super::siblings::Siblings;
use super::tree::Tree;

proptest! {
    /// Tokens come anywhere, and get and lose measures: the tree finds and counts what the vector does.
    #[test]
    fn a_tree_counts_as_a_vector_does(steps in vec((any::<u16>(), any::<bool>(), any::<bool>()), 1..400)) {
        let (mut tree, mut tokens) = (Tree::new(), Vec::<(u32, bool)>::new());
        for (pick, is_new, on) in steps {
            let at = usize::from(pick) % (tokens.len() + 1);
            if is_new || at == tokens.len() {
                let before = at.checked_sub(1).map(|before| tokens[before].0);
                tokens.insert(at, (tree.insert_after(before), false));
            } else {
                tree.set(tokens[at].0, 1, on);
                tokens[at].1 = on;
            }
        }
        let mut rank = 0;
        for (place, (token, on)) in tokens.iter().enumerate() {
            prop_assert_eq!(tree.rank(*token, 1), rank);
            prop_assert_eq!(tree.place(*token) as usize, place);
            if *on {
                prop_assert_eq!(tree.find(1, rank), Some(*token));
                rank += 1;
            }
        }
        prop_assert_eq!(tree.count(1), rank);
        let on: Vec<u32> = tokens.iter().filter(|(_, on)| *on).map(|(token, _)| *token).collect();
        prop_assert_eq!(tree.iter(1, 0).collect::<Vec<_>>(), on.clone());
        let half = on.len() / 2;
        prop_assert_eq!(tree.iter(1, half as u32).collect::<Vec<_>>(), &on[half..]);
    }

    /// Items come and go anywhere: the pieces hold what the vector does.
    #[test]
    fn pieces_are_as_a_vector(len in 0..10_usize, steps in vec((0..20_usize, 0..3_u8), 1..60)) {
        let mut pieces = Pieces::new(len);
        let mut items: Vec<Item> = (0..len).map(Item::Base).collect();
        for (fresh, (at, kind)) in steps.into_iter().enumerate() {
            if kind == 0 {
                let gone = (at < items.len()).then(|| items.remove(at));
                prop_assert_eq!(pieces.remove(at), gone);
            } else {
                pieces.insert(at, Item::Fresh(fresh));
                items.insert(at.min(items.len()), Item::Fresh(fresh));
            }
            prop_assert_eq!(pieces.len(), items.len());
        }
        for (at, item) in items.iter().enumerate() {
            prop_assert_eq!(pieces.get(at), Some(*item));
            prop_assert_eq!(pieces.index_of(*item), Some(at));
        }
        prop_assert_eq!(pieces.get(items.len()), None);
    }

    /// Siblings come in any order, more of them than fit into a piece: they stand in theirs.
    #[test]
    fn siblings_stand_in_their_order(order in Just((0..1500_u32).collect::<Vec<_>>()).prop_shuffle()) {
        let mut siblings = Siblings::default();
        for slot in &order {
            let gap = siblings.gap(|other| other.cmp(slot));
            prop_assert!(gap.before.is_none_or(|before| before < *slot));
            siblings.insert(*slot, gap);
        }
        for slot in 1..1500 {
            prop_assert_eq!(siblings.gap(|other| other.cmp(&slot)).before, Some(slot - 1));
        }
    }
}
