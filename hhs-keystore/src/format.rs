//! The bytes of a keystore, version 1: `docs/keystore.md`.
//!
//! A header says how the rest is protected; the content follows, encrypted (XChaCha20-Poly1305) or not; a checksum ends
//! it, so that damage is told from a wrong passphrase, and found before the passphrase costs anything.

mod content;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hhs_model::Runtime;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::passphrase::{Cost, KEY, NoMemory, Passphrase, Protection, SALT};

pub(crate) use content::{Entry, TooLarge, read as read_content};

/// Identities in a keystore.
pub const MAX_KEYS: usize = 1024;
/// Bytes of a keystore.
pub const MAX_KEYSTORE_BYTES: usize = 1 << 20;

/// How a keystore that is open is protected: what it takes to write it again.
pub(crate) enum Seal {
    Plain,
    Encrypted { key: Zeroizing<[u8; KEY]>, cost: Cost, salt: [u8; SALT] },
}

/// Bytes that are whole and of this version, and how their content is protected.
pub(crate) struct Sealed<'a> {
    lock: Lock,
    header: &'a [u8],
    content: &'a [u8],
}

enum Lock {
    Plain,
    Passphrase { cost: Cost, salt: [u8; SALT], nonce: [u8; NONCE] },
}

impl Seal {
    pub(crate) fn new(protection: &Protection, runtime: &dyn Runtime) -> Result<Self, NoMemory> {
        let Protection::Passphrase { passphrase, cost } = protection else { return Ok(Self::Plain) };
        let mut salt = [0; SALT];
        runtime.fill_random(&mut salt);
        Ok(Self::Encrypted { key: passphrase.key(*cost, &salt)?, cost: *cost, salt })
    }

    /// The bytes of a keystore with these entries.
    pub(crate) fn close(&self, entries: &[Entry], runtime: &dyn Runtime) -> Result<Zeroizing<Vec<u8>>, TooLarge> {
        let records = content::records(entries)?;
        let most = ENCRYPTED_HEADER + content::size(entries, &records) + TAG + SUM;
        if most > MAX_KEYSTORE_BYTES {
            return Err(TooLarge::Bytes);
        }
        let (header, nonce) = self.header(runtime);
        // It never grows: a buffer that moved would leave secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(most));
        bytes.extend_from_slice(&header);
        content::write(entries, &records, &mut bytes);
        if let Self::Encrypted { key, .. } = self {
            let content = &mut bytes[header.len()..];
            let tag = XChaCha20Poly1305::new((&**key).into())
                .encrypt_inout_detached(&XNonce::from(nonce), &header, content.into())
                .expect("the content is far shorter than the cipher's bound");
            bytes.extend_from_slice(&tag);
        }
        let sum = Sha256::digest(&*bytes);
        bytes.extend_from_slice(&sum);
        Ok(bytes)
    }

    /// The header, and the nonce in it, which is used once.
    fn header(&self, runtime: &dyn Runtime) -> (Vec<u8>, [u8; NONCE]) {
        let mut nonce = [0; NONCE];
        let mut header = [MAGIC, &VERSION.to_be_bytes()].concat();
        match self {
            Self::Plain => header.extend(PLAIN.to_be_bytes()),
            Self::Encrypted { cost, salt, .. } => {
                runtime.fill_random(&mut nonce);
                header.extend(ENCRYPTED.to_be_bytes());
                header.extend([cost.memory_kib(), cost.passes(), cost.lanes()].map(u32::to_be_bytes).concat());
                header.extend(salt.iter().chain(&nonce));
            }
        }
        (header, nonce)
    }
}

impl<'a> Sealed<'a> {
    /// Looks at bytes from wherever. Costs one hash of them.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(OpenError::Foreign)?;
        match rest.first_chunk() {
            Some(version) => match u16::from_be_bytes(*version) {
                VERSION => {}
                0 => return Err(OpenError::Damaged("it has version 0")),
                newer => return Err(OpenError::Newer(newer)),
            },
            None => return Err(CUT_OFF),
        }
        if bytes.len() > MAX_KEYSTORE_BYTES {
            return Err(OpenError::Damaged("it has more bytes than a keystore"));
        }
        let (bytes, sum) = bytes.split_last_chunk::<SUM>().ok_or(CUT_OFF)?;
        if Sha256::digest(bytes)[..] != sum[..] {
            return Err(OpenError::Damaged("its checksum does not hold"));
        }
        let (protection, fields) = bytes[MAGIC.len() + 2..].split_first_chunk().ok_or(CUT_OFF)?;
        let (lock, header) = match u16::from_be_bytes(*protection) {
            PLAIN => (Lock::Plain, PLAIN_HEADER),
            ENCRYPTED => (Lock::read(fields)?, ENCRYPTED_HEADER),
            _ => return Err(OpenError::Damaged("it is protected in a way that version 1 does not have")),
        };
        let (header, content) = bytes.split_at(header);
        Ok(Self { lock, header, content })
    }

    /// The content, and what seals it again.
    pub(crate) fn open(&self, passphrase: Option<&Passphrase>) -> Result<(Zeroizing<Vec<u8>>, Seal), OpenError> {
        let (cost, salt, nonce) = match self.lock {
            Lock::Plain => return Ok((Zeroizing::new(self.content.to_vec()), Seal::Plain)),
            Lock::Passphrase { cost, salt, nonce } => (cost, salt, nonce),
        };
        let key =
            passphrase.ok_or(OpenError::NeedsPassphrase)?.key(cost, &salt).map_err(|NoMemory| OpenError::Memory)?;
        let (content, tag) = self.content.split_last_chunk::<TAG>().ok_or(CUT_OFF)?;
        let mut content = Zeroizing::new(content.to_vec());
        XChaCha20Poly1305::new((&*key).into())
            .decrypt_inout_detached(&XNonce::from(nonce), self.header, content.as_mut_slice().into(), &Tag::from(*tag))
            // The bytes are as somebody wrote them: the checksum holds.
            .map_err(|_| OpenError::WrongPassphrase)?;
        Ok((content, Seal::Encrypted { key, cost, salt }))
    }
}

impl Lock {
    fn read(mut fields: &[u8]) -> Result<Self, OpenError> {
        let mut number = || take(&mut fields).map(|bytes| u32::from_be_bytes(*bytes));
        let cost = Cost::new(number()?, number()?, number()?)?;
        Ok(Self::Passphrase { cost, salt: *take(&mut fields)?, nonce: *take(&mut fields)? })
    }
}

/// The next bytes of a header.
fn take<'a, const N: usize>(fields: &mut &'a [u8]) -> Result<&'a [u8; N], OpenError> {
    let (taken, rest) = fields.split_first_chunk().ok_or(CUT_OFF)?;
    *fields = rest;
    Ok(taken)
}

const MAGIC: &[u8] = b"hhs-keystore";
const VERSION: u16 = 1;
const PLAIN: u16 = 0;
const ENCRYPTED: u16 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const SUM: usize = 32;
const PLAIN_HEADER: usize = 16;
const ENCRYPTED_HEADER: usize = PLAIN_HEADER + 3 * 4 + SALT + NONCE;
const CUT_OFF: OpenError = OpenError::Damaged("it is cut off");
