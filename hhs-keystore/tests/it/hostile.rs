//! Files that are damaged, cut off, made up or made to hurt: each is refused, at once and without a panic.

use hhs_keystore::{MAX_KEYSTORE_BYTES, MemoryStorage, OpenError, Passphrase, Protection};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::world::{encrypted, names, open, passphrase, two};

fn refusal(bytes: Vec<u8>, passphrase: Option<&Passphrase>) -> OpenError {
    open(MemoryStorage::holding(bytes), passphrase).expect_err("this is no keystore")
}

/// Puts the right checksum behind what somebody has changed.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = bytes.len() - 32;
    let sum = Sha256::digest(&bytes[..length]);
    bytes[length..].copy_from_slice(&sum);
    bytes
}

/// Each bit of a file is flipped in turn: it is refused as damaged, or as not ours or newer if the bit says so, and never
/// as a wrong passphrase.
#[test]
fn any_bit_that_flips() {
    let secret = passphrase("secret");
    for (whole, version) in [(two(Protection::Plain), 12..14), (two(encrypted("secret")), 12..14)] {
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refusal = refusal(bytes, Some(&secret));
            let fits = match &refusal {
                OpenError::Foreign => bit / 8 < 12,
                OpenError::Newer(_) => version.contains(&(bit / 8)),
                OpenError::Damaged(_) => bit / 8 >= 12,
                _ => false,
            };
            assert!(fits, "bit {bit}: {refusal}");
        }
    }
}

/// The file is cut off anywhere, or something follows it.
#[test]
fn a_file_that_is_cut_off_or_goes_on() {
    let secret = passphrase("secret");
    for whole in [two(Protection::Plain), two(encrypted("secret"))] {
        for length in 0..whole.len() {
            let refusal = refusal(whole[..length].to_vec(), Some(&secret));
            assert!(matches!(refusal, OpenError::Foreign | OpenError::Damaged(_)), "{length}: {refusal}");
        }
        for more in [vec![0], b"\n".to_vec(), whole.clone(), vec![0; MAX_KEYSTORE_BYTES]] {
            let refusal = refusal([whole.clone(), more].concat(), Some(&secret));
            assert!(matches!(refusal, OpenError::Damaged(_)), "{refusal}");
        }
    }
}

/// Somebody changes an encrypted file and knows how to compute a checksum: without the passphrase nothing of it can be
/// changed, the header neither. That cannot be told from a wrong passphrase.
#[test]
fn an_encrypted_file_that_somebody_changed() {
    let (secret, whole) = (passphrase("secret"), two(encrypted("secret")));
    for at in (28..whole.len() - 32).chain([15, 19, 23, 27]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        let refusal = refusal(summed(bytes), Some(&secret));
        let fits = match &refusal {
            OpenError::WrongPassphrase => at != 15,
            // In the fields of how it is protected, they may also become what nobody writes.
            OpenError::Damaged(_) | OpenError::Cost(_) => at < 28,
            _ => false,
        };
        assert!(fits, "byte {at}: {refusal}");
    }
}

/// The header asks for gigabytes, or for years: refused before anything is computed.
#[test]
fn a_header_that_asks_for_too_much() {
    let (secret, whole) = (passphrase("secret"), two(encrypted("secret")));
    let max = u32::MAX;
    for numbers in [[max, 1, 1], [8, max, 1], [8, 1, max], [max, max, max], [0, 0, 0], [1 << 18, 5, 1], [8, 1, 2]] {
        let mut bytes = whole.clone();
        for (at, number) in numbers.into_iter().enumerate() {
            bytes[16 + 4 * at..20 + 4 * at].copy_from_slice(&u32::to_be_bytes(number));
        }
        let refusal = refusal(summed(bytes), Some(&secret));
        assert!(matches!(refusal, OpenError::Cost(_)), "{numbers:?}: {refusal}");
    }
}

/// A later version, whatever follows: the error names it. Other files are none of ours.
#[test]
fn other_files() {
    for protection in [Protection::Plain, encrypted("secret")] {
        let mut bytes = two(protection);
        bytes[13] = 2;
        assert!(matches!(refusal(bytes.clone(), None), OpenError::Newer(2)));
        bytes.truncate(14);
        let refusal = refusal(bytes, None);
        assert!(refusal.to_string().contains("version 2") && refusal.to_string().contains("newer one"), "{refusal}");
    }
    for bytes in [&b""[..], b"hhs key 1\nname Ana\nseed 00\n", b"hhs-keystor", b"{}", &[0; 100]] {
        assert!(matches!(refusal(bytes.to_vec(), None), OpenError::Foreign));
    }
}

