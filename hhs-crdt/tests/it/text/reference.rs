//! What a text is, by definition: a tree of characters, built op by op, each from what its author saw.
//!
//! An inserted character is the right child of the visible character before it, or, where its author knew of right children of that
//! one, the left child of the one that came next, gone ones included. In the order of the text come, for each character, its left
//! children, itself, its right children; siblings by the id of their op.

use std::collections::BTreeSet;

use hhs_model::OpId;

/// An op on a text.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) id: OpId,
    pub(crate) author: usize,
    pub(crate) parents: BTreeSet<usize>,
    pub(crate) void: bool,
    /// Ops of its past that its author took for void.
    pub(crate) hidden: BTreeSet<usize>,
    /// From front to back: how many stay, how many go, what comes.
    pub(crate) edits: Vec<(u32, u32, String)>,
}

/// All ops, parents first, and the characters that they insert.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    pub(crate) ops: Vec<Op>,
    chars: Vec<Char>,
}

#[derive(Debug, Clone)]
struct Char {
    op: usize,
    char: char,
    parent: Option<usize>,
    left: bool,
    deleted_by: BTreeSet<usize>,
}

impl Reference {
    /// Everything at or below an op.
    pub(crate) fn past(&self, op: usize) -> BTreeSet<usize> {
        let mut past = BTreeSet::new();
        let mut left = vec![op];
        while let Some(next) = left.pop() {
            if past.insert(next) {
                left.extend(&self.ops[next].parents);
            }
        }
        past
    }

    /// Adds an op on top of those that are there.
    pub(crate) fn push(&mut self, op: Op) {
        let edits = op.edits.clone();
        let number = self.begin(op);
        self.write(number, &edits);
    }

    /// Adds an op that has not written anything so far, and returns its number.
    pub(crate) fn begin(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    /// The op that was added last edits what it has made of the text so far.
    pub(crate) fn write(&mut self, number: usize, edits: &[(u32, u32, String)]) {
        let (past, hidden) = (self.past(number), self.ops[number].hidden.clone());
        let mut at = 0;
        for (skip, delete, insert) in edits {
            for place in 0..*delete as usize {
                let visible = self.visible(&past, &hidden);
                if place == 0 {
                    at = visible.len().min(at + *skip as usize);
                }
                if let Some(char) = visible.get(at) {
                    self.chars[*char].deleted_by.insert(number);
                }
            }
            if *delete == 0 {
                at = self.visible(&past, &hidden).len().min(at + *skip as usize);
            }
            for char in insert.chars() {
                self.insert(number, &past, &hidden, at, char);
                at += 1;
            }
        }
    }

    fn insert(&mut self, op: usize, past: &BTreeSet<usize>, hidden: &BTreeSet<usize>, at: usize, char: char) {
        let before = at.checked_sub(1).map(|before| self.visible(past, hidden)[before]);
        let known: Vec<usize> = self.order().into_iter().filter(|char| past.contains(&self.chars[*char].op)).collect();
        let next = known.iter().position(|char| Some(*char) == before).map_or(0, |place| place + 1);
        let has_right = known.iter().any(|char| self.chars[*char].parent == before && !self.chars[*char].left);
        let (parent, left) = if has_right { (Some(known[next]), true) } else { (before, false) };
        self.chars.push(Char { op, char, parent, left, deleted_by: BTreeSet::new() });
    }

    /// All characters in their order, gone ones included.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        self.visit(None, &mut order);
        order
    }

    fn visit(&self, char: Option<usize>, order: &mut Vec<usize>) {
        let children = |left: bool| {
            let mut children: Vec<usize> = (0..self.chars.len())
                .filter(|child| self.chars[*child].parent == char && self.chars[*child].left == left)
                .collect();
            children.sort_by_key(|child| self.ops[self.chars[*child].op].id);
            children
        };
        children(true).into_iter().filter(|_| char.is_some()).for_each(|child| self.visit(Some(child), order));
        order.extend(char);
        children(false).into_iter().for_each(|child| self.visit(Some(child), order));
    }

