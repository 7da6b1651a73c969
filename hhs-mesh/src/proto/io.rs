//! What goes into the core and what comes out of it.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use hhs_model::history::Positions;
use hhs_model::{Frontier, IdentityId, OpId, PublicKey, ReplicaId};
use hhs_store::{Bundle, Ingested};
use url::Url;

use super::message::{Message, MessageError};

/// A connection, as the driver counts them. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Something that the store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// Where a peer can be reached, and who is expected there: `quic://host:port/<identity>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    /// The endpoint, without a path.
    pub endpoint: Url,
    /// Who is expected to answer.
    pub identity: IdentityId,
}

/// Why a text is not the address of a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the address of a peer ({reason}): it looks like quic://HOST:PORT/<identity>")]
pub struct PeerAddressError {
    /// The text, cut short if it is long.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.endpoint.as_str().trim_end_matches('/'), self.identity)
    }
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        let wrong = |reason: String| PeerAddressError { text: text.chars().take(100).collect(), reason };
        let mut endpoint = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if endpoint.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host".into()));
        }
        let identity = endpoint.path().trim_matches('/').parse();
        let identity = identity.map_err(|error| wrong(format!("its path is no identity: {error}")))?;
        endpoint.set_path("");
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        Ok(Self { endpoint, identity })
    }
}

/// Everything that can happen.
#[derive(Debug)]
pub enum Input {
    /// A connection is open.
    Connected {
        /// Its number.
        connection: ConnectionId,
        /// The address that was dialled, if we dialled.
        dialled: Option<PeerAddress>,
        /// The key that the other side has proven to hold.
        proven: PublicKey,
        /// Where it is.
        remote: Url,
    },
    /// A connection is over.
    Disconnected {
        /// Its number.
        connection: ConnectionId,
        /// Why.
        reason: String,
    },
    /// A message has come.
    Received {
        /// Over which connection.
        connection: ConnectionId,
        /// What the bytes were.
        message: Result<Message, MessageError>,
    },
    /// An address could not be reached.
    DialFailed {
        /// The address.
        address: PeerAddress,
        /// Why.
        reason: String,
    },
    /// We listen at these endpoints, and tell peers so.
    Listening {
        /// All of them.
        endpoints: Vec<Url>,
    },
    /// A replica is to be synchronised with whoever shares it, and so are those that it needs: that give it authority, or that
    /// it is a part of.
    Share {
        /// The replica.
        replica: ReplicaId,
    },
    /// It no longer is, unless another one that is shared needs it.
    Unshare {
        /// The replica.
        replica: ReplicaId,
    },
    /// A replica can be had from a peer.
    AddPeer {
        /// The replica.
        replica: ReplicaId,
        /// Where the peer is.
        address: PeerAddress,
    },
    /// Ask a peer to be let in.
    Join {
        /// The replica.
        replica: ReplicaId,
        /// A member's address.
        address: PeerAddress,
        /// The secret of the invitation.
        secret: Vec<u8>,
    },
    /// The app has decided on a request to be let in.
    Admit {
        /// Who has asked.
        connection: ConnectionId,
        /// The replica.
        replica: ReplicaId,
        /// Why not, if not.
        refused: Option<String>,
    },
    /// What a replica that is [shared](super::Core::shares) has here, after every change; `None` while even its genesis is
    /// missing. Its heads can change by an op of another replica, which gives it authority.
    Held {
        /// The replica.
        replica: ReplicaId,
        /// Its heads and how many ops it has.
        state: Option<(Frontier, u64)>,
    },
    /// The store has done what it was asked.
    Answered {
        /// The number of the task.
        task: TaskId,
        /// What came of it.
        answer: Answer,
    },
    /// Time has passed.
    Tick,
}

/// Everything that can be asked for.
#[derive(Debug)]
pub enum Output {
    /// Send a message.
    Send {
        /// Over which connection.
        connection: ConnectionId,
        /// What.
        message: Message,
    },
    /// End a connection, after what was sent before.
    Close {
        /// Which.
        connection: ConnectionId,
        /// What to tell the other side.
        reason: String,
    },
    /// Connect to an address.
    Dial {
        /// Where.
        address: PeerAddress,
    },
    /// Ask the store.
    Run {
        /// The number under which to answer.
        id: TaskId,
        /// The connection whose last message has caused it, which has to wait for the answer.
        cause: Option<ConnectionId>,
        /// What to do.
        task: Task,
    },
    /// Tell the app.
    Event(Event),
}

/// What the store can be asked.
#[derive(Debug, Clone)]
pub enum Task {
    /// What is here of a replica, and which others does it need?
    LookUp {
        /// The replica.
        replica: ReplicaId,
    },
    /// Which of these ops are not here? All of them if the replica is not.
    Unknown {
        /// The replica.
        replica: ReplicaId,
        /// The ops.
        ids: Vec<OpId>,
    },
    /// What lies below `heads` and not below `have`?
    Plan {
        /// The replica.
        replica: ReplicaId,
        /// What the peer wants; those that are not here are passed over.
        heads: Vec<OpId>,
        /// What the peer says it has.
        have: Vec<OpId>,
        /// How many ids of the answer to list, from the top, unless all of `have` is here.
        list: usize,
        /// Lists only what stands below this op, whether all of `have` is here or not.
        below: Option<OpId>,
    },
    /// The genesis, and the identities that it names.
    Genesis {
        /// The replica.
        replica: ReplicaId,
    },
    /// Ops to send.
    Load {
        /// The replica.
        replica: ReplicaId,
        /// Which, ascending and disjoint.
        ranges: Vec<Range<u64>>,
        /// At most this many.
        ops: usize,
        /// No more once they have this many bytes.
        bytes: usize,
        /// Identities that the peer has already had from us.
        sent: Arc<BTreeSet<IdentityId>>,
    },
    /// Take in a genesis and what came with it.
    Adopt {
        /// The replica.
        replica: ReplicaId,
        /// Its genesis.
        genesis: Vec<u8>,
        /// Identities.
        identities: Vec<Vec<u8>>,
    },
    /// Take in ops.
    Ingest {
        /// The replica.
        replica: ReplicaId,
        /// The ops.
        bundle: Bundle,
    },
}

