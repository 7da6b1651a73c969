//! Bundles of which nothing is kept: every reason there is, always with good ops around the bad one.

use futures::executor::block_on;
use hhs_model::authority::Refusal;
use hhs_model::bounds::MAX_HEADER_BYTES;
use hhs_model::class::Replica;
use hhs_model::codec::{Value, decode, encode};
use hhs_model::op::{Genesis, OpError};
use hhs_model::{OpId, ReplicaId};
use hhs_store::{Bundle, IngestError, Ingested, SignedOp, StoreError};

use crate::world::{Made, Notes, World, author, bundle, dump, id_of, op};

/// A replica with some ops; another one; and what a peer sends next.
struct Scene {
    world: World,
    /// The ops that are there: a first one, and a grant to author 1 on top of it.
    first: Made,
    admitted: Made,
    /// Another replica of the same founder, and an op of it.
    other: ReplicaId,
    foreign: Made,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let first = world.op(0, &[]).saying("first").sign();
        let admitted = world.op(0, &[first.id()]).granting(1, &["write"]).sign();
        world.ingest(&[&first, &admitted]).await;
        let other = world.store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
        let foreign = op(0, other, &[]).saying("elsewhere").sign();
        world.store.ingest(other, bundle([&foreign], &[])).await.unwrap();
        Self { world, first, admitted, other, foreign }
    }

    /// A good op, the bad one and another good one come in one bundle: nothing of it is kept, nobody is told, and the error
    /// blames the sender. Without the bad one the same ops are taken.
    async fn refuses(&self, bad: SignedOp) -> IngestError {
        let before = dump(&self.world.memory);
        let good = self.world.op(0, &[self.admitted.id()]).at(1).saying("good").sign();
        let better = self.world.op(0, &[good.id()]).at(2).saying("better").sign();
        let ops = vec![good.signed(), bad, better.signed()];
        let identities = vec![author(1).identity_bytes().to_vec(), author(3).identity_bytes().to_vec()];
        let mut watch = self.world.store.watch();
        let result = self.world.store.ingest(self.world.replica, Bundle { identities, ops }).await;
        let error = result.expect_err("a bundle with a bad op is refused");
        assert!(error.blames_sender(), "{error}");
        assert!(watch.next_ready().is_none(), "nobody is told");
        assert_eq!(dump(&self.world.memory), before, "nothing has changed: {error}");
        assert_eq!(self.world.heads().await, [self.admitted.id()].into());

        let scratch = Self::new().await.world;
        let good = [&good, &better];
        assert_eq!(scratch.store.ingest(scratch.replica, bundle(good, &[])).await.unwrap().added, 2);
        error
    }

    async fn refuses_op(&self, bad: &Made) -> IngestError {
        self.refuses(bad.signed()).await
    }
}

fn unsigned_payload(header: &Made) -> SignedOp {
    SignedOp { header: header.op.bytes().to_vec(), payload: None }
}

/// A peer sends what is no header at all, or one that is larger than headers are.
#[test]
fn not_a_header() {
    block_on(async {
        let scene = Scene::new().await;
        let sent = |header: Vec<u8>| SignedOp { header, payload: None };
        let error = scene.refuses(sent(b"no header".to_vec())).await;
        assert!(matches!(error, IngestError::Op(OpError::Decode(_))), "{error}");
        let error = scene.refuses(sent(vec![])).await;
        assert!(matches!(error, IngestError::Op(OpError::Decode(_))), "{error}");
        let error = scene.refuses(sent(vec![0; MAX_HEADER_BYTES + 1])).await;
        assert!(matches!(error, IngestError::Op(OpError::TooLarge(_))), "{error}");
        // A header that is right, and a byte.
        let right = scene.world.op(0, &[scene.admitted.id()]).sign();
        let error = scene.refuses(sent([right.op.bytes(), &[0]].concat())).await;
        assert!(matches!(error, IngestError::Op(OpError::Decode(_))), "{error}");
        // A genesis is an object, but no op.
        let (genesis, _) = Genesis::with_founder(Notes::CLASS, [0; 16], id_of(0)).encoded().unwrap();
        let error = scene.refuses(sent(genesis)).await;
        assert!(matches!(error, IngestError::Op(OpError::Decode(_))), "{error}");
    });
}

/// An op of another replica is sent where ops of this one are expected, known or not.
#[test]
fn an_op_of_another_replica() {
    block_on(async {
        let scene = Scene::new().await;
        let error = scene.refuses_op(&scene.foreign).await;
        assert!(
            matches!(error, IngestError::Target { op, found }
            if op == scene.foreign.id() && found == scene.other),
            "{error}"
        );
        let unknown = op(0, ReplicaId::of(b"nowhere"), &[]).sign();
        let error = scene.refuses_op(&unknown).await;
        assert!(matches!(error, IngestError::Target { .. }), "{error}");
    });
}

