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
    /// A field of a replica.
    Field(&'static str),
    /// A key of a map.
    Key(String),
}

/// What happened to a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A register has another value.
    Set {
        /// The value before, if there was one.
        old: Option<Value>,
        /// The value now.
        new: Value,
    },
    /// An entry stands in a log; not always as the last one.
    Inserted {
        /// The entry.
        value: Value,
    },
    /// An element is in a set that was not.
    Added {
        /// The element.
        value: Value,
    },
    /// An element is no longer in a set.
    Removed {
        /// The element.
        value: Value,
    },
    /// An identity holds capabilities that it did not hold.
    Granted {
        /// The identity.
        to: IdentityId,
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
