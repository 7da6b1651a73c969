//! Several hosts on one database: what each commits is guarded by a count of commits, and the others read what came.
//!
//! Every batch expects the count that its host knows, and puts one more; so of two hosts that stage on the same state one
//! comes first, and the other one reads what is new, stages again and tries again. Under each count stands which replicas
//! have news, so that what came costs what it is and not a look at everything.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use hhs_model::{Hash, IdentityId, OpId, ReplicaId};

use super::replica::ReplicaState;
use super::writer::Writer;
use super::{Committed, ReadLimit, Store, StoreError, corrupted, keys};
use crate::backend::{Backend, Batch, Limit, Order};

impl Store {
    /// Takes in what other hosts have committed to the same database since: live replicas apply it, and who watches is told.
    /// Writes do so by themselves; hosts call it from time to time, as often as they want to hear of each other. Cheap when
    /// there is nothing new; does nothing where the backend is not shared.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if self.is_shared() {
            let mut writer = self.quiet_writer().await?;
            self.renew_all(&mut writer).await;
        }
        Ok(())
    }

    /// Reads what is new. Called with the writer locked and nothing on its way to the backend.
    pub(super) async fn take_in(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let Some(known) = self.pipeline().sequence else { return Ok(()) };
        let found = read_sequence(self.backend()).await?;
        if found == known {
            return Ok(());
        }
        let news = match self.news(known, found).await? {
            Some(news) => news,
            None => self.all_replicas().await?,
        };
        let next = Writer::read(self.backend()).await?;
        // Replicas may have come and gone.
        writer.dependents.clear();
        let mut touched: Vec<Touched> = Vec::new();
        for committed in news.iter().filter(|committed| committed.ops > 0) {
            let dependents = self.dependents_of(writer, committed.replica).await?;
            if !dependents.is_empty() {
                let first = committed.ops - committed.added.min(committed.ops);
                let last = self.last_act(committed.replica, first..committed.ops).await?;
                touched.push((dependents, last));
            }
        }
        for (dependents, last) in &touched {
            last.iter().for_each(|(op, author)| self.touch_all(dependents, *op, *author));
        }
        for committed in &news {
            let live = self.listeners().live(committed.replica);
            if live.is_empty() || committed.ops == 0 {
                continue;
            }
            let state = match ReplicaState::load(self, committed.replica).await {
                // Deleted since, which is the next news.
                Err(StoreError::NoReplica(_)) => continue,
                state => state?,
            };
            for live in live {
                self.catch_up(committed.replica, &*live, &state.authority, committed.ops).await?;
                if live.applied().stale {
                    self.listeners().stale.insert(committed.replica);
                }
            }
        }
        if news.iter().any(|committed| committed.ops == 0) {
            self.inner.aside.hide_all(self.backend()).await?;
        }
        // From here on nothing waits: all of it is taken note of, or nothing and it is read again.
        (writer.next_object, writer.next_replica) = (next.next_object, next.next_replica);
        news.iter().for_each(|committed| writer.forget(committed.replica));
        touched.iter().flat_map(|(dependents, _)| dependents.iter()).for_each(|dependent| writer.forget(*dependent));
        // One of their sources may have come.
        writer.forget_incomplete();
        self.pipeline().follow(found);
        for committed in &news {
            if committed.ops == 0 {
                // Deleted by another host.
                self.listeners().end(committed.replica);
                self.forget_identities();
            }
            self.listeners().tell(committed);
        }
        self.inner.aside.wakes.ring();
        self.tell_elsewhere(&touched).await
    }

    /// Tells who watches of replicas whose heads may be others now, as something was said in one that gives them authority.
    async fn tell_elsewhere(&self, touched: &[Touched]) -> Result<(), StoreError> {
        for (dependents, _) in touched.iter().filter(|(_, last)| last.is_some()) {
            for replica in dependents.iter() {
                let ops = self.count(*replica).await?;
                if ops > 0 {
                    self.listeners().tell(&Committed { replica: *replica, ops, added: 0, local: 0 });
                }
            }
        }
        Ok(())
    }

    /// The last op that acts on authority at some positions, and its author.
    async fn last_act(
        &self,
        replica: ReplicaId,
        positions: Range<u64>,
    ) -> Result<Option<(OpId, IdentityId)>, StoreError> {
        let (mut last, mut next) = (None, positions.start);
        while next < positions.end {
            let ops = match self.ops(replica, next..positions.end, PAGE).await {
                // Deleted since, which is the next news.
                Err(StoreError::NoReplica(_)) => break,
                ops => ops?,
            };
            let Some(end) = ops.last().map(|stored| stored.position + 1) else { break };
            next = end;
            let acts = ops.iter().rev().find(|stored| stored.op.header().act.is_some());
            last = acts.map(|stored| (stored.op.id(), stored.op.header().author)).or(last);
        }
        Ok(last)
    }

    /// What came with the commits after `known`; none if that is too long ago.
    async fn news(&self, known: u64, found: u64) -> Result<Option<Vec<Committed>>, StoreError> {
        if found < known || found - known > KEPT {
            return Ok(None);
        }
        let (mut news, mut next) = (Vec::new(), known);
        while next < found {
            let range = (std::ops::Bound::Excluded(keys::news(next)), std::ops::Bound::Included(keys::news(found)));
            let page = self.backend().scan(range, Order::Ascending, Limit { entries: 256, bytes: 1 << 20 }).await?;
            for (key, value) in page {
                next += 1;
                if keys::number(&key, 1)? != next {
                    return Ok(None);
                }
                news.extend(read_news(&value)?);
            }
            if next == known {
                return Ok(None);
            }
        }
        Ok(Some(news))
    }

    /// Every replica as if all of it were new, and those that are live here and gone there. One without ops has no news.
    async fn all_replicas(&self) -> Result<Vec<Committed>, StoreError> {
        let mut all = Vec::new();
        let mut gone: BTreeSet<ReplicaId> = self.listeners().live_replicas();
        for replica in self.replicas().await? {
            gone.remove(&replica);
            let ops = self.count(replica).await?;
            if ops > 0 {
                all.push(Committed { replica, ops, added: ops, local: 0 });
            }
        }
        all.extend(gone.into_iter().map(|replica| Committed { replica, ops: 0, added: 0, local: 0 }));
        Ok(all)
    }

    /// Whether others have committed what was not taken in yet, or what is staged here has been committed.
    pub(super) async fn is_outdated(&self) -> Result<bool, StoreError> {
        let known = self.pipeline().sequence;
        match known {
            Some(known) => Ok(read_sequence(self.backend()).await? != known),
            None => Ok(false),
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.pipeline().sequence.is_some()
    }
}

