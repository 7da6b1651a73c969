//! What waits, by what it waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hhs_model::{IdentityId, ObjectId, ReplicaId};

use crate::store::SignedOp;

/// Something that was brought.
#[derive(Debug)]
pub(super) enum Item {
    Op { replica: ReplicaId, identities: Vec<IdentityId>, signed: SignedOp },
    Object(Vec<u8>),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Op { signed, .. } => signed.header.len() + signed.payload.as_ref().map_or(0, Vec::len),
            Self::Object(bytes) => bytes.len(),
        }
    }
}

#[derive(Debug)]
struct Waiting {
    item: Item,
    /// When it came.
    number: u64,
    missing: BTreeSet<ObjectId>,
}

#[derive(Debug, Default)]
pub(super) struct Parked {
    waiting: BTreeMap<ObjectId, Waiting>,
    /// Who waits for what.
    waiters: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    /// In the order in which they came.
    order: BTreeMap<u64, ObjectId>,
    next: u64,
    /// Those that lack nothing any more.
    ready: VecDeque<ObjectId>,
    /// Identities that came along: kept once an op that names one is.
    identities: BTreeMap<IdentityId, Vec<u8>>,
    bytes: usize,
    /// What was refused for ever, so that what rests on it need not wait. Forgotten when it gets long.
    refused: BTreeSet<ObjectId>,
}

/// Refused ids that are remembered.
const REFUSED: usize = 16_384;

impl Parked {
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.identities.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_new(&self, id: ObjectId) -> bool {
        !self.waiting.contains_key(&id)
    }

    pub(super) fn exceeds(&self, items: usize, bytes: usize) -> bool {
        self.len() > items || self.bytes > bytes
    }

    /// What items wait for that does not wait itself.
    pub(super) fn missing(&self) -> impl Iterator<Item = ObjectId> {
        self.waiters.keys().copied().filter(|id| !self.waiting.contains_key(id))
    }

    pub(super) fn add_identity(&mut self, id: IdentityId, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        if let Some(before) = self.identities.insert(id, bytes) {
            self.bytes -= before.len();
        }
        self.arrive(id.into());
    }

    pub(super) fn has_identity(&self, id: ObjectId) -> bool {
        self.identities.contains_key(&IdentityId(id.0))
    }

    pub(super) fn identity(&self, id: &IdentityId) -> Option<&Vec<u8>> {
        self.identities.get(id)
    }

    /// Forgets an identity: it is in the store, or there is no room for it.
    pub(super) fn forget_identity(&mut self, id: &IdentityId) {
        self.bytes -= self.identities.remove(id).map_or(0, |bytes| bytes.len());
    }

    /// Some identity that came along.
    pub(super) fn any_identity(&self) -> Option<IdentityId> {
        self.identities.keys().next_back().copied()
    }

    pub(super) fn add(&mut self, id: ObjectId, missing: BTreeSet<ObjectId>, item: Item) {
        for wanted in &missing {
            self.waiters.entry(*wanted).or_default().insert(id);
        }
        if missing.is_empty() {
            self.ready.push_back(id);
        }
        self.bytes += item.bytes();
        self.next += 1;
        self.order.insert(self.next, id);
        self.waiting.insert(id, Waiting { item, number: self.next, missing });
    }

    /// Lets those go on that wait for nothing else.
    pub(super) fn arrive(&mut self, id: ObjectId) {
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            if let Some(waiting) = self.waiting.get_mut(&waiter)
                && waiting.missing.remove(&id)
                && waiting.missing.is_empty()
            {
                self.ready.push_back(waiter);
            }
        }
    }

    /// Takes out the next item that lacks nothing. What waits for it does so no longer.
    pub(super) fn next_ready(&mut self) -> Option<(ObjectId, Item)> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(item) = self.remove(id) {
                self.arrive(id);
                return Some((id, item));
            }
        }
    }

    /// Takes out the item that came last.
    pub(super) fn pop_newest(&mut self) -> Option<ObjectId> {
        let id = *self.order.last_key_value()?.1;
        self.remove(id).map(|_| id)
    }

    /// Takes out what rests on something that was refused, directly or not.
    pub(super) fn refuse(&mut self, id: ObjectId) -> Vec<(ObjectId, ObjectId)> {
        let (mut out, mut left) = (Vec::new(), vec![id]);
        while let Some(id) = left.pop() {
            if self.refused.len() >= REFUSED {
                self.refused.clear();
            }
            self.refused.insert(id);
            for waiter in self.waiters.remove(&id).unwrap_or_default() {
                if self.remove(waiter).is_some() {
                    out.push((waiter, id));
                    left.push(waiter);
                }
            }
        }
        out
    }

    pub(super) fn is_refused(&self, id: &ObjectId) -> bool {
        self.refused.contains(id)
    }

    /// Takes out all, each with something that it lacks.
    pub(super) fn drain(&mut self) -> Vec<(ObjectId, ObjectId)> {
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self::default();
        let lacks = |(id, waiting): (ObjectId, Waiting)| waiting.missing.first().map(|missing| (id, *missing));
        waiting.into_iter().filter_map(lacks).collect()
    }

    fn remove(&mut self, id: ObjectId) -> Option<Item> {
        let waiting = self.waiting.remove(&id)?;
        self.order.remove(&waiting.number);
        self.bytes -= waiting.item.bytes();
        for missing in waiting.missing {
            if let Some(waiters) = self.waiters.get_mut(&missing) {
                waiters.remove(&id);
                if waiters.is_empty() {
                    self.waiters.remove(&missing);
                }
            }
        }
        Some(waiting.item)
    }
}
