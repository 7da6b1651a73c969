//! `Nonce`: random bytes in an object.

use std::fmt;

use crate::codec::{Decode, DecodeError, Decoder, Encode, Encoder};
use crate::runtime::Runtime;

/// 16 random bytes: a field of this type makes objects distinct whose content is equal otherwise.
///
/// Two people who write "yes" write the same object with the same id. With a nonce they write two.
///
/// ```
/// use hhs_model::{Nonce, Object, object};
///
/// #[derive(Object)]
/// #[object(class = "poll/v1/Vote")]
/// struct Vote {
///     says: String,
///     nonce: Nonce,
/// }
///
/// // In a program: `Nonce::random(runtime)`.
/// let vote = |nonce| Vote { says: "yes".into(), nonce: Nonce::from(nonce) };
/// assert_ne!(object::id(&vote([1; 16]))?, object::id(&vote([2; 16]))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; Self::BYTES]);

impl Nonce {
    /// Its bytes.
    pub const BYTES: usize = 16;

    /// A new one.
    pub fn random(runtime: &dyn Runtime) -> Self {
        let mut bytes = [0; Self::BYTES];
        runtime.fill_random(&mut bytes);
        Self(bytes)
    }
}

impl From<[u8; 16]> for Nonce {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Encode for Nonce {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.0);
    }
}

impl Decode for Nonce {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.byte_array("a nonce of 16 bytes").map(Self)
    }
}