/// How many commits a database has had.
pub(super) async fn read_sequence(backend: &dyn Backend) -> Result<u64, StoreError> {
    match backend.get(keys::COMMITS).await? {
        Some(bytes) => keys::number(&bytes, 0),
        None => Ok(0),
    }
}

/// Lets a batch be the one after `sequence`, and says what comes with it.
pub(super) fn follow<'a>(batch: &mut Batch, sequence: u64, news: impl Iterator<Item = &'a Committed>) {
    let next = sequence + 1;
    batch.guard(keys::COMMITS, (sequence > 0).then(|| sequence.to_be_bytes().to_vec()));
    batch.put(keys::COMMITS, next.to_be_bytes());
    let mut value = Vec::new();
    for committed in news {
        value.extend_from_slice(committed.replica.as_bytes());
        value.extend_from_slice(&committed.ops.to_be_bytes());
        value.extend_from_slice(&committed.added.to_be_bytes());
    }
    batch.put(keys::news(next), value);
    if next > KEPT {
        batch.delete(keys::news(next - KEPT));
    }
}

fn read_news(value: &[u8]) -> Result<Vec<Committed>, StoreError> {
    let (entries, rest) = value.as_chunks::<NEWS_BYTES>();
    if !rest.is_empty() {
        return Err(corrupted("an entry about new ops has the wrong length"));
    }
    let entry = |entry: &[u8; NEWS_BYTES]| {
        let (id, numbers) = entry.split_at(32);
        let id = id.try_into().map_err(|_| corrupted("an entry about new ops has the wrong length"))?;
        let (ops, added) = numbers.split_at(8);
        let (ops, added) = (keys::number(ops, 0)?, keys::number(added, 0)?);
        Ok(Committed { replica: ReplicaId(Hash(id)), ops, added, local: 0 })
    };
    entries.iter().map(entry).collect()
}

/// Replicas to which one gives authority, and its last op with an act that is new.
type Touched = (Arc<[ReplicaId]>, Option<(OpId, IdentityId)>);

/// Ops that are read at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
/// A replica's id, how many ops it has, and how many are new.
const NEWS_BYTES: usize = 32 + 8 + 8;
/// Commits whose news are kept, some 100 bytes each. Too low: a host that did not look for so many commits looks at every
/// replica.
const KEPT: u64 = 65_536;
