//! The header of an op: what it changes, what it builds on, by whose authority, signed.

use super::act::Act;
use super::order::{ascending, check};
use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPS, MAX_GRANTS, MAX_HEADER_BYTES, MAX_PARENTS};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};
use crate::id::{IdentityId, OpId, PayloadId, ReplicaId};
use crate::identity::{Domain, PublicKey, SignError, Signature, SignedMessage, Signer};
use crate::object::{CLASS_KEY, Object, expect_class};

/// What an op says about itself, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The replica that the op changes.
    pub target: ReplicaId,
    /// The heads that the author had applied, ascending; empty for an op that builds on the genesis alone.
    pub parents: Vec<OpId>,
    /// Ops of other replicas that the author had applied and this op rests on, ascending.
    pub deps: Vec<OpId>,
    /// The grants that the op stands on, ascending: ops in its past. Empty for holders from the genesis.
    pub grants: Vec<OpId>,
    /// What the op does to authority, if anything.
    pub act: Option<Act>,
    /// Who wrote the op.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970. It decides nothing.
    pub time: u64,
    /// The payload, if there is one: what the op does to the replica's fields.
    pub payload: Option<PayloadRef>,
}

/// A payload by hash and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadRef {
    /// The hash of its bytes.
    pub id: PayloadId,
    /// Its bytes.
    pub size: u64,
}

impl PayloadRef {
    /// The reference to a payload.
    pub fn to(payload: &[u8]) -> Self {
        Self { id: PayloadId::of(payload), size: payload.len() as u64 }
    }
}

/// A header with its signature, its bytes and its id. What it says about others is not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    id: OpId,
    header: Header,
    signature: Signature,
    bytes: Vec<u8>,
    /// Where the entry of the signature begins and ends.
    cut: (usize, usize),
}

/// Why bytes are not those of an op.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    /// More than [`MAX_HEADER_BYTES`].
    #[error("an op header of {0} bytes is more than the {MAX_HEADER_BYTES} allowed")]
    TooLarge(usize),
    /// Not canonical, or not an op header.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Why a header does not become an op.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignOpError {
    /// It has no canonical bytes.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Nothing signs it.
    #[error("the op is not signed: {0}")]
    Sign(#[from] SignError),
}

impl Op {
    /// Signs a header.
    ///
    /// # Errors
    /// If a list or the payload exceeds its bound, a list is not in order, or the signer refuses.
    pub fn sign(header: Header, signer: &dyn Signer) -> Result<Self, SignOpError> {
        let (mut bytes, cut) = header.encode_signed(&Signature([0; 64]))?;
        let signature = signer.sign(Domain::OP, &unsigned(&bytes, cut))?;
        bytes[cut.1 - signature.0.len()..cut.1].copy_from_slice(&signature.0);
        Ok(Self { id: OpId::of(&bytes), header, signature, bytes, cut })
    }

    /// Puts an op together from its parts. The signature is not checked: see [`Op::signed_message`].
    ///
    /// # Errors
    /// If a list or the payload exceeds its bound, or a list is not in order.
    pub fn with_signature(header: Header, signature: Signature) -> Result<Self, EncodeError> {
        let (bytes, cut) = header.encode_signed(&signature)?;
        Ok(Self { id: OpId::of(&bytes), header, signature, bytes, cut })
    }

    /// An op that is nothing but its header, under an id that is no hash.
    #[cfg(test)]
    pub(crate) fn with_id(header: Header, id: OpId) -> Self {
        Self { id, header, signature: Signature([0; 64]), bytes: Vec::new(), cut: (0, 0) }
    }

    /// Reads a header. Its signature is not checked: see [`Op::signed_message`].
    ///
    /// # Errors
    /// If the bytes are not canonical, not a header, or exceed a bound.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpError> {
        if bytes.len() > MAX_HEADER_BYTES {
            return Err(OpError::TooLarge(bytes.len()));
        }
        Self::from_vec(bytes.to_vec())
    }

    /// As [`from_bytes`](Self::from_bytes), without copying the bytes.
    ///
    /// # Errors
    /// If the bytes are not canonical, not a header, or exceed a bound.
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self, OpError> {
        if bytes.len() > MAX_HEADER_BYTES {
            return Err(OpError::TooLarge(bytes.len()));
        }
        let mut decoder = Decoder::new(&bytes)?;
        let Parsed { header, signature, cut } = parse(&mut decoder)?;
        decoder.finish()?;
        Ok(Self { id: OpId::of(&bytes), header, signature, bytes, cut })
    }

    /// The op's id: the hash of its bytes, the signature among them.
    pub fn id(&self) -> OpId {
        self.id
    }

    /// What the op says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The canonical bytes, signature included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature together with what it has to hold for, if `key` is the author's.
    pub fn signed_message(&self, key: PublicKey) -> SignedMessage {
        SignedMessage { key, bound: Domain::OP.bind(&unsigned(&self.bytes, self.cut)), signature: self.signature }
    }

    /// Whether `payload` is the one that the header names.
    pub fn is_payload(&self, payload: Option<&[u8]>) -> bool {
        self.header.payload == payload.map(PayloadRef::to)
    }
}

/// The signed bytes: the header without the entry of the signature, counted as one entry less. There are fewer than 24
/// entries, so that the count is in the first byte.
fn unsigned(bytes: &[u8], cut: (usize, usize)) -> Vec<u8> {
    let mut unsigned = Vec::with_capacity(bytes.len());
    unsigned.push(bytes[0] - 1);
    unsigned.extend_from_slice(&bytes[1..cut.0]);
    unsigned.extend_from_slice(&bytes[cut.1..]);
    unsigned
}

