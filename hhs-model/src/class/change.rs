//! Change events: what is different after an op, and where.

use crate::codec::{Encode, Value};
use crate::id::{IdentityId, OpId};

/// One thing that an op has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The op.
    pub op: OpId,
    /// Who wrote it.
    pub author: IdentityId,
    /// Where: a field of the replica, then what is inside it.
    pub path: Vec<PathSegment>,
    /// What happened there.
    pub action: Action,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathSegment {
    /// A field of a replica, or of a struct of fields within.
    Field(&'static str),
    /// A key of a map.
    Key(Value),
    /// An element of a list: where it stands after the op, from 0.
    Index(u64),
}

/// What happened to a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A register has another value, or none.
    Set {
        /// The value before, if there was one.
        old: Option<Value>,
        /// The value now; none if the ops that had set it are void.
        new: Option<Value>,
    },
    /// A register that keeps concurrent values has others.
    Values {
        /// The values before.
        old: Vec<Value>,
        /// The values now.
        new: Vec<Value>,
    },
    /// A counter has another sum.
    Counted {
        /// The sum before.
        old: i64,
        /// The sum now.
        new: i64,
    },
    /// An entry stands in a log; not always as the last one.
    Inserted {
        /// The entry.
        value: Value,
    },
    /// An entry no longer stands in a log: the op that wrote it is void.
    Withdrawn {
        /// The entry.
        value: Value,
    },
    /// An element is in a set that was not, or a key in a map.
    Added {
        /// The element, or the key.
        value: Value,
    },
    /// An element is no longer in a set, or a key in a map.
    Removed {
        /// The element, or the key.
        value: Value,
    },
    /// Elements are in a list that were not.
    ListInserted {
        /// Where the first of them stands.
        at: u64,
        /// How many.
        count: u64,
    },
    /// Elements are no longer in a list.
    ListRemoved {
        /// Where the first of them stood.
        at: u64,
        /// How many.
        count: u64,
    },
    /// An element of a list stands elsewhere.
    Moved {
        /// Where it stood.
        from: u64,
        /// Where it stands once it is taken out there.
        to: u64,
    },
    /// A part of a text is another.
    Edited {
        /// Where, in code points.
        at: u64,
        /// How many code points are gone there.
        deleted: u64,
        /// What stands there instead.
        inserted: String,
    },
    /// A part of a text has another style.
    Marked {
        /// Its first code point.
        from: u64,
        /// The code point behind it.
        to: u64,
        /// The name of the mark.
        name: String,
        /// Its value now; none if it has no such mark.
        value: Option<Value>,
    },
    /// An identity holds capabilities that it did not hold.
    Granted {
        /// The identity.
        to: IdentityId,
    },
    /// An identity no longer holds capabilities that it held.
    Revoked {
        /// The identity.
        from: IdentityId,
    },
    /// A ledger has other entries in its order from here on, or other ones without effect.
    Reordered {
        /// The number of the first entry that differs, from 0.
        from: u64,
    },
    /// Entries of a ledger can no longer come to stand elsewhere.
    Settled {
        /// How many, from the first on.
        count: u64,
    },
}

impl Change {
    /// The field of the replica that has changed.
    pub fn field(&self) -> Option<&'static str> {
        match self.path.first() {
            Some(PathSegment::Field(name)) => Some(name),
            _ => None,
        }
    }
}

/// Collects changes while an op is applied, if anybody wants to know.
#[derive(Debug)]
pub struct Changes {
    context: Option<(OpId, IdentityId)>,
    path: Vec<PathSegment>,
    list: Vec<Change>,
}

impl Changes {
    /// Collects the changes of one op.
    pub fn of(op: OpId, author: IdentityId) -> Self {
        Self { context: Some((op, author)), path: Vec::new(), list: Vec::new() }
    }

    /// Collects nothing: nobody listens.
    pub fn unwatched() -> Self {
        Self { context: None, path: Vec::new(), list: Vec::new() }
    }

    /// Whether anybody listens; what is only for them need not be computed otherwise.
    pub fn is_watched(&self) -> bool {
        self.context.is_some()
    }

    /// Runs `apply` one step further down the path.
    pub fn within<T>(&mut self, segment: PathSegment, apply: impl FnOnce(&mut Self) -> T) -> T {
        if !self.is_watched() {
            return apply(self);
        }
        self.path.push(segment);
        let result = apply(self);
        self.path.pop();
        result
    }

    /// Reports a change at the present path.
    pub fn report(&mut self, action: impl FnOnce() -> Action) {
        if let Some((op, author)) = self.context {
            self.list.push(Change { op, author, path: self.path.clone(), action: action() });
        }
    }

    /// What was collected.
    pub fn into_vec(self) -> Vec<Change> {
        self.list
    }
}

/// A value as change events carry it; null if it has no canonical form.
///
/// What was decoded nearly always has one. But defaults are written where they were left out, so that a value of a few
/// bytes from a peer can exceed a block when it is written again: that must not panic.
pub fn event_value(value: &impl Encode) -> Value {
    Value::of(value).unwrap_or(Value::Null)
}
