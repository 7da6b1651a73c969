//! The directory of a chat: the store in `store.redb`, the key in `key`. In the store, for this device alone, stand which
//! replica is the room (`chat/room`) and where the chat listened last (`chat/listen`).

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use hhs::model::ReplicaId;
use hhs::prelude::{Author, Store};
use hhs::store::StoreError;

use crate::endpoint::Endpoint;
use crate::keys::{self, KeyFileError, Name};
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
        let file = directory.join(STORE);
        make(directory).and_then(|()| make_file(&file)).map_err(unmade)?;
        let store = open_store(&file).await?;
        Ok(Self { directory: directory.to_owned(), store })
    }

    /// Opens a directory that has a room; makes nothing.
    pub(super) async fn open(directory: &Path) -> Result<(Self, ReplicaId), HomeError> {
        let none = || HomeError::NoRoom(directory.to_owned());
        let file = directory.join(STORE);
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

    pub(super) async fn set_room(&self, room: ReplicaId) -> Result<(), HomeError> {
        Ok(self.store.set_local(ROOM, Some(room.to_string().as_bytes())).await?)
    }

    /// Where the chat listened last.
    pub(super) async fn listened(&self) -> Result<Option<Endpoint>, HomeError> {
        self.local(LISTEN).await
    }

    pub(super) async fn set_listened(&self, endpoint: &str) -> Result<(), HomeError> {
        Ok(self.store.set_local(LISTEN, Some(endpoint.as_bytes())).await?)
    }

    /// Who writes here.
    pub(super) fn author(&self) -> Result<Author, HomeError> {
        let path = self.directory.join(KEY);
        keys::load(&path)?.ok_or(HomeError::NoKey(path))
    }

    /// Who writes here, under this name; somebody new where nobody has written yet.
    pub(super) async fn author_named(&self, name: &Name) -> Result<Author, HomeError> {
        let path = self.directory.join(KEY);
        let Some(author) = keys::load(&path)? else {
            return match self.room().await? {
                None => Ok(keys::create(&path, name)?),
                Some(_) => Err(HomeError::NoKey(path)),
            };
        };
        let found = author.identity().name().unwrap_or_default().to_owned();
        if found != name.as_str() {
            let (directory, asked) = (self.directory.clone(), name.as_str().to_owned());
            return Err(HomeError::OtherName { directory, found, asked });
        }
        Ok(author)
    }

    /// What the store keeps for us under a name; what cannot be read is as good as nothing.
    async fn local<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, HomeError> {
        let bytes = self.store.local(name).await?;
        Ok(bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
    }
}

/// Makes a directory that only its owner can look into, unless it is there.
fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes an empty file that only its owner can read, unless something is there; the store makes of it what it needs.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

const STORE: &str = "store.redb";
const KEY: &str = "key";
const ROOM: &str = "chat/room";
const LISTEN: &str = "chat/listen";
