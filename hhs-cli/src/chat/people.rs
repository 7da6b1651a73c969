//! Who is who, and who is there.

use std::collections::{BTreeMap, BTreeSet};

use hhs::mesh::ConnectionId;
use hhs::model::IdentityId;
use hhs::prelude::Store;
use hhs::store::StoreError;

/// The people of a room, as far as they are known here.
pub(super) struct People {
    store: Store,
    /// Names that were looked up; an identity never changes.
    names: BTreeMap<IdentityId, Option<String>>,
    /// Somebody may be connected more than once: after a crash the old connection lingers beside the new one.
    present: BTreeMap<IdentityId, BTreeSet<ConnectionId>>,
    /// Whom people were told of as being here.
    greeted: BTreeSet<IdentityId>,
}

impl People {
    pub(super) fn new(store: Store) -> Self {
        let (names, present, greeted) = Default::default();
        Self { store, names, present, greeted }
    }

    /// Somebody's name, if it is known.
    pub(super) async fn name(&mut self, identity: IdentityId) -> Result<Option<String>, StoreError> {
        if let Some(name) = self.names.get(&identity) {
            return Ok(name.clone());
        }
        // Somebody unknown may become known.
        let Some(known) = self.store.identity(identity).await? else { return Ok(None) };
        let name = known.name().map(str::to_owned);
        self.names.insert(identity, name.clone());
        Ok(name)
    }

    /// Notes a connection. True if it is their first.
    pub(super) fn came(&mut self, identity: IdentityId, connection: ConnectionId) -> bool {
        let connections = self.present.entry(identity).or_default();
        connections.insert(connection);
        connections.len() == 1
    }

    /// Notes the end of a connection. True if it was their last.
    pub(super) fn went(&mut self, identity: IdentityId, connection: ConnectionId) -> bool {
        let Some(connections) = self.present.get_mut(&identity) else { return false };
        connections.remove(&connection);
        if !connections.is_empty() {
            return false;
        }
        self.present.remove(&identity);
        true
    }

    /// Whether anybody is connected.
    pub(super) fn anybody(&self) -> bool {
        !self.present.is_empty()
    }

    /// Notes that people are told that somebody is here. True if they were not told yet.
    pub(super) fn greet(&mut self, identity: IdentityId) -> bool {
        self.greeted.insert(identity)
    }

    /// Notes that people are told that somebody has left. True if they knew them to be here.
    pub(super) fn part(&mut self, identity: IdentityId) -> bool {
        self.greeted.remove(&identity)
    }
}