/// The payload is another one, is missing, or is there without being named.
#[test]
fn a_payload_that_is_not_the_one_named() {
    block_on(async {
        let scene = Scene::new().await;
        let saying = scene.world.op(0, &[scene.admitted.id()]).saying("this").sign();
        let silent = scene.world.op(0, &[scene.admitted.id()]).sign();
        let other = SignedOp { payload: Some(b"that".to_vec()), ..saying.signed() };
        let unasked = SignedOp { payload: Some(vec![]), ..silent.signed() };
        for (bad, id) in [(other, saying.id()), (unsigned_payload(&saying), saying.id()), (unasked, silent.id())] {
            let error = scene.refuses(bad).await;
            assert!(matches!(error, IngestError::Payload(op) if op == id), "{error}");
        }
    });
}

/// A signature is by another key, or over another header; also in the midst of a thousand good ones.
#[test]
fn a_signature_that_does_not_hold() {
    block_on(async {
        let scene = Scene::new().await;
        let mut forged = scene.world.op(0, &[scene.admitted.id()]);
        forged.author = 1;
        let forged = forged.sign();
        let error = scene.refuses_op(&forged).await;
        assert!(matches!(error, IngestError::Signature(op) if op == forged.id()), "{error}");

        let before = dump(&scene.world.memory);
        let mut ops: Vec<Made> =
            (0..1000).map(|time| scene.world.op(0, &[scene.admitted.id()]).at(time).sign()).collect();
        ops.insert(700, forged.clone());
        let result = scene.world.store.ingest(scene.world.replica, bundle(&ops, &[])).await;
        assert!(matches!(result, Err(IngestError::Signature(op)) if op == forged.id()));
        assert_eq!(dump(&scene.world.memory), before);
        ops.remove(700);
        let ingested = scene.world.store.ingest(scene.world.replica, bundle(&ops, &[])).await.unwrap();
        assert_eq!(ingested, Ingested { added: 1000, known: 0 });
    });
}

/// A signature of one op is put under the same op at another time: a relay that would rewrite history.
#[test]
fn a_header_that_was_changed_on_its_way() {
    block_on(async {
        let scene = Scene::new().await;
        let signed = scene.world.op(0, &[scene.admitted.id()]).at(1000).sign();
        let Value::Map(mut entries) = decode(signed.op.bytes()).unwrap() else { panic!("a header is a map") };
        entries.insert("time".into(), Value::Int(1001));
        let header = encode(&Value::Map(entries)).unwrap();
        let id = OpId::of(&header);
        let error = scene.refuses(SignedOp { header, payload: None }).await;
        assert!(matches!(error, IngestError::Signature(op) if op == id), "{error}");
    });
}

/// Parents that are nowhere, that come later, that are ops of another replica, or no ops.
#[test]
fn parents_that_did_not_come_before() {
    block_on(async {
        let scene = Scene::new().await;
        let missing = OpId::of(b"nowhere");
        let genesis = OpId(scene.world.replica.0);
        let identity = OpId(id_of(0).0);
        for parent in [missing, scene.foreign.id(), genesis, identity] {
            let bad = scene.world.op(0, &[scene.first.id(), parent]).sign();
            let error = scene.refuses_op(&bad).await;
            assert!(matches!(error, IngestError::Incomplete { op, missing } if op == bad.id() && missing == parent));
        }
        let parent = scene.world.op(0, &[scene.admitted.id()]).sign();
        let child = scene.world.op(0, &[parent.id()]).sign();
        let before = dump(&scene.world.memory);
        let result = scene.world.store.ingest(scene.world.replica, bundle([&child, &parent], &[])).await;
        assert!(matches!(result, Err(IngestError::Incomplete { op, missing })
            if op == child.id() && missing == parent.id()));
        assert_eq!(dump(&scene.world.memory), before);
    });
}

/// A replica to which no other gives authority has no op that depends on anything, here or not.
#[test]
fn dependencies() {
    block_on(async {
        let scene = Scene::new().await;
        for dep in [OpId::of(b"nowhere"), scene.first.id(), scene.foreign.id()] {
            let bad = scene.world.op(0, &[scene.admitted.id()]).depending(&[dep]).sign();
            let error = scene.refuses_op(&bad).await;
            assert!(matches!(error, IngestError::Dependency { op, dep: found } if op == bad.id() && found == dep));
        }
    });
}

/// Nobody knows the key of the author, or who is granted something; or the id leads to what is no identity.
#[test]
fn identities_that_did_not_come_along() {
    block_on(async {
        let scene = Scene::new().await;
        let unknown = scene.world.op(2, &[scene.admitted.id()]).sign();
        let error = scene.refuses_op(&unknown).await;
        assert!(matches!(error, IngestError::NoIdentity { op, missing } if op == unknown.id() && missing == id_of(2)));
        let granting = scene.world.op(0, &[scene.admitted.id()]).granting(2, &["write"]).sign();
        let error = scene.refuses_op(&granting).await;
        assert!(matches!(error, IngestError::NoIdentity { missing, .. } if missing == id_of(2)));
        // What is named as author is here, and is an op, a genesis, or a large object of the app's.
        let large = Value::Map([("$", Value::Text("a".into())), ("b", Value::Text("c".repeat(1 << 17)))].into());
        let large = scene.world.store.put_bytes(encode(&large).unwrap()).await.unwrap();
        for id in [scene.first.id().0, scene.world.replica.0, large.0] {
            let mut strange = scene.world.op(0, &[scene.admitted.id()]);
            strange.header.author = hhs_model::IdentityId(id);
            let error = scene.refuses_op(&strange.sign()).await;
            assert!(matches!(error, IngestError::NoIdentity { missing, .. } if missing.0 == id), "{error}");
        }
    });
}