/// A plain content that somebody made up, with all around it right.
fn plain(content: &[u8]) -> Vec<u8> {
    summed([b"hhs-keystore\0\x01\0\0", content, &[0; 32]].concat())
}

/// The golden file's content, to be made worse.
fn content() -> Vec<u8> {
    let golden = include_bytes!("../golden/plain.keystore");
    golden[16..golden.len() - 32].to_vec()
}

/// Contents that no program writes.
#[test]
fn contents_that_are_wrong() {
    let good = content();
    assert_eq!(names(&open(MemoryStorage::holding(plain(&good)), None).unwrap()), ["Ana", "Ben"]);
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).expect("it is in there");
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    let changed = |at: usize, to: &[u8]| [&good[..at], to, &good[at + to.len()..]].concat();
    let first_identity = good.windows(4).position(|window| window == b"\xa3\x61$o").unwrap();
    let records = &good[2 + 64..];
    for (what, content) in [
        ("nothing", vec![]),
        ("a count only", vec![0, 1]),
        ("no records", good[..2 + 64].to_vec()),
        ("one seed more than records", [&[0, 3][..], &good[2..66], &[9; 32], records].concat()),
        ("one seed less than records", [&[0, 1][..], &good[2..34], records].concat()),
        ("more seeds than there can be", [&[0xff, 0xff][..], &good[2..]].concat()),
        ("more identities than there may be", [&[4, 1][..], &[1; 1025 * 32], b"\x80"].concat()),
        ("something behind the records", [&good[..], b"\0"].concat()),
        ("a seed of somebody else", changed(2, &[3])),
        ("seeds in another order", [&good[..2], &good[34..66], &good[2..34], records].concat()),
        ("an identity that is none", changed(first_identity, b"\xa2")),
        ("an identity of another class", changed(first_identity + 3, b"p")),
        ("a policy with an entry more", replaced(b"\x66policy\xa1", b"\x66policy\xa2\x61a\x01")),
        ("a policy with a domain that is none", replaced(b"\x65op/v1", b"\x65op v1")),
        ("a policy with an empty domain", replaced(b"\x81\x65op/v1", b"\x81\x60")),
        ("a policy of another kind", replaced(b"\x66policy\xa1\x6ahandshakes\xf4", b"\x66policy\xf5")),
        ("an integer that is not the shortest", longer_created(&good)),
        ("the same identity twice", [&good[..34], &good[2..34], &twice(records)].concat()),
    ] {
        let refusal = open(MemoryStorage::holding(plain(&content)), None).expect_err(what);
        assert!(matches!(refusal, OpenError::Damaged(_)), "{what}: {refusal}");
    }
}

/// The first time of creation is 1, in eight bytes.
fn longer_created(good: &[u8]) -> Vec<u8> {
    let at = good.windows(9).position(|window| window == b"\x67created\x1b").unwrap() + 9;
    [&good[..at], &1u64.to_be_bytes(), &good[at + 8..]].concat()
}

/// A list of two records that has the first one in the place of the second.
fn twice(records: &[u8]) -> Vec<u8> {
    let second = records.windows(8).rposition(|window| window == b"\xa3\x66policy").unwrap();
    [&records[..second], &records[1..second]].concat()
}

proptest! {
    /// Bytes of any kind, as a file, as a content and as changes of one: an error, or a keystore that was there.
    #[test]
    fn bytes_of_any_kind(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
        refusal(bytes.clone(), None);
        refusal([&b"hhs-keystore\0\x01"[..], &bytes].concat(), None);
        if let Err(refusal) = open(MemoryStorage::holding(plain(&bytes)), None) {
            prop_assert!(matches!(refusal, OpenError::Damaged(_)), "{}", refusal);
        }
        let mut changed = content();
        let at = at.index(changed.len());
        let end = changed.len().min(at + bytes.len());
        changed.splice(at..end, bytes);
        if let Err(refusal) = open(MemoryStorage::holding(plain(&changed)), None) {
            prop_assert!(matches!(refusal, OpenError::Damaged(_)), "{}", refusal);
        }
    }
}