/// What came of a [`Task`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Task::LookUp`].
    LookedUp {
        /// Its heads and how many ops it has, if it is here.
        state: Option<(Frontier, u64)>,
        /// The replicas that it needs by its genesis: that give it authority, and the one that it is a part of.
        needs: Vec<ReplicaId>,
    },
    /// To [`Task::Unknown`].
    Unknown(Vec<OpId>),
    /// To [`Task::Plan`].
    Plan {
        /// What has to be sent.
        missing: Positions,
        /// Those of the peer's `have` that are not here.
        unknown: Vec<OpId>,
        /// The ids that have to be listed before anything is sent; none if it can be sent now.
        listed: Vec<OpId>,
        /// Whether nothing else would have to be listed.
        all: bool,
    },
    /// To [`Task::Genesis`].
    Genesis {
        /// Its bytes.
        genesis: Vec<u8>,
        /// The identities that it names.
        identities: Vec<Vec<u8>>,
    },
    /// To [`Task::Load`].
    Loaded {
        /// What to send.
        bundle: Bundle,
        /// The ids of the identities in it.
        identities: Vec<IdentityId>,
        /// Where to go on.
        next: u64,
    },
    /// To [`Task::Adopt`].
    Adopted {
        /// The replicas that it needs, as in [`Answer::LookedUp`].
        needs: Vec<ReplicaId>,
    },
    /// To [`Task::Adopt`]: a part of a replica that is not here.
    NoParent(ReplicaId),
    /// To [`Task::Ingest`].
    Ingested(Ingested),
    /// What a peer sent is wrong: nothing of it was kept.
    Refused(String),
    /// An identity that an op names is neither here nor came along.
    NoIdentity(String),
    /// To [`Task::Ingest`]: something in other replicas that give authority is not here yet, such as these ops, on which others
    /// depend. Nothing was kept, and nobody is to blame.
    Lacks(Vec<OpId>),
    /// The replica is not here.
    NotHere,
    /// The store failed. Nobody is to blame.
    Failed(String),
}

/// What an app or a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A peer is connected and has proven who it is.
    PeerConnected {
        /// Over which connection.
        connection: ConnectionId,
        /// Who.
        identity: IdentityId,
        /// The address that it can be reached at, if we dialled it.
        address: Option<PeerAddress>,
    },
    /// A connected peer is gone.
    PeerDisconnected {
        /// Over which connection it was.
        connection: ConnectionId,
        /// Who.
        identity: IdentityId,
        /// Why.
        reason: String,
    },
    /// An address could not be reached, or somebody else answered. It will be tried again.
    DialFailed {
        /// The address.
        address: PeerAddress,
        /// Why.
        reason: String,
        /// Whether somebody else than expected has answered.
        wrong_identity: bool,
    },
    /// A peer has done what no honest peer does, and was disconnected.
    Misbehaved {
        /// Who.
        identity: Option<IdentityId>,
        /// What.
        reason: String,
    },
    /// A peer can be reached at an address for a replica; worth remembering.
    AddressLearned {
        /// The replica.
        replica: ReplicaId,
        /// The address.
        address: PeerAddress,
    },
    /// The genesis of a replica has come, which can be opened now.
    Arrived {
        /// The replica.
        replica: ReplicaId,
    },
    /// Ops have come.
    Fetched {
        /// The replica.
        replica: ReplicaId,
        /// From whom.
        from: IdentityId,
        /// Ops so far.
        ops: u64,
        /// Ops in all.
        total: u64,
        /// Whether that was the last batch.
        last: bool,
    },
    /// We and a peer have the same heads, of the replicas that it needs as well.
    InSync {
        /// The replica.
        replica: ReplicaId,
        /// With whom.
        peer: IdentityId,
        /// How many ops both have.
        ops: u64,
    },
    /// A peer does not share a replica that we asked it for.
    NotShared {
        /// The replica.
        replica: ReplicaId,
        /// Who.
        peer: IdentityId,
    },
    /// A peer asks to be let in. Answer with [`Input::Admit`].
    JoinRequested {
        /// Over which connection.
        connection: ConnectionId,
        /// Who.
        identity: IdentityId,
        /// Their encoded identity.
        identity_bytes: Vec<u8>,
        /// The replica.
        replica: ReplicaId,
        /// The secret that they know.
        secret: Vec<u8>,
    },
    /// A member has answered our request to be let in.
    JoinAnswered {
        /// The replica.
        replica: ReplicaId,
        /// Who has answered.
        by: IdentityId,
        /// Why not, if not.
        refused: Option<String>,
    },
    /// The store failed while it did something for a peer.
    StoreFailed {
        /// What it says.
        reason: String,
    },
}
