//! Finding objects by class and by what they link to, in the order in which they came, page by page.

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use hhs_model::ObjectId;

use super::index::Selector;
use super::keys;
use super::{Store, StoreError};
use crate::backend::{KeyRange, Limit, Order, prefix_range};

/// Which objects to find. Without more it finds all, the ones that came first first.
///
/// ```
/// # use hhs_store::Query;
/// # use hhs_model::ObjectId;
/// # let id = ObjectId::of(b"");
/// let newest = Query::class("chat/v1/Message").descending().limit(20);
/// let answers = Query::referencing(id).by_class("chat/v1/Message").at("answers/*");
/// ```
#[derive(Debug, Clone)]
pub struct Query {
    target: Option<ObjectId>,
    class: Option<String>,
    path: Option<String>,
    order: Order,
    after: Option<Cursor>,
    limit: usize,
}

/// Where an object stands in the order in which objects came to this store. It stays when others come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(super) u64);

/// An object that a query found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Where it stands: what the next page comes [after](Query::after).
    pub cursor: Cursor,
    /// Its id.
    pub id: ObjectId,
}

/// What a page has unless more or less is asked for.
const DEFAULT_LIMIT: usize = 100;
/// Index entries that are read at once.
const AT_ONCE: usize = 512;

impl Query {
    /// All objects.
    pub fn all() -> Self {
        Self { target: None, class: None, path: None, order: Order::Ascending, after: None, limit: DEFAULT_LIMIT }
    }

    /// The objects of a class.
    pub fn class(name: impl Into<String>) -> Self {
        Self { class: Some(name.into()), ..Self::all() }
    }

    /// The objects that link to this one, which need not be here. Ops have no part in this.
    pub fn referencing(target: impl Into<ObjectId>) -> Self {
        Self { target: Some(target.into()), ..Self::all() }
    }

    /// Only those of a class.
    pub fn by_class(self, name: impl Into<String>) -> Self {
        Self { class: Some(name.into()), ..self }
    }

    /// Only those whose link is at a path of this [pattern](hhs_model::object::Path::pattern), such as `photos/*/image`. It
    /// narrows what [`referencing`](Self::referencing) finds.
    pub fn at(self, pattern: impl Into<String>) -> Self {
        Self { path: Some(pattern.into()), ..self }
    }

    /// The ones that came last first.
    pub fn descending(self) -> Self {
        Self { order: Order::Descending, ..self }
    }

    pub(super) fn ascending(self) -> Self {
        Self { order: Order::Ascending, ..self }
    }

    /// Only what stands behind this in the order that is asked for.
    pub fn after(self, cursor: Cursor) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// At most so many; 100 unless said.
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Where the index entries of what it finds are.
    fn prefix(&self) -> Vec<u8> {
        let class = self.class.as_deref().map(Selector::class);
        match (self.target, class) {
            (Some(target), class) => keys::references(target, Selector::link(class, self.path.as_deref())),
            (None, Some(class)) => keys::all_of_class(class),
            (None, None) => vec![keys::ID_OF],
        }
    }

    /// The part of the range of `prefix` that is left after a cursor.
    fn range(&self, prefix: &[u8], after: Option<Cursor>) -> KeyRange {
        let (start, end) = prefix_range(prefix);
        let Some(Cursor(number)) = after else { return (start, end) };
        let key = Bound::Excluded([prefix, &number.to_be_bytes()].concat());
        match self.order {
            Order::Ascending => (key, end),
            Order::Descending => (start, key),
        }
    }
}

impl Store {
    /// One page of what a query finds. It is empty only if there is no more.
    ///
    /// Pages stay right while others write: what was there from the first page on is found once, what comes meanwhile at
    /// most once (always, in ascending order), what is deleted meanwhile at most once. Costs a look-up for each object found.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn query(&self, query: &Query) -> Result<Vec<Found>, StoreError> {
        let prefix = query.prefix();
        let (mut found, mut after) = (Vec::new(), query.after);
        while found.len() < query.limit {
            let limit = Limit { entries: AT_ONCE.min(query.limit - found.len()), bytes: usize::MAX };
            let entries = self.backend().scan(query.range(&prefix, after), query.order, limit).await?;
            let numbers: Vec<u64> =
                entries.iter().map(|(key, _)| keys::number(key, prefix.len())).collect::<Result<_, _>>()?;
            let Some(last) = numbers.last() else { break };
            after = Some(Cursor(*last));
            let wanted: Vec<Vec<u8>> = numbers.iter().map(|number| keys::id_of(*number)).collect();
            for (number, id) in numbers.iter().zip(self.backend().get_many(&wanted).await?) {
                // One that is not there was deleted between the two readings.
                if let Some(id) = id {
                    found.push(Found { cursor: Cursor(*number), id: keys::id_at(&id, 0)? });
                }
            }
        }
        Ok(found)
    }

    /// Where the last object stands that has come so far; after it come only new ones.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn last_cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let last = self.query(&Query::all().descending().limit(1)).await?;
        Ok(last.first().map(|found| found.cursor))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
