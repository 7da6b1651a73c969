//! The ops that the benchmarks take in: several authors write on two branches that meet every thousand ops. A header has
//! about 400 bytes with its signature, a payload 60 to 100.

use bench_harness::Outcome;
use hhs_model::identity::SignedMessage;
use hhs_model::op::{Genesis, Header, Op, PayloadRef};
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::SignedOp;

/// Ops of one batch: what a peer sends at once.
pub(crate) const BATCH: usize = 1000;
/// The class of the replicas. No class knows it.
pub(crate) const CLASS: &str = "bench/v1/Room";

/// A replica whose history grows.
pub(crate) struct History {
    authors: Vec<Author>,
    genesis: Genesis,
    replica: ReplicaId,
    head: Option<OpId>,
    batches: u64,
}

/// A batch, and what a floor needs to check it.
pub(crate) struct SignedBatch {
    pub(crate) ops: Vec<SignedOp>,
    pub(crate) ids: Vec<OpId>,
    pub(crate) messages: Vec<SignedMessage>,
}

impl History {
    pub(crate) fn new() -> Outcome<Self> {
        let authors: Vec<Author> = (1..=4)
            .map(|number| Author::from_seed(&format!("author {number}"), &[number; 32]))
            .collect::<Result<_, _>>()?;
        let genesis = Genesis::with_writers(CLASS, [7; 16], authors.iter().map(Author::id).collect());
        let (_, replica) = genesis.encoded()?;
        Ok(Self { authors, genesis, replica, head: None, batches: 0 })
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    pub(crate) fn identities(&self) -> Vec<Vec<u8>> {
        self.authors.iter().map(|author| author.identity_bytes().to_vec()).collect()
    }

    /// Bytes of all objects but the ops.
    pub(crate) fn founding_bytes(&self) -> Outcome<usize> {
        let (genesis, _) = self.genesis.encoded()?;
        Ok(genesis.len() + self.identities().iter().map(Vec::len).sum::<usize>())
    }

    /// The next thousand ops: a branch in each of two threads, and one op that merges them.
    pub(crate) fn next(&mut self) -> Outcome<SignedBatch> {
        let number = self.batches;
        self.batches += 1;
        let sizes = [BATCH / 2, BATCH - BATCH / 2 - 1];
        let branch = |side: usize| {
            let author = &self.authors[(number as usize + side) % self.authors.len()];
            let mut made = Vec::with_capacity(sizes[side]);
            let mut parents: Vec<OpId> = self.head.into_iter().collect();
            for at in 0..sizes[side] {
                let op = self.op(author, parents, number * 10_000 + (side * 1000 + at) as u64)?;
                parents = vec![op.0.id()];
                made.push(op);
            }
            Ok::<_, String>(made)
        };
        let (left, right) = std::thread::scope(|scope| {
            let left = scope.spawn(|| branch(0));
            let right = branch(1);
            (left.join(), right)
        });
        let mut made = left.map_err(|_| "a thread that signs has panicked")??;
        made.extend(right?);
        let mut heads = vec![made[sizes[0] - 1].0.id(), made[BATCH - 2].0.id()];
        heads.sort();
        let merge = self.op(&self.authors[number as usize % self.authors.len()], heads, number * 10_000 + 9999)?;
        self.head = Some(merge.0.id());
        made.push(merge);
        Ok(self.batch(made))
    }

    fn op(&self, author: &Author, parents: Vec<OpId>, number: u64) -> Result<(Op, Vec<u8>), String> {
        let payload = payload(number);
        let header = Header {
            target: self.replica,
            parents,
            deps: Vec::new(),
            grants: Vec::new(),
            act: None,
            author: author.id(),
            time: 1_700_000_000_000 + number,
            payload: Some(PayloadRef::to(&payload)),
        };
        let op = Op::sign(header, &**author.signer()).map_err(|error| error.to_string())?;
        Ok((op, payload))
    }

    fn batch(&self, made: Vec<(Op, Vec<u8>)>) -> SignedBatch {
        let key = |op: &Op| {
            let author = self.authors.iter().find(|author| author.id() == op.header().author);
            author.expect("the authors of a history write it").identity().key
        };
        SignedBatch {
            ids: made.iter().map(|(op, _)| op.id()).collect(),
            messages: made.iter().map(|(op, _)| op.signed_message(key(op))).collect(),
            ops: made
                .into_iter()
                .map(|(op, payload)| SignedOp { header: op.bytes().to_vec(), payload: Some(payload) })
                .collect(),
        }
    }
}

/// A message of a chat.
fn payload(number: u64) -> Vec<u8> {
    let text = format!("message {number}: {}", "all work and no play ".repeat(2 + number as usize % 3));
    // {"messages": [text]}, as DAG-CBOR: the text is shorter than 256 bytes.
    let mut bytes = b"\xa1\x68messages\x81\x78".to_vec();
    bytes.push(text.len() as u8);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}
