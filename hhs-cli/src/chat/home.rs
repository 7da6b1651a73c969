//! The directory of a chat: the store in `store.redb`, the key in `key`. In the store, for this device alone, stand which
//! replica is the room (`chat/room`), who writes in it (`chat/identity`) and where the chat listened last (`chat/listen`).

use std::io;
use std::path::{Path, PathBuf};

use hhs::keystore::{KeptIdentity, Keystore, Policy, UnknownIdentity};
use hhs::model::class::Replica;
use hhs::model::identity::Domain;
use hhs::model::{IdentityId, ReplicaId};
use hhs::prelude::{Author, Store};
use hhs::store::StoreError;

use super::room::Room;
use crate::directory::{self, key_file, store_file};
use crate::endpoint::Endpoint;
use crate::keys::{self, KeyFileError, Name, PassphraseArguments, unchanged};
use crate::node::open_store;

/// A directory whose store is open, so that nobody else uses it.
pub(super) struct Home {
    directory: PathBuf,
    store: Store,
}

/// Why a directory cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    /// It cannot be made, or written to.
    #[error("the directory {directory} cannot be made or written to: {source}")]
    Directory { directory: PathBuf, source: io::Error },
    /// There is no room.
    #[error("there is no chat room in {0}: begin one with `hhs chat new`, or join one with `hhs chat join`")]
    NoRoom(PathBuf),
    /// There is a room where a new one was to be.
    #[error("there is a chat room in {directory} already: go on in it with `hhs chat open --store {directory}`, or give another directory", directory = .0.display())]
    Taken(PathBuf),
    /// There is a room, and it is not the one to join.
    #[error("there is another chat room in {0}: give another directory")]
    OtherRoom(PathBuf),
    /// The key is of somebody else.
    #[error("the key in {directory} is that of {found:?}, not of {asked:?}: give that name, or another directory")]
    OtherName { directory: PathBuf, found: String, asked: String },
    /// There is a room and no key.
    #[error(
        "the key file {0} is missing: restore it from a copy, or join the room as somebody new, with another directory"
    )]
    NoKey(PathBuf),
    /// There is nobody to write as.
    #[error("there is no identity in {0}: make one with `hhs identity new`")]
    Nobody(PathBuf),
    /// The identity's key may not do what a chat does.
    #[error("the key of {name:?} may sign {policy}, and a chat needs op/v1 and handshakes: use another identity")]
    Policy { name: String, policy: Policy },
    /// The key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Home {
    /// Opens a directory; makes it, and the store in it, where they are missing.
    pub(super) async fn open_or_make(directory: &Path) -> Result<Self, HomeError> {
        let unmade = |source| HomeError::Directory { directory: directory.to_owned(), source };
        directory::make(directory).map_err(unmade)?;
        let store = open_store(&store_file(directory)).await?;
        Ok(Self { directory: directory.to_owned(), store })
    }

    /// Opens a directory that has a room; makes nothing.
    pub(super) async fn open(directory: &Path) -> Result<(Self, ReplicaId), HomeError> {
        let none = || HomeError::NoRoom(directory.to_owned());
        let file = store_file(directory);
        if !file.exists() {
            return Err(none());
        }
        let home = Self { directory: directory.to_owned(), store: open_store(&file).await? };
        let room = home.room().await?.ok_or_else(none)?;
        Ok((home, room))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The room, if there is one.
    pub(super) async fn room(&self) -> Result<Option<ReplicaId>, HomeError> {
        self.local(ROOM).await
    }

    /// Notes which replica is the room, and who writes in it.
    pub(super) async fn set_room(&self, room: ReplicaId, identity: IdentityId) -> Result<(), HomeError> {
        self.store.set_local(IDENTITY, Some(identity.to_string().as_bytes())).await?;
        Ok(self.store.set_local(ROOM, Some(room.to_string().as_bytes())).await?)
    }

    /// Where the chat listened last.
    pub(super) async fn listened(&self) -> Result<Option<Endpoint>, HomeError> {
        self.local(LISTEN).await
    }

    pub(super) async fn set_listened(&self, endpoint: &str) -> Result<(), HomeError> {
        Ok(self.store.set_local(LISTEN, Some(endpoint.as_bytes())).await?)
    }

    /// Who writes here: who did last time, or the first in the key file.
    pub(super) async fn author(&self, passphrase: &PassphraseArguments) -> Result<Author, HomeError> {
        let path = key_file(&self.directory);
        let keystore = keys::open(&path, passphrase).await?.ok_or(HomeError::NoKey(path))?;
        let first = || keystore.identities().first().map(|kept| kept.id);
        let id = self.local(IDENTITY).await?.or_else(first);
        author_of(&keystore, id.ok_or_else(|| HomeError::Nobody(self.directory.clone()))?)
    }

    /// Who writes here, under this name; somebody new where nobody has written yet.
    pub(super) async fn author_named(
        &self,
        name: &Name,
        passphrase: &PassphraseArguments,
    ) -> Result<Author, HomeError> {
        let path = key_file(&self.directory);
        let mut keystore = match keys::open(&path, passphrase).await? {
            Some(keystore) => keystore,
            None if self.room().await?.is_some() => return Err(HomeError::NoKey(path)),
            None => keys::create(&path, passphrase).await?,
        };
        let before: Option<IdentityId> = self.local(IDENTITY).await?;
        let mut all = keystore.identities();
        all.retain(|kept| before.is_none_or(|id| kept.id == id));
        let called = |kept: &&KeptIdentity| kept.identity.name() == Some(name.as_str());
        let id = match (all.iter().find(called), all.first()) {
            (Some(kept), _) => kept.id,
            (None, Some(other)) => {
                let (found, asked) = (other.identity.name().unwrap_or_default().to_owned(), name.as_str().to_owned());
                return Err(HomeError::OtherName { directory: self.directory.clone(), found, asked });
            }
            (None, None) => keystore.generate(name.as_str(), Policy::peer()).await.map_err(unchanged(&path))?,
        };
        author_of(&keystore, id)
    }

    /// What the store keeps for us under a name; what cannot be read is as good as nothing.
    async fn local<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, HomeError> {
        let bytes = self.store.local(name).await?;
        Ok(bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
    }
}

/// Somebody who can take part in a chat.
fn author_of(keystore: &Keystore, id: IdentityId) -> Result<Author, HomeError> {
    let kept = keystore.identities().into_iter().find(|kept| kept.id == id);
    let KeptIdentity { identity, policy, .. } = kept.ok_or(KeyFileError::Unknown(UnknownIdentity(id)))?;
    if !(policy.allows(Domain::OP) && policy.allows_handshakes()) {
        return Err(HomeError::Policy { name: identity.name().unwrap_or_default().to_owned(), policy });
    }
    Ok(keystore.author(id).map_err(KeyFileError::Unknown)?)
}

/// Makes a space that has come from elsewhere the room of its store, if it is a room and there is none yet.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn take_room(store: &Store, space: ReplicaId) -> Result<(), StoreError> {
    let is_room = store.genesis(space).await?.class == Room::CLASS;
    if is_room && store.local(ROOM).await?.is_none() {
        store.set_local(ROOM, Some(space.to_string().as_bytes())).await?;
    }
    Ok(())
}

const ROOM: &str = "chat/room";
const IDENTITY: &str = "chat/identity";
const LISTEN: &str = "chat/listen";
