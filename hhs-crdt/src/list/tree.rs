//! A sequence of tokens that finds the n-th of a kind, and says how many of a kind stand before one, in logarithmic time.
//!
//! A B-tree whose nodes count, for each measure, the tokens below them that have it. Tokens are numbered as they come and
//! never taken out. Balanced whatever the order of inserts, which others choose.

/// What tokens are counted by. Every token counts as one of the last.
pub(crate) const MEASURES: usize = 4;
/// All tokens.
const ALL: usize = MEASURES - 1;

const WIDTH: usize = 32;
const NONE: u32 = u32::MAX;

/// Tokens in their order.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: u32,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    leaf: u32,
    /// A bit for each measure that it has.
    bits: u8,
}

#[derive(Debug, Clone)]
struct Node {
    parent: u32,
    is_leaf: bool,
    sums: [u32; MEASURES],
    /// Tokens in a leaf, nodes elsewhere.
    items: Vec<u32>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let root = Node { parent: NONE, is_leaf: true, sums: [0; MEASURES], items: Vec::new() };
        Self { nodes: vec![root], root: 0, tokens: Vec::new() }
    }

    /// How many tokens have a measure.
    pub(crate) fn count(&self, measure: usize) -> u32 {
        self.nodes[self.root as usize].sums[measure]
    }

    /// Adds a token behind another, or before all of them, and returns its number.
    pub(crate) fn insert_after(&mut self, before: Option<u32>) -> u32 {
        let (leaf, at) = match before {
            Some(token) => {
                let leaf = self.tokens[token as usize].leaf;
                (leaf, self.place_in(leaf, token) + 1)
            }
            None => (self.first_leaf(), 0),
        };
        let token = number(self.tokens.len());
        self.tokens.push(Token { leaf, bits: 1 << ALL });
        self.nodes[leaf as usize].items.insert(at, token);
        self.add(leaf, ALL, true);
        self.split(leaf);
        token
    }

    /// Whether a token has a measure.
    pub(crate) fn has(&self, token: u32, measure: usize) -> bool {
        self.tokens[token as usize].bits >> measure & 1 == 1
    }

    /// Gives a token a measure, or takes it away.
    pub(crate) fn set(&mut self, token: u32, measure: usize, on: bool) {
        if self.has(token, measure) != on {
            self.tokens[token as usize].bits ^= 1 << measure;
            self.add(self.tokens[token as usize].leaf, measure, on);
        }
    }

    /// How many tokens before this one have a measure.
    pub(crate) fn rank(&self, token: u32, measure: usize) -> u32 {
        let mut child = self.tokens[token as usize].leaf;
        let before = self.nodes[child as usize].items.iter().take_while(|item| **item != token);
        let mut rank = number(before.filter(|item| self.has(**item, measure)).count());
        loop {
            let parent = self.nodes[child as usize].parent;
            if parent == NONE {
                return rank;
            }
            let before = self.nodes[parent as usize].items.iter().take_while(|item| **item != child);
            rank += before.map(|item| self.nodes[*item as usize].sums[measure]).sum::<u32>();
            child = parent;
        }
    }

    /// How many tokens stand before this one.
    pub(crate) fn place(&self, token: u32) -> u32 {
        self.rank(token, ALL)
    }

    /// The token that has a measure and `rank` such ones before it.
    pub(crate) fn find(&self, measure: usize, mut rank: u32) -> Option<u32> {
        if rank >= self.count(measure) {
            return None;
        }
        let mut node = &self.nodes[self.root as usize];
        while !node.is_leaf {
            let mut children = node.items.iter().map(|item| &self.nodes[*item as usize]);
            node = children.find(|child| {
                let here = rank < child.sums[measure];
                if !here {
                    rank -= child.sums[measure];
                }
                here
            })?;
        }
        node.items.iter().copied().filter(|token| self.has(*token, measure)).nth(rank as usize)
    }

    /// The tokens that have a measure, from the one that has `rank` such ones before it.
    pub(crate) fn iter(&self, measure: usize, rank: u32) -> Iter<'_> {
        let next = self.find(measure, rank).map(|token| {
            let leaf = self.tokens[token as usize].leaf;
            (leaf, self.place_in(leaf, token))
        });
        Iter { tree: self, measure, next, left: self.count(measure).saturating_sub(rank) }
    }

    fn place_in(&self, leaf: u32, token: u32) -> usize {
        let at = self.nodes[leaf as usize].items.iter().position(|item| *item == token);
        at.expect("a token is in its leaf")
    }

    fn first_leaf(&self) -> u32 {
        let mut node = self.root;
        while !self.nodes[node as usize].is_leaf {
            node = self.nodes[node as usize].items[0];
        }
        node
    }

    /// The leaf behind this one that has tokens of a measure.
    fn next_leaf(&self, mut node: u32, measure: usize) -> Option<u32> {
        let has = |node: &u32| self.nodes[*node as usize].sums[measure] > 0;
        let mut next = loop {
            let parent = self.nodes[node as usize].parent;
            if parent == NONE {
                return None;
            }
            let mut behind = self.nodes[parent as usize].items.iter().skip_while(|item| **item != node).skip(1);
            if let Some(next) = behind.find(|item| has(item)) {
                break *next;
            }
            node = parent;
        };
        while !self.nodes[next as usize].is_leaf {
            next = *self.nodes[next as usize].items.iter().find(|item| has(item))?;
        }
        Some(next)
    }

    fn add(&mut self, mut node: u32, measure: usize, on: bool) {
        while node != NONE {
            let node_ref = &mut self.nodes[node as usize];
            let sum = &mut node_ref.sums[measure];
            *sum = if on { *sum + 1 } else { *sum - 1 };
            node = node_ref.parent;
        }
    }

    fn split(&mut self, mut node: u32) {
        while self.nodes[node as usize].items.len() > WIDTH {
            let new = number(self.nodes.len());
            let parent = match self.nodes[node as usize].parent {
                NONE => self.grow(),
                parent => parent,
            };
            let new = if parent == new { new + 1 } else { new };
            let half = &mut self.nodes[node as usize];
            let (items, is_leaf) = (half.items.split_off(WIDTH / 2), half.is_leaf);
            for item in &items {
                match is_leaf {
                    true => self.tokens[*item as usize].leaf = new,
                    false => self.nodes[*item as usize].parent = new,
                }
            }
            self.nodes.push(Node { parent, is_leaf, sums: [0; MEASURES], items });
            self.count_again(node);
            self.count_again(new);
            let siblings = &mut self.nodes[parent as usize].items;
            let at = siblings.iter().position(|item| *item == node).expect("a node is among its parent's");
            siblings.insert(at + 1, new);
            node = parent;
        }
    }

    /// Puts a new root above the old one.
    fn grow(&mut self) -> u32 {
        let (old, new) = (self.root, number(self.nodes.len()));
        let sums = self.nodes[old as usize].sums;
        self.nodes.push(Node { parent: NONE, is_leaf: false, sums, items: vec![old] });
        self.nodes[old as usize].parent = new;
        self.root = new;
        new
    }

    fn count_again(&mut self, node: u32) {
        let Node { is_leaf, items, .. } = &self.nodes[node as usize];
        let mut sums = [0; MEASURES];
        for item in items {
            for (measure, sum) in sums.iter_mut().enumerate() {
                *sum += match is_leaf {
                    true => u32::from(self.has(*item, measure)),
                    false => self.nodes[*item as usize].sums[measure],
                };
            }
        }
        self.nodes[node as usize].sums = sums;
    }
}

/// See [`Tree::iter`].
#[derive(Debug, Clone)]
pub(crate) struct Iter<'a> {
    tree: &'a Tree,
    measure: usize,
    /// A leaf, and a place in it at or before the next token.
    next: Option<(u32, usize)>,
    left: u32,
}

impl Iterator for Iter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let (leaf, at) = self.next?;
            let Some(token) = self.tree.nodes[leaf as usize].items.get(at) else {
                self.next = self.tree.next_leaf(leaf, self.measure).map(|leaf| (leaf, 0));
                continue;
            };
            self.next = Some((leaf, at + 1));
            if self.tree.has(*token, self.measure) {
                self.left -= 1;
                return Some(*token);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A count of what is in memory, which no memory holds 2³² of.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2³² things are in memory")
}