    fn visible(&self, past: &BTreeSet<usize>, hidden: &BTreeSet<usize>) -> Vec<usize> {
        let counts = |op: &usize| past.contains(op) && !hidden.contains(op);
        let visible = |char: &usize| counts(&self.chars[*char].op) && !self.chars[*char].deleted_by.iter().any(counts);
        self.order().into_iter().filter(visible).collect()
    }

    /// The characters that are shown, in their order.
    pub(crate) fn shown(&self) -> Vec<usize> {
        let all = (0..self.ops.len()).collect();
        let void = (0..self.ops.len()).filter(|op| self.ops[*op].void).collect();
        self.visible(&all, &void)
    }

    /// What it reads.
    pub(crate) fn text(&self) -> String {
        self.shown().into_iter().map(|char| self.chars[char].char).collect()
    }

    /// What a character reads.
    pub(crate) fn char(&self, char: usize) -> char {
        self.chars[char].char
    }

    /// One of the characters that an op inserts, counted from 0.
    pub(crate) fn char_of(&self, op: OpId, number: u32) -> Option<usize> {
        let mut of_op = (0..self.chars.len()).filter(|char| self.ops[self.chars[*char].op].id == op);
        of_op.nth(number as usize)
    }

    /// How long it is for who stands on some ops and takes some for void.
    pub(crate) fn len_for(&self, parents: &BTreeSet<usize>, hidden: &BTreeSet<usize>) -> usize {
        let past = parents.iter().flat_map(|parent| self.past(*parent)).collect();
        self.visible(&past, hidden).len()
    }

    /// The op that inserted each shown character, and which of the op's characters it is.
    pub(crate) fn origins(&self) -> Vec<(usize, u32)> {
        let number =
            |char: usize| (0..char).filter(|other| self.chars[*other].op == self.chars[char].op).count() as u32;
        self.shown().into_iter().map(|char| (self.chars[char].op, number(char))).collect()
    }

    /// How many characters are shown before each one that ever was, with the op and the number within it.
    pub(crate) fn places(&self) -> Vec<((usize, u32), usize)> {
        let (order, shown) = (self.order(), self.shown());
        let mut numbers = vec![0; self.ops.len()];
        let mut places = Vec::new();
        for (char, one) in self.chars.iter().enumerate() {
            let at = order.iter().position(|other| *other == char).expect("it is there");
            let before = order[..at].iter().filter(|other| shown.contains(other)).count();
            places.push(((one.op, numbers[one.op]), before));
            numbers[one.op] += 1;
        }
        places
    }

    /// An order of all ops that puts parents first, as `picks` say.
    pub(crate) fn order_of_ops(&self, picks: &[u16]) -> Vec<usize> {
        let (mut order, mut left): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..self.ops.len()).collect());
        while !left.is_empty() {
            let ready: Vec<usize> = left
                .iter()
                .copied()
                .filter(|op| self.ops[*op].parents.iter().all(|parent| order.contains(parent)))
                .collect();
            let pick = picks.get(order.len()).map_or(0, |pick| *pick as usize % ready.len());
            order.push(ready[pick]);
            left.retain(|op| *op != ready[pick]);
        }
        order
    }
}

/// The edits of a mutation as it stands in a payload, as the format page has it: how many stay, how many go, what comes.
pub(crate) fn edits(text: &str, bytes: &[u8]) -> Vec<(u32, u32, String)> {
    let (mut bytes, mut text, mut edits) = (bytes.iter(), text.chars(), Vec::new());
    let mut next = || {
        let (mut number, mut shift) = (0_u32, 0);
        loop {
            let byte = *bytes.next()?;
            number |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return Some(number);
            }
        }
    };
    while let Some(head) = next() {
        let mut counted = |bit: u32| if head & bit == 0 { 0 } else { next().expect("a count") };
        let (delete, insert) = (counted(1), counted(2));
        edits.push((head >> 2, delete, text.by_ref().take(insert as usize).collect()));
    }
    edits
}
