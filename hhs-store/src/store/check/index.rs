//! Indexes, from their side: that every entry leads to what it says, and that no others are there.

use hhs_model::op::Op;
use hhs_model::{ObjectId, OpId};

use super::super::checkpoints::{Head, PART_BYTES};
use super::super::index::{Selector, named_in_header};
use super::super::record::{OpRecord, Place};
use super::super::{StoreError, keys, tips};
use super::Check;
use crate::backend::{Entry, Limit, Order};

impl Check<'_> {
    /// Everything that is neither an object nor belongs to the ops of a replica.
    pub(super) async fn indexes(&mut self) -> Result<(), StoreError> {
        self.each(&[keys::PLACE], 33, Self::place).await?;
        self.each(&[keys::ID_OF], 9, Self::id_of).await?;
        self.each(&[keys::CLASS_NAME], 17, Self::class_name).await?;
        self.each(&[keys::REPLICA_OF_CLASS], 21, Self::replica_of_class).await?;
        self.each(&[keys::WRITES], 37, Self::writes).await?;
        self.each(&[keys::TIPS], 5, Self::tips).await?;
        self.each(&[keys::WITHHELD], 13, Self::withheld).await?;
        self.each(&[keys::CHECKPOINT], 13, Self::checkpoint).await?;
        self.each(&[keys::CHECKPOINT_PART], 21, Self::checkpoint_part).await?;
        let expected = &self.expected;
        let counted = [
            (keys::OF_CLASS, expected.of_class, "objects by class have other entries than there are objects"),
            (keys::REFERENCE, expected.references, "objects by link have other entries than there are links"),
            (keys::LINKED, expected.linked, "payloads by link have other entries than there are links"),
        ];
        for (kind, expected, says) in counted {
            if self.size(kind).await? != expected {
                self.wrong_index([kind], says);
            }
        }
        self.strangers().await
    }

    /// Looks at every entry below a prefix, with what is to be looked up for a page of them.
    async fn each<F>(&mut self, prefix: &[u8], length: usize, look: F) -> Result<(), StoreError>
    where
        F: Fn(&Entry) -> Looked,
    {
        let mut after = None;
        loop {
            let page = self.page(prefix, after.as_ref()).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut wanted = Vec::new();
            for entry in &page {
                match if entry.0.len() == length { look(entry) } else { Looked::Wrong } {
                    Looked::Right => {}
                    Looked::Wrong => self.wrong_index(entry.0.clone(), "an index entry has no sense"),
                    Looked::If(tests) => {
                        wanted.extend(tests.into_iter().map(|(key, test)| (entry.0.clone(), key, test)));
                    }
                }
            }
            let keys: Vec<Vec<u8>> = wanted.iter().map(|(_, key, _)| key.clone()).collect();
            let mut told = None;
            for ((key, _, test), found) in wanted.into_iter().zip(self.backend.get_many(&keys).await?) {
                if !found.is_some_and(|found| test.holds(&found)) && told.as_ref() != Some(&key) {
                    told = Some(key.clone());
                    self.wrong_index(key, "an index entry leads to what is not there, or is something else");
                }
            }
        }
    }

    fn place((key, value): &Entry) -> Looked {
        let Ok(id) = keys::id_at(key, 1) else { return Looked::Wrong };
        let Some(place) = Place::from_bytes(value).ok().filter(|place| place.to_bytes() == *value) else {
            return Looked::Wrong;
        };
        let leads_back = |number| (keys::id_of(number), Test::Is(id.as_bytes().to_vec()));
        Looked::If(match place {
            Place::Object(number) => vec![leads_back(number)],
            Place::Genesis { replica, object } => {
                vec![leads_back(object), (keys::replica(replica), Test::Is(object.to_be_bytes().to_vec()))]
            }
            Place::Op { replica, position } => vec![(keys::op(replica, position), Test::Op(OpId(id.0)))],
        })
    }

    fn id_of((key, value): &Entry) -> Looked {
        match (keys::number(key, 1), keys::id_at(value, 0)) {
            (Ok(number), Ok(id)) if value.len() == 32 => Looked::If(vec![(keys::place(id), Test::ObjectAt(number))]),
            _ => Looked::Wrong,
        }
    }

    fn class_name((key, value): &Entry) -> Looked {
        match std::str::from_utf8(value) {
            Ok(name) if keys::class_name(Selector::class(name)) == *key => Looked::Right,
            _ => Looked::Wrong,
        }
    }

    fn replica_of_class((key, value): &Entry) -> Looked {
        match (keys::replica_at(key, 17), keys::id_at(value, 0)) {
            (Ok(replica), Ok(id)) if value.len() == 32 => Looked::If(vec![(keys::place(id), Test::Replica(replica))]),
            _ => Looked::Wrong,
        }
    }

    fn writes((key, value): &Entry) -> Looked {
        match (keys::id_at(key, 1), keys::replica_at(key, 33), keys::number(value, 0)) {
            (Ok(id), Ok(replica), Ok(position)) => Looked::If(vec![(keys::op(replica, position), Test::Names(id))]),
            _ => Looked::Wrong,
        }
    }

    fn tips((key, value): &Entry) -> Looked {
        match (keys::replica_at(key, 1), tips::from_bytes(value)) {
            (Ok(_), _) if value.is_empty() => Looked::Right,
            (Ok(replica), Ok(tips)) => {
                Looked::If(tips.into_iter().map(|(at, id)| (keys::op(replica, at), Test::Op(id))).collect())
            }
            _ => Looked::Wrong,
        }
    }

    fn withheld((key, value): &Entry) -> Looked {
        match (keys::replica_at(key, 1), keys::number(key, 5), keys::id_at(value, 0)) {
            (Ok(replica), Ok(position), Ok(author)) if value.len() == 40 => {
                Looked::If(vec![(keys::op(replica, position), Test::Names(author))])
            }
            _ => Looked::Wrong,
        }
    }

    fn checkpoint((key, value): &Entry) -> Looked {
        let read = (keys::replica_at(key, 1), keys::number(key, 5), Head::from_bytes(value));
        let (Ok(replica), Ok(position), Ok(head)) = read else { return Looked::Wrong };
        let Some(last) = position.checked_sub(1) else { return Looked::Wrong };
        let mut tests = vec![(keys::op(replica, last), Test::Op(head.last))];
        if let Some(part) = head.parts().checked_sub(1) {
            tests.push((keys::checkpoint_part(replica, position, part), Test::There));
        }
        Looked::If(tests)
    }

    fn checkpoint_part((key, value): &Entry) -> Looked {
        match (keys::replica_at(key, 1), key.get(5..13).map(|position| keys::number(position, 0))) {
            (Ok(replica), Some(Ok(position))) if (1..=PART_BYTES).contains(&value.len()) => {
                Looked::If(vec![(keys::checkpoint(replica, position), Test::There)])
            }
            _ => Looked::Wrong,
        }
    }

    /// How many entries there are of a kind.
    async fn size(&self, kind: u8) -> Result<u64, StoreError> {
        let (mut size, mut after) = (0, None);
        loop {
            let page = self.page(&[kind], after.as_ref()).await?;
            let Some((last, _)) = page.last() else { return Ok(size) };
            size += page.len() as u64;
            after = Some(last.clone());
        }
    }

    /// Entries of kinds that do not exist.
    async fn strangers(&mut self) -> Result<(), StoreError> {
        let mut start = std::ops::Bound::Unbounded;
        loop {
            let one = Limit { entries: 1, bytes: 1 };
            let found = self.backend.scan((start, std::ops::Bound::Unbounded), Order::Ascending, one).await?;
            let Some((key, _)) = found.into_iter().next() else { return Ok(()) };
            match key.first() {
                Some(kind) if keys::KINDS.iter().any(|kinds| kinds.contains(kind)) => {
                    let single = [keys::FORMAT, keys::FLOORS, keys::INDEXING, keys::COMMITS].contains(&&[*kind][..]);
                    if single && key.len() == 1 {
                        start = std::ops::Bound::Excluded(key);
                        continue;
                    }
                    if !single {
                        match kind.checked_add(1) {
                            Some(next) => start = std::ops::Bound::Included(vec![next]),
                            None => return Ok(()),
                        }
                        continue;
                    }
                }
                _ => {}
            }
            self.damage(key.clone(), "an entry is of no kind that exists");
            start = std::ops::Bound::Excluded(key);
        }
    }
}

