//! Canonical bytes: DAG-CBOR with exactly one encoding for every value.
//!
//! [`Encoder`] writes it and [`Decoder`] refuses whatever else claims to be it: unsorted or doubled keys, integers that
//! are not the shortest, indefinite lengths, tags other than 42 (links), NaN, infinities and −0.0, trailing bytes, and
//! anything over [`bounds`](crate::bounds). Source: RFC 8949 §4.2 and the DAG-CBOR specification of IPLD; where ours is
//! narrower, `docs/format.md` says so. Encoding and decoding cost time linear in the bytes.

mod collections;
mod decoder;
pub(crate) mod derived;
mod diagnostic;
mod encoder;
mod integer;
mod map;
mod traits;
pub(crate) mod unknown;
mod value;

pub use decoder::{DecodeError, Decoder, Kind, MapDecoder};
pub use encoder::{EncodeError, Encoder};
pub use map::Map;
pub use traits::{Bytes, Decode, Encode, decode, encode};
pub use unknown::Unknown;
pub use value::{Value, ValueError};

#[cfg(test)]
mod tests;
