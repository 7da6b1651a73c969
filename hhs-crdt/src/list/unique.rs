//! `UniqueList`: values in an order, none of them twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;

use hhs_model::class::{Action, Changes, LoadError, Loader, OpContext, PathSegment, Saver, event_value};
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

use super::arrangement::{Arrangement, SEEN, SHOWN};
use super::diff::steps;
use super::mutation::Fields;
use super::pieces::{Item, Pieces};
use super::undo::Behind;
use crate::field::{At, Field, Recorded};

/// Values in an order, none of them twice.
///
/// - State: the values that effective ops inserted and that were not removed since, each at the place of its last insert.
/// - Mutations: [`UniqueListMutation`]. Inserting what is there moves it. Indexes mean the list as their author saw it, as those
///   of a [`List`](crate::List) do.
/// - Concurrency: a value that several insert at once is there once, where the insert at the greatest
///   [position](crate::Position) put it. A remove takes back the inserts because of which its author saw the value, so that one
///   that it has not seen, a move too, wins. (It takes back 16 of them at most: with more that are concurrent, which nobody has
///   but on purpose, the value is still there.)
/// - Cost: as a list, and each value twice.
///
/// The order of `T` has to agree with its canonical bytes: equal values have equal bytes.
#[derive(Clone)]
pub struct UniqueList<T> {
    arrangement: Arrangement,
    numbers: BTreeMap<T, u32>,
    /// By the numbers of the elements.
    values: Vec<T>,
}

/// A change of a [`UniqueList`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UniqueListMutation<T> {
    /// The values stand there one behind the other, and nowhere else.
    Insert {
        /// The index of the first, where it does not count itself if it was there.
        at: u64,
        /// The values; at least one.
        items: Vec<T>,
    },
    /// The value is gone.
    Remove {
        /// Its index.
        at: u64,
    },
}

impl<T> Default for UniqueList<T> {
    fn default() -> Self {
        Self { arrangement: Arrangement::default(), numbers: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T> UniqueList<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.arrangement.len(SHOWN) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value with this index.
    pub fn get(&self, index: usize) -> Option<&T> {
        let element = self.arrangement.element(SHOWN, u32::try_from(index).ok()?)?;
        Some(&self.values[element as usize])
    }

    /// The values, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.arrangement.iter(0).map(|element| &self.values[element as usize])
    }
}

impl<T: Ord> UniqueList<T> {
    /// Where a value stands, if it is there.
    pub fn index_of(&self, value: &T) -> Option<usize> {
        Some(self.arrangement.index(SHOWN, *self.numbers.get(value)?)? as usize)
    }

    /// Whether a value is there.
    pub fn contains(&self, value: &T) -> bool {
        self.index_of(value).is_some()
    }
}

impl<T: Ord + Encode + Decode + Clone + Send + Sync + 'static> Field for UniqueList<T> {
    const POSITIONAL: bool = true;
    const AUTHORISED: bool = false;

    type Mutation = UniqueListMutation<T>;
    type Edit<'a> = UniqueListEdit<'a, T>;

    fn apply(&mut self, mutation: UniqueListMutation<T>, at: At<'_>, changes: &mut Changes) {
        self.write(mutation, at, true, changes);
    }

    fn shadow(&mut self, mutation: UniqueListMutation<T>, at: At<'_>) {
        self.write(mutation, at, false, &mut Changes::unwatched());
    }