impl Object for Header {
    const CLASS: &'static str = "hhs/v1/Op";
}

/// A header without signature, which is what gets signed.
impl Encode for Header {
    fn encode(&self, encoder: &mut Encoder) {
        self.write(None, encoder);
    }
}

/// Reads a header and leaves its signature aside.
impl Decode for Header {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        parse(decoder).map(|parsed| parsed.header)
    }
}

impl Header {
    /// The bytes of an op; where in them the entry of the signature begins and ends.
    fn encode_signed(&self, signature: &Signature) -> Result<(Vec<u8>, (usize, usize)), EncodeError> {
        let mut encoder = Encoder::new();
        let cut = self.write(Some(signature), &mut encoder);
        let bytes = encoder.finish()?;
        if bytes.len() > MAX_HEADER_BYTES {
            let what = "bytes of an op header";
            return Err(EncodeError::Bound { what, count: bytes.len(), limit: MAX_HEADER_BYTES });
        }
        Ok((bytes, cut))
    }

    /// Writes the header, with a signature if there is one; where the entry of that begins and ends.
    fn write(&self, signature: Option<&Signature>, encoder: &mut Encoder) -> (usize, usize) {
        check(encoder, &self.parents, "parents", MAX_PARENTS);
        check(encoder, &self.deps, "dependencies", MAX_DEPS);
        check(encoder, &self.grants, "grants", MAX_GRANTS);
        if let Some(count) = self.payload.and_then(|payload| excess(payload.size)) {
            encoder.fail(EncodeError::Bound { what: PAYLOAD_BYTES, count, limit: MAX_BLOCK_BYTES });
        }
        let payload = usize::from(self.payload.is_some());
        encoder.map(7 + usize::from(self.act.is_some()) + usize::from(signature.is_some()) + 2 * payload);
        encoder.key(CLASS_KEY).text(Header::CLASS);
        if let Some(act) = &self.act {
            encoder.key("act").value(act);
        }
        let start = encoder.position();
        if let Some(signature) = signature {
            encoder.key("sig").value(signature);
        }
        let end = encoder.position();
        encoder.key("deps").value(&self.deps);
        if let Some(payload) = &self.payload {
            encoder.key("size").uint(payload.size);
        }
        encoder.key("time").uint(self.time);
        encoder.key("author").value(&self.author);
        encoder.key("grants").value(&self.grants);
        encoder.key("target").value(&self.target);
        encoder.key("parents").value(&self.parents);
        if let Some(payload) = &self.payload {
            encoder.key("payload").value(&payload.id);
        }
        (start, end)
    }
}

struct Parsed {
    header: Header,
    signature: Signature,
    /// Where the entry of the signature begins and ends.
    cut: (usize, usize),
}

fn parse(decoder: &mut Decoder<'_>) -> Result<Parsed, DecodeError> {
    let mut map = decoder.map()?;
    expect_class(&mut map, decoder, Header::CLASS)?;
    let (mut act, mut signature, mut deps, mut size, mut time) = (None, None, None, None, None);
    let (mut author, mut grants, mut target, mut parents, mut payload) = (None, None, None, None, None);
    let mut before = decoder.position();
    while let Some(field) = map.next_key(decoder)? {
        match field {
            "act" => act = Some(decoder.value()?),
            "sig" => signature = Some((decoder.value()?, (before, decoder.position()))),
            "deps" => deps = Some(ascending(decoder, "dependencies", MAX_DEPS)?),
            "size" => size = Some(payload_size(decoder)?),
            "time" => time = Some(decoder.uint()?),
            "author" => author = Some(decoder.value()?),
            "grants" => grants = Some(ascending(decoder, "grants", MAX_GRANTS)?),
            "target" => target = Some(decoder.value()?),
            "parents" => parents = Some(ascending(decoder, "parents", MAX_PARENTS)?),
            "payload" => payload = Some(decoder.value()?),
            _ => return Err(DecodeError::Invalid("an op header has a field that is not known")),
        }
        before = decoder.position();
    }
    let payload = match (payload, size) {
        (Some(id), Some(size)) => Some(PayloadRef { id, size }),
        (None, None) => None,
        _ => {
            return Err(DecodeError::Invalid("an op header has a payload without its size, or a size without payload"));
        }
    };
    let (signature, cut) = signature.ok_or(DecodeError::MissingField("sig"))?;
    let header = Header {
        target: target.ok_or(DecodeError::MissingField("target"))?,
        parents: parents.ok_or(DecodeError::MissingField("parents"))?,
        deps: deps.ok_or(DecodeError::MissingField("deps"))?,
        grants: grants.ok_or(DecodeError::MissingField("grants"))?,
        act,
        author: author.ok_or(DecodeError::MissingField("author"))?,
        time: time.ok_or(DecodeError::MissingField("time"))?,
        payload,
    };
    Ok(Parsed { header, signature, cut })
}

/// A payload is a block: what a header names beyond that could not be kept everywhere.
fn payload_size(decoder: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    let size = decoder.uint()?;
    match excess(size) {
        None => Ok(size),
        Some(count) => Err(DecodeError::Bound { what: PAYLOAD_BYTES, count, limit: MAX_BLOCK_BYTES }),
    }
}

/// The size, if it is more than that of a block.
fn excess(size: u64) -> Option<usize> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    (size > MAX_BLOCK_BYTES).then_some(size)
}

const PAYLOAD_BYTES: &str = "bytes of a payload";
