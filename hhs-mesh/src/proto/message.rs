//! What peers say to each other: one message of one layer per frame, in canonical DAG-CBOR.

use hhs_model::codec::{DecodeError, Decoder, EncodeError, Encoder};
use hhs_model::{Decode, Encode};

use super::{admission, delta, gossip, group, hello};
use crate::transport::MAX_MESSAGE_BYTES;

/// A message.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Who I am.
    Hello(hello::Message),
    /// Where others are.
    Group(group::Message),
    /// What I share and have.
    Gossip(gossip::Message),
    /// Moving ops.
    Delta(delta::Message),
    /// Being let in.
    Admission(admission::Message),
}

/// The identities and the headers in a batch of ops.
pub(crate) type Parts<'a> = (Vec<&'a [u8]>, Vec<&'a [u8]>);

/// Why a frame is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame is not a message: {0}")]
pub struct MessageError(#[from] DecodeError);

impl Message {
    /// The frame of a message.
    ///
    /// # Errors
    /// If it is larger than a frame may be.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut encoder = Encoder::with_limit(MAX_MESSAGE_BYTES);
        self.encode(&mut encoder);
        encoder.finish()
    }

    /// The identities and the headers of ops that come with it, if it is a batch of ops.
    pub(crate) fn ops(&self) -> Option<Parts<'_>> {
        let Self::Delta(delta::Message::Batch { identities, ops, .. }) = self else { return None };
        let identities = identities.iter().map(AsRef::as_ref).collect();
        Some((identities, ops.iter().map(|op| op.header.as_ref()).collect()))
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// If it is not a message.
    pub fn from_bytes(frame: &[u8]) -> Result<Self, MessageError> {
        let mut decoder = Decoder::unbounded(frame);
        let message = Self::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(message)
    }
}
