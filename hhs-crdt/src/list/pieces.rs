//! A list while it is edited: pieces of what it was, and what is new between them. Costs time in the pieces.

/// An item of the list that is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// By its index before the edit.
    Base(usize),
    /// By the number under which it came.
    Fresh(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    len: usize,
}

/// Items with numbers that follow each other.
#[derive(Debug, Clone, Copy)]
struct Piece {
    first: Item,
    len: usize,
}

impl Piece {
    fn item(self, at: usize) -> Item {
        match self.first {
            Item::Base(first) => Item::Base(first + at),
            Item::Fresh(first) => Item::Fresh(first + at),
        }
    }

    fn place_of(self, item: Item) -> Option<usize> {
        let place = match (self.first, item) {
            (Item::Base(first), Item::Base(item)) | (Item::Fresh(first), Item::Fresh(item)) => item.checked_sub(first),
            _ => None,
        };
        place.filter(|place| *place < self.len)
    }
}

impl Pieces {
    pub(super) fn new(len: usize) -> Self {
        Self { pieces: vec![Piece { first: Item::Base(0), len }], len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, index: usize) -> Option<Item> {
        let (piece, within) = self.find(index)?;
        Some(self.pieces[piece].item(within))
    }

    /// Where an item stands.
    pub(super) fn index_of(&self, item: Item) -> Option<usize> {
        let mut before = 0;
        for piece in &self.pieces {
            if let Some(place) = piece.place_of(item) {
                return Some(before + place);
            }
            before += piece.len;
        }
        None
    }

    /// Puts an item in; at the end, if the index is further.
    pub(super) fn insert(&mut self, index: usize, item: Item) {
        self.len += 1;
        let new = Piece { first: item, len: 1 };
        let (at, within) = self.find_gap(index);
        // What is inserted one behind the other stays one piece.
        if within == 0
            && let Some(last) = at.checked_sub(1).map(|at| &mut self.pieces[at])
            && last.item(last.len) == item
        {
            last.len += 1;
        } else if within == 0 {
            self.pieces.insert(at, new);
        } else {
            let whole = self.pieces[at];
            let rest = Piece { first: whole.item(within), len: whole.len - within };
            self.pieces[at].len = within;
            self.pieces.splice(at + 1..at + 1, [new, rest]);
        }
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<Item> {
        let (at, within) = self.find(index)?;
        self.len -= 1;
        let whole = self.pieces[at];
        let rest = Piece { first: whole.item(within + 1), len: whole.len - within - 1 };
        let kept = [Piece { len: within, ..whole }, rest].into_iter().filter(|piece| piece.len > 0);
        self.pieces.splice(at..=at, kept);
        Some(whole.item(within))
    }

    fn find(&self, mut index: usize) -> Option<(usize, usize)> {
        for (at, piece) in self.pieces.iter().enumerate() {
            if index < piece.len {
                return Some((at, index));
            }
            index -= piece.len;
        }
        None
    }

    /// The piece that begins at an index, or that it lies in.
    fn find_gap(&self, index: usize) -> (usize, usize) {
        self.find(index).unwrap_or((self.pieces.len(), 0))
    }
}
