//! Taking in what arrives in any order: what comes before what it rests on is parked, within a bound, until that comes or
//! the session that brings it ends. Nothing that is parked is visible to anybody.
//!
//! Each parked item is found by what it lacks, so that what comes costs time in what waits for it, and not in all that is
//! parked.

mod parked;
mod taking;

use hhs_model::identity::Identity;
use hhs_model::op::{Op, OpError};
use hhs_model::{IdentityId, ObjectId, ReplicaId};

use crate::store::{
    Bundle, CommitStream, Cursor, IngestError, SignedOp, Store, StoreError, named_identities, object_needs,
};
use parked::{Item, Parked};

/// How much may be parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeLimits {
    /// Ops, objects and identities. Too low: peers that send out of order have to send again.
    pub items: usize,
    /// Their bytes. While a call runs, there may be as much more as it brings.
    pub bytes: usize,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self { items: 16_384, bytes: 32 << 20 }
    }
}

/// A session that brings ops and objects to a store, in any order.
#[derive(Debug)]
pub struct Intake {
    store: Store,
    parked: Parked,
    limits: IntakeLimits,
    /// What comes to the store another way.
    commits: CommitStream,
    objects: Option<Cursor>,
}

/// What became of what was brought, and of what had waited for it.
#[derive(Debug, Default)]
pub struct Taken {
    /// Ops and objects that are kept now, durably.
    pub added: u64,
    /// Those brought that were here before.
    pub known: u64,
    /// What was dropped.
    pub dropped: Vec<Dropped>,
}

/// Something that was not kept.
#[derive(Debug)]
pub struct Dropped {
    /// Its id, if its bytes have one.
    pub id: Option<ObjectId>,
    /// Why.
    pub reason: DropReason,
}

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DropReason {
    /// The op is refused, now and for ever.
    #[error(transparent)]
    Op(IngestError),
    /// The object or identity is refused, now and for ever.
    #[error(transparent)]
    Object(StoreError),
    /// It rests on something that was refused.
    #[error("it rests on {0}, which was refused")]
    RestsOn(ObjectId),
    /// There was no room to wait in.
    #[error("too much was waiting already: bring what is missing first, then this again")]
    Full,
    /// What it rests on did not come until the end.
    #[error("it rests on {0}, which did not come: bring that first")]
    Missing(ObjectId),
}

impl Store {
    /// Begins a session that brings ops and objects in any order.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn intake(&self, limits: IntakeLimits) -> Result<Intake, StoreError> {
        let commits = self.watch();
        let objects = self.last_cursor().await?;
        Ok(Intake { store: self.clone(), parked: Parked::default(), limits, commits, objects })
    }
}

impl Intake {
    /// Takes in what can be taken of a bundle, as [`Store::ingest`] does, and what had waited for it; parks what rests on
    /// what is not here. An op that is refused takes nothing with it but what rests on it.
    ///
    /// # Errors
    /// If the replica is not here or the store fails. What was brought is to be brought again then.
    pub async fn ingest(&mut self, replica: ReplicaId, bundle: Bundle) -> Result<Taken, StoreError> {
        if !self.store.has_replica(replica).await? {
            return Err(StoreError::NoReplica(replica));
        }
        let mut taken = Taken::default();
        self.catch_up().await?;
        for bytes in bundle.identities {
            match Identity::from_bytes(&bytes) {
                Ok(_) => self.parked.add_identity(IdentityId::of(&bytes), bytes),
                Err(error) => taken.drop(None, DropReason::Object(error.into())),
            }
        }
        let mut items = Vec::with_capacity(bundle.ops.len());
        for op in bundle.ops {
            match read(replica, op) {
                Ok((id, needs, item)) if self.parked.is_new(id) => items.push((id, needs, item)),
                Ok(_) => {}
                Err(refused) => taken.drop(refused.0, DropReason::Op(refused.1)),
            }
        }
        self.park(items, &mut taken).await?;
        self.settle(taken).await
    }

    /// Saves what can be saved of these objects, as [`Store::put_all`] does, and what had waited for it; parks what links to
    /// what is not here.
    ///
    /// # Errors
    /// If the store fails. What was brought is to be brought again then.
    pub async fn put(&mut self, objects: Vec<Vec<u8>>) -> Result<Taken, StoreError> {
        let mut taken = Taken::default();
        self.catch_up().await?;
        let mut items = Vec::with_capacity(objects.len());
        for bytes in objects {
            let id = ObjectId::of(&bytes);
            match self.store.check_object(&bytes).and_then(|()| Ok(object_needs(&bytes)?)) {
                Ok(needs) if self.parked.is_new(id) => items.push((id, needs, Item::Object(bytes))),
                Ok(_) => {}
                Err(error) => taken.drop(Some(id), DropReason::Object(error)),
            }
        }
        self.park(items, &mut taken).await?;
        self.settle(taken).await
    }

    /// Takes in what waited for something that came to the store another way.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn resume(&mut self) -> Result<Taken, StoreError> {
        self.catch_up().await?;
        self.settle(Taken::default()).await
    }

    /// How many items wait, identities that came along among them.
    pub fn waiting(&self) -> usize {
        self.parked.len()
    }

    /// What items wait for that is neither here nor waits itself: what to ask for.
    pub fn missing(&self) -> impl Iterator<Item = ObjectId> {
        self.parked.missing()
    }

    /// Ends the session: takes in what has become possible, and drops what still waits.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn finish(mut self) -> Result<Taken, StoreError> {
        let mut taken = self.resume().await?;
        for (id, missing) in self.parked.drain() {
            taken.drop(Some(id), DropReason::Missing(missing));
        }
        Ok(taken)
    }
}

impl Taken {
    fn drop(&mut self, id: Option<ObjectId>, reason: DropReason) {
        self.dropped.push(Dropped { id, reason });
    }
}

/// What an op rests on: its parents, the acts that it depends on, and the identities that it names.
type Read = (ObjectId, Vec<ObjectId>, Item);

/// Reads an op and checks it by itself.
fn read(replica: ReplicaId, signed: SignedOp) -> Result<Read, Box<(Option<ObjectId>, IngestError)>> {
    let op = Op::from_bytes(&signed.header).map_err(|error: OpError| Box::new((None, error.into())))?;
    let (id, header) = (op.id(), op.header());
    let refused = |error| Err(Box::new((Some(id.into()), error)));
    if header.target != replica {
        return refused(IngestError::Target { op: id, found: header.target });
    }
    if !op.is_payload(signed.payload.as_deref()) {
        return refused(IngestError::Payload(id));
    }
    let named: Vec<IdentityId> = named_identities(header).collect();
    let ops = header.parents.iter().chain(&header.deps).map(|op| ObjectId::from(*op));
    let needs = ops.chain(named.iter().map(|id| (*id).into()));
    let needs = needs.collect();
    Ok((id.into(), needs, Item::Op { replica, identities: named, signed }))
}