    fn edit(&self) -> UniqueListEdit<'_, T> {
        UniqueListEdit::new(self)
    }

    fn finish(edit: UniqueListEdit<'_, T>) -> Recorded<UniqueListMutation<T>> {
        edit.mutations.into()
    }

    fn undo(&self, mutation: &UniqueListMutation<T>, at: At<'_>, before: &Self) -> Vec<UniqueListMutation<T>> {
        self.undo_all(&[(at.index, mutation)], at.op, before)
    }

    fn undo_all(
        &self,
        mutations: &[(u32, &UniqueListMutation<T>)],
        op: &OpContext<'_>,
        before: &Self,
    ) -> Vec<UniqueListMutation<T>> {
        let removes = mutations.iter().filter(|(_, mutation)| matches!(mutation, UniqueListMutation::Remove { .. }));
        let removes: BTreeSet<u32> = removes.map(|(index, _)| *index).collect();
        let was = |element: u32| {
            let slot = before.arrangement.visible(SHOWN, *before.numbers.get(&self.values[element as usize])?)?;
            self.arrangement.named(before.arrangement.name(slot))
        };
        let indexes = mutations.iter().map(|(index, _)| *index);
        let plan = self.arrangement.plan(&op.id, indexes, |index| removes.contains(&index), was);
        let mut edit = UniqueListEdit::new(self);
        let value = |element: u32| &self.values[element as usize];
        for element in &plan.goes {
            edit.remove(value(*element));
        }
        let mut last = None;
        for (element, behind) in plan.puts() {
            let behind = match behind {
                Behind::Front => None,
                Behind::Index(index) => edit.pieces.index_of(Item::Base(index)),
                Behind::Last => last.and_then(|last| edit.index_now(value(last))),
            };
            let (to, now) = (behind.map_or(0, |behind| behind + 1), edit.index_now(value(element)));
            edit.insert(if now.is_some_and(|now| to > now) { to - 1 } else { to }, value(element).clone());
            last = Some(element);
        }
        edit.mutations
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        if changes.is_watched() {
            let now = |value: &T| newer.index_of(value).and_then(|index| u32::try_from(index).ok());
            let stands: Vec<_> = self.iter().map(now).collect();
            let new = (0..).zip(newer.iter()).filter(|(_, value)| !self.contains(value));
            let new: Vec<u32> = new.map(|(index, _)| index).collect();
            steps(&stands, &new).into_iter().for_each(|step| changes.report(|| step));
            for index in new {
                let element = newer.arrangement.element(SHOWN, index);
                element.into_iter().for_each(|element| newer.tell(index, element, changes));
            }
        }
    }

    fn save(&self, saver: &mut Saver) {
        self.arrangement.save(saver);
        for value in &self.values {
            saver.value(value);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut list = Self { arrangement: Arrangement::load(loader, false)?, ..Self::default() };
        for element in 0..super::tree::number(list.arrangement.elements.len()) {
            let value: T = loader.value()?;
            list.values.push(value.clone());
            if list.numbers.insert(value, element).is_some() {
                return Err(LoadError::Damaged("a value is in a list twice"));
            }
        }
        Ok(list)
    }
}

impl<T: Ord + Encode + Clone> UniqueList<T> {
    fn write(&mut self, mutation: UniqueListMutation<T>, at: At<'_>, effective: bool, changes: &mut Changes) {
        self.arrangement.enter(at.op, effective);
        match mutation {
            UniqueListMutation::Insert { at: index, items } => {
                let mut left = None;
                for value in items {
                    left = Some(self.insert(index, left, value, at, changes));
                }
            }
            UniqueListMutation::Remove { at: index } => {
                let seen = u32::try_from(index).ok().and_then(|index| self.arrangement.element(SEEN, index));
                if let Some(element) = seen {
                    let before = self.arrangement.index(SHOWN, element);
                    self.arrangement.take(element, at.index);
                    self.arrangement.report(element, before, changes);
                }
            }
        }
    }

    /// Puts a value at an index, or behind the one before it in the same mutation.
    fn insert(&mut self, index: u64, left: Option<u32>, value: T, at: At<'_>, changes: &mut Changes) -> u32 {
        let element = self.number(value);
        let before = self.arrangement.index(SHOWN, element);
        let left = left.unwrap_or_else(|| self.arrangement.left_without(element, index));
        if self.arrangement.visible(SEEN, element).is_some() {
            self.arrangement.take(element, at.index);
        }
        let slot = self.arrangement.place(left, element, true, at.index, true);
        self.arrangement.report(element, before, changes);
        if let (None, Some(index)) = (before, self.arrangement.index(SHOWN, element)) {
            self.tell(index, element, changes);
        }
        slot
    }

    /// Says which value stands at an index, where none did.
    fn tell(&self, index: u32, element: u32, changes: &mut Changes) {
        let new = || Some(event_value(&self.values[element as usize]));
        changes.within(PathSegment::Index(index.into()), |changes| {
            changes.report(|| Action::Set { old: None, new: new() });
        });
    }

    fn number(&mut self, value: T) -> u32 {
        if let Some(element) = self.numbers.get(&value) {
            return *element;
        }
        let element = self.arrangement.add();
        self.values.push(value.clone());
        self.numbers.insert(value, element);
        element
    }
}

