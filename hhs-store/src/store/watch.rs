//! Watching for objects: what a query finds, and then what comes.
//!
//! A watcher holds a cursor and is woken; what there is it reads from the store. So a slow one costs no memory, misses
//! nothing and is told nothing twice.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::channel::mpsc;
use futures::{StreamExt, stream};
use hhs_model::Object;
use hhs_model::runtime::BoxStream;

use super::query::{Cursor, Found, Query};
use super::{Inner, Store, StoreError};

/// Wakes whoever waits for objects.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    sleepers: Mutex<Vec<mpsc::Sender<()>>>,
}

impl Wakes {
    /// What yields after every [`ring`](Self::ring), once for those that nobody has looked for in between, and ends with
    /// this.
    pub(super) fn sleep(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel(0);
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Wakes all. Called after objects were committed.
    pub(super) fn ring(&self) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        // A channel that is full has been rung already.
        sleepers.retain_mut(|sleeper| !sleeper.try_send(()).is_err_and(|error| error.is_disconnected()));
    }
}

/// Found objects that are read ahead at once.
const PAGE: usize = 64;

struct Watching {
    store: Weak<Inner>,
    rung: mpsc::Receiver<()>,
    query: Query,
    ahead: std::vec::IntoIter<Found>,
    failed: bool,
}

impl Store {
    /// What a query finds from its cursor on, in the order in which it came, and then what comes: nothing is missed and
    /// nothing told twice. What is deleted before it is read is not told. The order and the limit of the query do not
    /// count. It ends when the last handle of the store is dropped, and after an error: then it can be begun again after
    /// the last cursor. Memory: a page of ids, however slowly it is read.
    pub fn watch_query(&self, query: Query) -> BoxStream<'static, Result<Found, StoreError>> {
        let watching = Watching {
            store: Arc::downgrade(&self.inner),
            rung: self.inner.aside.wakes.sleep(),
            query: query.ascending().limit(PAGE),
            ahead: Vec::new().into_iter(),
            failed: false,
        };
        Box::pin(stream::unfold(watching, |mut watching| async {
            let found = watching.next().await?;
            watching.failed = found.is_err();
            Some((found, watching))
        }))
    }

    /// The objects of a class that are here after a cursor, and then those that come, each with what it says. One that is
    /// not valid by the class is passed over. Ends as [`watch_query`](Self::watch_query) does.
    pub fn subscribe<T: Object + Send + 'static>(
        &self,
        after: Option<Cursor>,
    ) -> BoxStream<'static, Result<(Found, T), StoreError>> {
        let query = after.into_iter().fold(Query::class(T::CLASS), Query::after);
        let store = Arc::downgrade(&self.inner);
        Box::pin(self.watch_query(query).filter_map(move |found| {
            let store = store.clone();
            async move {
                let (found, inner) = match (found, store.upgrade()) {
                    (Ok(found), Some(inner)) => (found, inner),
                    (Err(error), _) => return Some(Err(error)),
                    (_, None) => return None,
                };
                let loaded = Store { inner }.load::<T>(found.id).await;
                told(found, loaded)
            }
        }))
    }
}

/// What a subscriber is told of an object.
fn told<T>(found: Found, loaded: Result<Option<T>, StoreError>) -> Option<Result<(Found, T), StoreError>> {
    match loaded {
        Ok(object) => object.map(|object| Ok((found, object))),
        Err(StoreError::Object(_)) => None,
        Err(error) => Some(Err(error)),
    }
}

impl Watching {
    async fn next(&mut self) -> Option<Result<Found, StoreError>> {
        if self.failed {
            return None;
        }
        loop {
            if let Some(found) = self.ahead.next() {
                self.query = self.query.clone().after(found.cursor);
                return Some(Ok(found));
            }
            let store = Store { inner: self.store.upgrade()? };
            match store.query(&self.query).await {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    self.ahead = found.into_iter();
                    continue;
                }
                Err(error) => return Some(Err(error)),
            }
            drop(store);
            // Rung since the store was read, or before: then it is read once more than needed.
            self.rung.next().await?;
        }
    }
}
