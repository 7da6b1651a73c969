//! What decodes messages of the mesh. `hhs-mesh/tests/it/fuzz.rs` calls it, too.

#![allow(unreachable_pub, reason = "public for the fuzz targets; tests include this file as a private module")]

use hhs_mesh::proto::Message;

/// A message of a peer. Fields that a later version has added are not kept, so that the bytes need not be the same.
pub fn message(bytes: &[u8]) {
    if let Ok(message) = Message::from_bytes(bytes) {
        let again = message.to_bytes().expect("what was read can be written");
        assert_eq!(Message::from_bytes(&again).as_ref(), Ok(&message));
    }
}
