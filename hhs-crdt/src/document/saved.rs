//! A document's history as bytes, and back.

use hhs_model::class::{Loader, Replica, Saver};
use hhs_model::op::{Packer, UnpackError, unpack};

use super::{Carried, Document, Received};

impl<R: Replica> Document<R> {
    /// All ops, signatures and payloads included, as few bytes as that takes: [packs](hhs_model::op::pack), each behind its
    /// length. What is being typed is not in it; [seal](Self::seal) it first.
    ///
    /// # Panics
    /// Never: the ops of a document are of one replica.
    pub fn save(&self) -> Vec<u8> {
        let mut saver = Saver::new();
        let mut packer = Packer::new();
        for (op, payload) in self.history.iter() {
            if packer.is_full_for(op, payload) {
                saver.bytes(&std::mem::take(&mut packer).finish());
            }
            packer.add(op, payload).expect("the ops of a document are of one replica, and one op fits a pack");
        }
        saver.bytes(&packer.finish());
        saver.finish()
    }

    /// Takes in what another document has [saved](Self::save), as if it were received: everything is checked.
    ///
    /// # Errors
    /// If these bytes are not what was saved; then nothing of it was taken in.
    pub fn receive_saved(&mut self, bytes: &[u8]) -> Result<Received, UnpackError> {
        let mut loader = Loader::new(bytes);
        let mut ops = Vec::new();
        while !loader.is_empty() {
            ops.extend(unpack(loader.bytes()?)?);
        }
        Ok(self.receive(ops.into_iter().map(|(op, payload)| Carried { op, payload })))
    }
}