/// What is known of an index entry by itself.
enum Looked {
    Right,
    Wrong,
    /// It is right if the entries under these keys pass these.
    If(Vec<(Vec<u8>, Test)>),
}

enum Test {
    There,
    Is(Vec<u8>),
    /// A place of an object of this number, be it a genesis.
    ObjectAt(u64),
    /// A place of the genesis of the replica of this number.
    Replica(u32),
    /// A record of this op.
    Op(OpId),
    /// A record of an op whose header names this identity.
    Names(ObjectId),
}

impl Test {
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::There => true,
            Self::Is(expected) => value == expected,
            Self::ObjectAt(number) => matches!(Place::from_bytes(value),
                Ok(Place::Object(found) | Place::Genesis { object: found, .. }) if found == *number),
            Self::Replica(number) => matches!(Place::from_bytes(value),
                Ok(Place::Genesis { replica, .. }) if replica == *number),
            Self::Op(id) => OpRecord::from_bytes(value).is_ok_and(|record| OpId::of(&record.header) == *id),
            Self::Names(id) => {
                let op = OpRecord::from_bytes(value).ok().and_then(|record| Op::from_bytes(&record.header).ok());
                op.is_some_and(|op| named_in_header(op.header()).any(|named| named == *id))
            }
        }
    }
}
