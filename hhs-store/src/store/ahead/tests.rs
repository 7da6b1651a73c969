//! What is found out ahead saves work, and changes no verdict.

use futures::executor::block_on;
use hhs_model::op::Header;
use hhs_model::{Author, Registry, ReplicaId};

use super::super::ingest::{Bundle, Ingested, SignedOp};
use super::*;
use crate::MemoryBackend;

struct Fixture {
    store: Store,
    replica: ReplicaId,
    founder: Author,
}

impl Fixture {
    async fn new() -> Self {
        let store = Store::open(MemoryBackend::new(), Registry::new()).await.unwrap();
        let founder = author(1);
        let replica = store.found("test/v1/Notes", [0; 16], &founder).await.unwrap();
        Self { store, replica, founder }
    }

    fn op(&self, author: &Author, time: u64) -> Vec<u8> {
        let (parents, deps, grants) = (Vec::new(), Vec::new(), Vec::new());
        let (target, author_id) = (self.replica, author.id());
        let header = Header { target, parents, deps, grants, act: None, author: author_id, time, payload: None };
        Op::sign(header, &**author.signer()).unwrap().bytes().to_vec()
    }

    fn is_verified(&self, header: &[u8]) -> bool {
        self.store.verified().take(&OpId::of(header)).is_some()
    }

    async fn ingest(&self, headers: &[&[u8]]) -> Result<Ingested, IngestError> {
        let ops = headers.iter().map(|header| SignedOp { header: header.to_vec(), payload: None }).collect();
        self.store.ingest(self.replica, Bundle { identities: Vec::new(), ops }).await
    }
}

fn author(number: u8) -> Author {
    Author::from_seed("somebody", &[number; 32]).unwrap()
}

/// The header with another signature, which does not hold.
fn spoiled(header: &[u8]) -> Vec<u8> {
    let mut bytes = header.to_vec();
    let at = bytes.windows(4).position(|key| key == b"\x63sig").unwrap() + 10;
    bytes[at] ^= 1;
    bytes
}

/// A bundle waits while another one is committed: when its turn comes, its signatures are known to hold.
#[test]
fn what_was_checked_ahead_is_remembered_once() {
    block_on(async {
        let fixture = Fixture::new().await;
        let (one, other) = (fixture.op(&fixture.founder, 1), fixture.op(&fixture.founder, 2));
        fixture.store.check_ahead(&[], &[&one, &other]).await.unwrap();
        assert!(fixture.is_verified(&one) && !fixture.is_verified(&one));
        assert_eq!(fixture.ingest(&[&one, &other]).await.unwrap(), Ingested { added: 2, known: 0 });
        assert!(!fixture.is_verified(&other), "it is needed once only");
    });
}

/// A signature that does not hold is not taken for one that does, whatever else is in the bundle.
#[test]
fn a_bad_signature_is_refused_in_its_turn() {
    block_on(async {
        let fixture = Fixture::new().await;
        let (good, bad) = (fixture.op(&fixture.founder, 1), spoiled(&fixture.op(&fixture.founder, 2)));
        fixture.store.check_ahead(&[], &[&good, &bad, b"no header at all"]).await.unwrap();
        assert!(!fixture.is_verified(&bad));
        let refused = fixture.ingest(&[&good, &bad]).await.unwrap_err();
        assert!(matches!(refused, IngestError::Signature(op) if op == OpId::of(&bad)), "{refused}");
    });
}

/// The signature of the one op was checked; the other one says the same and is signed by nobody.
#[test]
fn another_signature_makes_another_op() {
    block_on(async {
        let fixture = Fixture::new().await;
        let good = fixture.op(&fixture.founder, 1);
        fixture.store.check_ahead(&[], &[&good]).await.unwrap();
        assert!(matches!(fixture.ingest(&[&spoiled(&good)]).await, Err(IngestError::Signature(_))));
        fixture.ingest(&[&good]).await.unwrap();
    });
}

/// Who wrote an op is not known yet: it comes with the bundle that is being committed. Nothing is found out, and nobody is
/// blamed. Or it comes with the same bundle: then it is used, and not kept.
#[test]
fn authors_who_are_not_known_yet() {
    block_on(async {
        let fixture = Fixture::new().await;
        let stranger = author(2);
        let op = fixture.op(&stranger, 1);
        fixture.store.check_ahead(&[b"no identity"], &[&op]).await.unwrap();
        assert!(!fixture.is_verified(&op));
        fixture.store.check_ahead(&[stranger.identity_bytes()], &[&op]).await.unwrap();
        assert!(fixture.is_verified(&op));
        assert_eq!(fixture.store.identity(stranger.id()).await.unwrap(), None);
    });
}
