//! CAR files, version 1: a header that names the roots, then blocks with their ids.
//!
//! Source: the CARv1 specification of IPLD. A file is a row of sections, each a length (unsigned LEB128) and that many bytes:
//! first the header, the DAG-CBOR map `{"roots": [links], "version": 1}`, then for each block its binary CID and its bytes.
//! Reading holds one section at a time, and none over the bound on blocks.

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use hhs_model::bounds::MAX_BLOCK_BYTES;
use hhs_model::codec::{DecodeError, Decoder, Encoder};
use hhs_model::{Cid, Hash};

/// Why a file is not a CAR file of this format.
#[derive(Debug, thiserror::Error)]
pub enum CarError {
    /// It cannot be read or written.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// It ends in the midst of a section.
    #[error("the file ends in the midst of a block, {0} bytes from its start: it was cut off; get all of it")]
    Truncated(u64),
    /// The header is not one.
    #[error("it is not a CAR file of version 1: {0}")]
    Header(DecodeError),
    /// A section cannot be a block.
    #[error("{at} bytes from its start the file has a section of {size} bytes, which no block of this format has")]
    Section {
        /// Where the section begins.
        at: u64,
        /// Its length.
        size: u64,
    },
    /// The id of a block is not one of this format.
    #[error("{at} bytes from its start the file has a block whose id cannot be read: {source}")]
    Id {
        /// Where the section begins.
        at: u64,
        /// What is wrong with the id.
        source: hhs_model::id::CidError,
    },
    /// A block is not the one its id names.
    #[error(
        "{at} bytes from its start the file has a block that is not the one of its id {id}: it was damaged; get it anew"
    )]
    Damaged {
        /// Where the section begins.
        at: u64,
        /// The id that it stands under.
        id: Cid,
    },
}

/// A block with its id, which is that of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) cid: Cid,
    pub(super) bytes: Vec<u8>,
}

/// Writes a file, section by section.
pub(super) struct Writer<'a, W> {
    sink: &'a mut W,
    blocks: u64,
    bytes: u64,
}

impl<'a, W: AsyncWrite + Unpin> Writer<'a, W> {
    /// Begins a file with one root.
    pub(super) async fn new(sink: &'a mut W, root: Cid) -> Result<Self, CarError> {
        let mut writer = Self { sink, blocks: 0, bytes: 0 };
        let mut header = Encoder::new();
        header.map(2);
        header.key("roots").list(1);
        header.link(&root);
        header.key("version").uint(VERSION);
        let header = header.finish().expect("one link and a number are encodable");
        writer.section(&[&header]).await?;
        Ok(writer)
    }

    pub(super) async fn block(&mut self, cid: Cid, bytes: &[u8]) -> Result<(), CarError> {
        self.section(&[&cid.to_bytes(), bytes]).await?;
        self.blocks += 1;
        Ok(())
    }

    /// How many blocks were written.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Flushes; how many blocks and bytes the file has.
    pub(super) async fn finish(self) -> Result<(u64, u64), CarError> {
        self.sink.flush().await?;
        Ok((self.blocks, self.bytes))
    }

    async fn section(&mut self, parts: &[&[u8]]) -> Result<(), CarError> {
        let mut section = Vec::new();
        let mut left: usize = parts.iter().map(|part| part.len()).sum();
        while left >= 0x80 {
            section.push(left as u8 | 0x80);
            left >>= 7;
        }
        section.push(left as u8);
        parts.iter().for_each(|part| section.extend_from_slice(part));
        self.bytes += section.len() as u64;
        Ok(self.sink.write_all(&section).await?)
    }
}

/// Reads a file, section by section.
pub(super) struct Reader<R> {
    source: R,
    at: u64,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads the header; the reader stands at the first block then.
    pub(super) async fn new(source: R) -> Result<(Self, Vec<Cid>), CarError> {
        let mut reader = Self { source, at: 0 };
        let section = reader.section(MAX_HEADER_BYTES).await?.ok_or(CarError::Truncated(0))?;
        let roots = header(&section).map_err(CarError::Header)?;
        Ok((reader, roots))
    }

    /// The next block, checked against its id; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Block>, CarError> {
        let at = self.at;
        let Some(mut section) = self.section(Cid::BYTES + MAX_BLOCK_BYTES).await? else { return Ok(None) };
        if section.len() < Cid::BYTES {
            return Err(CarError::Section { at, size: section.len() as u64 });
        }
        let bytes = section.split_off(Cid::BYTES);
        let cid = Cid::from_bytes(&section).map_err(|source| CarError::Id { at, source })?;
        if Hash::of(&bytes) != cid.hash {
            return Err(CarError::Damaged { at, id: cid });
        }
        Ok(Some(Block { cid, bytes }))
    }

    async fn section(&mut self, limit: usize) -> Result<Option<Vec<u8>>, CarError> {
        let start = self.at;
        let Some(size) = self.length(start).await? else { return Ok(None) };
        if size > limit as u64 {
            return Err(CarError::Section { at: start, size });
        }
        // Grows with what is there, not with what is claimed.
        let mut section = Vec::new();
        let read = (&mut self.source).take(size).read_to_end(&mut section).await?;
        self.at += read as u64;
        if (read as u64) < size {
            return Err(CarError::Truncated(self.at));
        }
        Ok(Some(section))
    }

    /// The length before a section; `None` where the file ends.
    async fn length(&mut self, start: u64) -> Result<Option<u64>, CarError> {
        let mut length = 0_u64;
        for shift in (0..MAX_LENGTH_BITS).step_by(7) {
            let mut byte = [0];
            if self.source.read(&mut byte).await? == 0 {
                return if shift == 0 { Ok(None) } else { Err(CarError::Truncated(self.at)) };
            }
            self.at += 1;
            length |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(Some(length));
            }
        }
        Err(CarError::Section { at: start, size: length })
    }
}

fn header(section: &[u8]) -> Result<Vec<Cid>, DecodeError> {
    let mut decoder = Decoder::new(section)?;
    let mut map = decoder.map()?;
    let (mut roots, mut version) = (None, None);
    while let Some(key) = map.next_key(&mut decoder)? {
        match key {
            "roots" => roots = Some(decoder.value()?),
            "version" => version = Some(decoder.uint()?),
            _ => drop(decoder.skip()?),
        }
    }
    decoder.finish()?;
    match version {
        Some(VERSION) => roots.ok_or(DecodeError::MissingField("roots")),
        Some(_) => Err(DecodeError::Invalid("it has another version")),
        None => Err(DecodeError::MissingField("version")),
    }
}

const VERSION: u64 = 1;
/// Bytes of a header. Ours has one root; those of others may have some hundreds.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// A length beyond this many bits is over every bound.
const MAX_LENGTH_BITS: u32 = 35;

#[cfg(test)]
mod tests;
