//! A document's history as bytes, and back.

use hhs_model::class::{Loader, Replica, Saver};
use hhs_model::op::{Packer, UnpackError, unpack};

use super::{Carried, Document, Received};

impl<R: Replica> Document<R> {
    /// All ops, signatures and payloads included, as few bytes as that takes: [packs](hhs_model::op::pack), each behind its
    /// length. What is being typed is not in it; [seal](Self::seal) it first.
    ///
    /// # Panics
    /// If the document held ops of several replicas, which it does not.
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

    /// Takes in what another document has [saved](Self::save), as if it were received: everything is checked. Pack by pack, so that
    /// bytes which inflate to very much take the room of one pack at a time.
    ///
    /// # Errors
    /// If these bytes are not what was saved; what came before the first that are not was taken in.
    pub fn receive_saved(&mut self, bytes: &[u8]) -> Result<Received, UnpackError> {
        let mut loader = Loader::new(bytes);
        let mut all = Received::default();
        while !loader.is_empty() {
            let ops = unpack(loader.bytes()?)?;
            let received = self.receive(ops.into_iter().map(|(op, payload)| Carried { op, payload }));
            all.added.extend(received.added);
            all.refused.extend(received.refused);
            all.known += received.known;
            all.waiting = received.waiting;
        }
        Ok(all)
    }
}