impl<T: PartialEq> PartialEq for UniqueList<T> {
    /// Whether they show the same values.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for UniqueList<T> {}

impl<T: fmt::Debug> fmt::Debug for UniqueList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Records writes to a [`UniqueList`]. Indexes count in the list as the edit has made it so far; it dereferences to the list as it
/// was when the edit began.
pub struct UniqueListEdit<'a, T> {
    state: &'a UniqueList<T>,
    mutations: Vec<UniqueListMutation<T>>,
    pieces: Pieces,
    /// What the edit has put in; of a value the last one counts.
    fresh: Vec<T>,
    fresh_numbers: BTreeMap<T, usize>,
}

impl<'a, T: Ord + Clone> UniqueListEdit<'a, T> {
    fn new(state: &'a UniqueList<T>) -> Self {
        let pieces = Pieces::new(state.len());
        Self { state, mutations: Vec::new(), pieces, fresh: Vec::new(), fresh_numbers: BTreeMap::new() }
    }

    /// How many values there are now.
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    /// Where a value stands now.
    pub fn index_now(&self, value: &T) -> Option<usize> {
        let fresh = self.fresh_numbers.get(value).and_then(|number| self.pieces.index_of(Item::Fresh(*number)));
        fresh.or_else(|| self.pieces.index_of(Item::Base(self.state.index_of(value)?)))
    }

    /// Puts a value in, or moves it, so that it stands at this index afterwards; at the end, if that is beyond.
    pub fn insert(&mut self, index: usize, value: T) {
        let was = self.index_now(&value).and_then(|index| self.pieces.remove(index));
        let index = index.min(self.count());
        self.pieces.insert(index, Item::Fresh(self.fresh.len()));
        self.fresh_numbers.insert(value.clone(), self.fresh.len());
        self.fresh.push(value.clone());
        let place = index as u64;
        match self.mutations.last_mut() {
            // One mutation may not rest on what it has moved itself.
            Some(UniqueListMutation::Insert { at, items }) if was.is_none() && *at + items.len() as u64 == place => {
                items.push(value);
            }
            _ => self.mutations.push(UniqueListMutation::Insert { at: place, items: vec![value] }),
        }
    }

    /// Appends a value, or moves it to the end.
    pub fn push(&mut self, value: T) {
        self.insert(usize::MAX, value);
    }

    /// Takes a value out; whether it was there.
    pub fn remove(&mut self, value: &T) -> bool {
        self.index_now(value).is_some_and(|index| self.remove_at(index))
    }

    /// Takes the value with this index out; whether there was one.
    pub fn remove_at(&mut self, index: usize) -> bool {
        let there = self.pieces.remove(index).is_some();
        if there {
            self.mutations.push(UniqueListMutation::Remove { at: index as u64 });
        }
        there
    }

    /// Moves a value, so that it stands at `to` afterwards, or at the end if that is beyond; whether there was one.
    pub fn move_to(&mut self, from: usize, to: usize) -> bool {
        let value = match self.pieces.get(from) {
            Some(Item::Base(index)) => self.state.get(index).cloned(),
            Some(Item::Fresh(number)) => self.fresh.get(number).cloned(),
            None => None,
        };
        let there = value.is_some();
        value.filter(|_| from != to).into_iter().for_each(|value| self.insert(to, value));
        there
    }
}

impl<T> Deref for UniqueListEdit<'_, T> {
    type Target = UniqueList<T>;

    fn deref(&self) -> &UniqueList<T> {
        self.state
    }
}

impl<T> fmt::Debug for UniqueListEdit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UniqueListEdit").field("mutations", &self.mutations.len()).finish_non_exhaustive()
    }
}

impl<T: Encode> Encode for UniqueListMutation<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(1);
        match self {
            Self::Insert { at, items } => {
                encoder.key("insert").map(2).key("at").uint(*at).key("items").value(items);
            }
            Self::Remove { at } => {
                encoder.key("remove").uint(*at);
            }
        }
    }
}

/// Closed: an entry that is not known could be one that changes the meaning.
impl<T: Decode> Decode for UniqueListMutation<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut outer = Fields::open(decoder)?;
        let mutation = match outer.key(decoder)? {
            Some("insert") => {
                let mut map = Fields::open(decoder)?;
                let (at, items): (_, Vec<T>) = (map.value(decoder, "at")?, map.value(decoder, "items")?);
                if items.is_empty() {
                    return Err(DecodeError::Invalid("a mutation of a list inserts nothing"));
                }
                map.close(decoder)?;
                Self::Insert { at, items }
            }
            Some("remove") => Self::Remove { at: decoder.uint()? },
            _ => return Err(DecodeError::Invalid("a mutation of a list is not one of those that there are")),
        };
        outer.close(decoder)?;
        Ok(mutation)
    }
}
