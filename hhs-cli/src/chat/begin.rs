//! The three ways into a room.

use futures::channel::mpsc::UnboundedReceiver;
use hhs::mesh::{self, PeerAddress};
use hhs::model::ReplicaId;
use hhs::prelude::{Author, Node, Space};

use super::event::Event;
use super::home::{Home, HomeError};
use super::room::Room;
use super::session::{Session, Settings};
use super::{ChatError, How, JoinArguments, NewArguments, OpenArguments};
use crate::endpoint::Endpoint;
use crate::node::{StartError, start};
use crate::output::Output;

/// Begins a room.
pub(super) async fn new(arguments: NewArguments) -> Result<(), ChatError> {
    let NewArguments { who, how } = arguments;
    let home = Home::open_or_make(&who.directory).await?;
    if home.room().await?.is_some() {
        return Err(HomeError::Taken(who.directory).into());
    }
    let author = home.author_named(&who.name, &who.passphrase).await?;
    let (node, moved) = listen(&home, &author, how.listen.as_ref()).await?;
    let began = Began { events: node.events(), moved, joined: false, offline: false };
    let space: Space<Room> = node.create().await?;
    home.set_room(space.id(), author.id()).await?;
    space.sync().await?;
    converse(&home, space, &how, began).await
}

/// Joins a room.
pub(super) async fn join(arguments: JoinArguments) -> Result<(), ChatError> {
    let JoinArguments { address, who, how } = arguments;
    let home = Home::open_or_make(&who.directory).await?;
    let room = home.room().await?;
    if room.is_some_and(|room| room != address.space) {
        return Err(HomeError::OtherRoom(who.directory).into());
    }
    let author = home.author_named(&who.name, &who.passphrase).await?;
    let (node, moved) = listen(&home, &author, how.listen.as_ref()).await?;
    let began = Began { events: node.events(), moved, joined: true, offline: false };
    let space = match room {
        Some(room) => rejoin(&node, room, &address.peer).await?,
        None => None,
    };
    let space = match space {
        Some(space) => space,
        None => match node.join(&address, how.patience()).await {
            Ok(space) => space,
            Err(error) => {
                node.stop().await;
                return Err(error.into());
            }
        },
    };
    home.set_room(space.id(), author.id()).await?;
    space.sync().await?;
    converse(&home, space, &how, began).await
}

/// Opens a room that is here already, if we have been let in; then nobody has to be reached.
async fn rejoin(node: &Node, room: ReplicaId, peer: &PeerAddress) -> Result<Option<Space<Room>>, ChatError> {
    let space: Space<Room> = node.open(room).await?;
    if !space.is_writable().await? {
        return Ok(None);
    }
    space.sync().await?;
    space.add_peer(peer.clone()).await?;
    Ok(Some(space))
}

/// Goes on in a room.
pub(super) async fn open(arguments: OpenArguments) -> Result<(), ChatError> {
    let OpenArguments { store, how, passphrase, offline } = arguments;
    let (home, room) = Home::open(&store.directory).await?;
    let author = home.author(&passphrase).await?;
    let (node, moved) = match offline {
        true => (start(&author, home.store(), None).await?, None),
        false => listen(&home, &author, how.listen.as_ref()).await?,
    };
    let began = Began { events: node.events(), moved, joined: false, offline };
    let space: Space<Room> = node.open(room).await?;
    if !offline {
        space.sync().await?;
    }
    converse(&home, space, &how, began).await
}

/// How a conversation began.
struct Began {
    /// What has happened between us and others since.
    events: UnboundedReceiver<mesh::Event>,
    moved: Option<Event>,
    joined: bool,
    offline: bool,
}

async fn converse(home: &Home, space: Space<Room>, how: &How, began: Began) -> Result<(), ChatError> {
    let Began { events, moved, joined, offline } = began;
    let settings = Settings {
        output: Output::new(how.json),
        stay: how.stay,
        patience: how.patience(),
        offline,
        joined,
        directory: home.directory().display().to_string(),
    };
    Session::run(space, settings, events, moved).await
}

/// Starts a node that listens where it is told; or where it did last time, if that is free; or anywhere.
async fn listen(home: &Home, author: &Author, wish: Option<&Endpoint>) -> Result<(Node, Option<Event>), ChatError> {
    let before = home.listened().await?;
    let endpoint = wish.cloned().or_else(|| before.clone()).unwrap_or_else(Endpoint::anywhere);
    let (node, moved) = match start(author, home.store(), Some(&endpoint)).await {
        Err(error) if wish.is_none() && before.is_some() && error.cannot_listen() => {
            (start_elsewhere(home, author, &endpoint).await?, Some(moved(&endpoint, &error)))
        }
        started => (started?, None),
    };
    if let Some(url) = node.listening().first() {
        home.set_listened(url.as_str()).await?;
    }
    Ok((node, moved))
}

/// Another port of the same host; or of any, if the machine no longer has that address.
async fn start_elsewhere(home: &Home, author: &Author, endpoint: &Endpoint) -> Result<Node, StartError> {
    match start(author, home.store(), Some(&endpoint.with_any_port())).await {
        Err(error) if error.cannot_listen() => start(author, home.store(), Some(&Endpoint::anywhere())).await,
        started => started,
    }
}

fn moved(from: &Endpoint, error: &StartError) -> Event {
    Event::Moved { from: from.0.to_string(), reason: error.to_string() }
}