/// An identity in the bundle is none, needed or not.
#[test]
fn bytes_that_are_no_identity() {
    block_on(async {
        let scene = Scene::new().await;
        let before = dump(&scene.world.memory);
        let good = scene.world.op(0, &[scene.admitted.id()]).sign();
        for identity in [vec![], b"nobody".to_vec(), good.op.bytes().to_vec(), vec![0; 1 << 17]] {
            let mut bundle = bundle([&good], &[1]);
            bundle.identities.push(identity);
            let error = scene.world.store.ingest(scene.world.replica, bundle).await.unwrap_err();
            assert!(matches!(error, IngestError::Identity(_)) && error.blames_sender(), "{error}");
            assert_eq!(dump(&scene.world.memory), before);
        }
    });
}

/// An author who never had standing; one who has it by a grant that is not in the past; somebody else's grant; a grant of
/// what one does not hold.
#[test]
fn authors_without_standing() {
    block_on(async {
        let scene = Scene::new().await;
        let (first, admitted) = (scene.first.id(), scene.admitted.id());
        let never = scene.world.op(3, &[admitted]).saying("let me in").sign();
        let error = scene.refuses_op(&never).await;
        assert!(
            matches!(&error, IngestError::Refused { op, reason: Refusal::Standing { author, capability } }
                if *op == never.id() && *author == id_of(3) && capability == "write"),
            "{error}"
        );
        let early = scene.world.op(1, &[first]).by(&[admitted]).sign();
        let error = scene.refuses_op(&early).await;
        assert!(matches!(error, IngestError::Refused { reason: Refusal::NoSuchGrant(grant), .. } if grant == admitted));
        let borrowed = scene.world.op(3, &[admitted]).by(&[admitted]).sign();
        let error = scene.refuses_op(&borrowed).await;
        assert!(matches!(error, IngestError::Refused { reason: Refusal::ForeignGrant(_), .. }));
        let generous = scene.world.op(1, &[admitted]).by(&[admitted]).granting(3, &["write"]).sign();
        let error = scene.refuses_op(&generous).await;
        assert!(
            matches!(&error, IngestError::Refused { reason: Refusal::Standing { capability, .. }, .. }
                if capability == "grant"),
            "{error}"
        );
        scene.world.ingest(&[&scene.world.op(1, &[admitted]).by(&[admitted]).sign()]).await;
    });
}

/// A refused op leaves no trace in the authority that is kept in memory either: what it would have granted nobody holds,
/// and the next grants are judged as if it had never come.
#[test]
fn a_refused_grant_leaves_no_trace() {
    block_on(async {
        let scene = Scene::new().await;
        let admitted = scene.admitted.id();
        let good = scene.world.op(0, &[admitted]).granting(3, &["write"]).sign();
        let bad = scene.world.op(3, &[good.id()]).by(&[good.id()]).granting(2, &["write"]).sign();
        let result = scene.world.store.ingest(scene.world.replica, bundle([&good, &bad], &[2, 3])).await;
        assert!(matches!(result, Err(IngestError::Refused { op, .. }) if op == bad.id()));
        assert!(!scene.world.store.may(scene.world.replica, id_of(3), "write").await.unwrap());
        let builds_on_it = scene.world.op(3, &[good.id()]).by(&[good.id()]).sign();
        let result = scene.world.store.ingest(scene.world.replica, bundle([&builds_on_it], &[3])).await;
        assert!(matches!(result, Err(IngestError::Incomplete { .. })));
        scene.world.ingest(&[&good, &builds_on_it]).await;
        assert!(scene.world.store.may(scene.world.replica, id_of(3), "write").await.unwrap());
    });
}

/// Ops for a replica whose genesis is not here: nobody is to blame for that.
#[test]
fn a_replica_that_is_not_here() {
    block_on(async {
        let scene = Scene::new().await;
        let elsewhere = World::new().await;
        let (_, nowhere) = Genesis::with_founder(Notes::CLASS, [9; 16], id_of(0)).encoded().unwrap();
        let before = dump(&elsewhere.memory);
        for bundle in [bundle([&op(0, nowhere, &[]).sign()], &[0]), Bundle::default()] {
            let error = elsewhere.store.ingest(nowhere, bundle).await.unwrap_err();
            assert!(matches!(error, IngestError::Store(StoreError::NoReplica(id)) if id == nowhere), "{error}");
            assert!(!error.blames_sender());
        }
        assert_eq!(dump(&elsewhere.memory), before);
        // The id of an op or an identity is not one of a replica.
        for id in [scene.first.id().0, id_of(0).0] {
            let result = scene.world.store.ingest(ReplicaId(id), Bundle::default()).await;
            assert!(matches!(result, Err(IngestError::Store(StoreError::NoReplica(_)))));
        }
    });
}
