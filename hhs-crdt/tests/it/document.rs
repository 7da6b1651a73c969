//! Documents: whatever way ops take to them, they come to show the same.

mod damaged;
mod follow;
mod naive;
mod random;
mod roles;
mod saved;
mod stubborn;

use std::collections::BTreeMap;

use hhs_crdt::{
    Carried, Counter, Document, GrowSet, Ledger, List, Log, Map, Members, MultiRegister, PositiveCounter, ReceiveError,
    Register, Replica, Set, Text, UniqueList,
};
use hhs_model::authority::Refusal;
use hhs_model::class::{Action, Draft};
use hhs_model::op::{Act, Capability, Founding, Genesis};
use hhs_model::replay::Voided;
use hhs_model::{Author, IdentityId, OpId};

/// A class that has every type.
#[derive(Replica)]
#[replica(class = "test/v1/Everything")]
pub(crate) struct Everything {
    pub(crate) name: Register<String>,
    pub(crate) status: MultiRegister<String>,
    pub(crate) tags: Set<String>,
    pub(crate) kinds: GrowSet<String>,
    pub(crate) score: Counter,
    pub(crate) members: Members,
    pub(crate) messages: Log<String>,
    pub(crate) pages: Map<String, Register<String>>,
    pub(crate) text: Text,
    pub(crate) list: List<Register<String>>,
    pub(crate) order: UniqueList<String>,
    pub(crate) purse: Ledger<PositiveCounter>,
}

pub(crate) type Doc = Document<Everything>;

/// All that can be seen of a state.
pub(crate) fn shown(state: &Everything) -> BTreeMap<&'static str, String> {
    let messages = state.messages.iter().map(|entry| (entry.op, entry.author, entry.value.clone()));
    let pages = state.pages.iter().map(|(key, page)| (key.clone(), page.get().cloned()));
    BTreeMap::from([
        ("name", format!("{:?}", state.name.get())),
        ("status", format!("{:?}", state.status.get_all().collect::<Vec<_>>())),
        ("tags", format!("{:?}", state.tags.iter().collect::<Vec<_>>())),
        ("kinds", format!("{:?}", state.kinds.iter().collect::<Vec<_>>())),
        ("score", state.score.get().to_string()),
        ("members", format!("{:?}", state.members.iter().collect::<Vec<_>>())),
        ("messages", format!("{:?}", messages.collect::<Vec<_>>())),
        ("pages", format!("{:?}", pages.collect::<Vec<_>>())),
        ("text", state.text.to_string()),
        ("marks", format!("{:?}", state.text.spans())),
        ("list", format!("{:?}", state.list.iter().map(Register::get).collect::<Vec<_>>())),
        ("order", format!("{:?}", state.order.iter().collect::<Vec<_>>())),
        ("purse", format!("{:?}", state.purse.iter().map(|entry| (entry.op, entry.rejected)).collect::<Vec<_>>())),
    ])
}

/// The authors of the stories; Ana is the founder.
pub(crate) fn author(name: &str) -> Author {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Author::from_seed(name, &seed).expect("a short name")
}

pub(crate) fn founding(class: &str) -> Founding {
    Founding::root(Genesis::with_founder(class, [7; 16], author("Ana").id())).expect("it has canonical bytes")
}

/// A document that does not look at signatures.
pub(crate) fn doc() -> Doc {
    Doc::trusting(founding(Everything::CLASS))
}

/// Somebody writes, who may.
pub(crate) fn write<R: Replica>(document: &mut Document<R>, by: &Author, edit: impl FnOnce(&mut R::Edit<'_>)) -> OpId {
    document.write(by, 1, edit).expect("they may").expect("they write something")
}

/// Somebody acts on authority, who may.
pub(crate) fn act<R: Replica>(document: &mut Document<R>, by: &Author, act: Act) -> OpId {
    let draft = Draft { act: Some(act), ..Draft::default() };
    document.put(by, 1, draft).expect("they may").expect("they do something")
}

pub(crate) fn grant<R: Replica>(document: &mut Document<R>, by: &Author, to: IdentityId) -> OpId {
    let can = [Capability::write(), Capability::grant()].into();
    act(document, by, Act::Grant { to, can })
}

pub(crate) fn revoke<R: Replica>(document: &mut Document<R>, by: &Author, grant: OpId) -> OpId {
    act(document, by, Act::Revoke { grants: [grant].into(), cut: Default::default() })
}

pub(crate) fn reinstate<R: Replica>(document: &mut Document<R>, by: &Author, revocation: OpId) -> OpId {
    act(document, by, Act::Reinstate { of: [revocation].into() })
}

/// Each comes to have what the other has.
pub(crate) fn sync<R: Replica>(a: &mut Document<R>, b: &mut Document<R>) {
    let (to_b, to_a) = (a.beyond(&b.version()), b.beyond(&a.version()));
    for (document, ops) in [(a, to_a), (b, to_b)] {
        let received = document.receive(ops);
        assert!(received.refused.is_empty() && received.waiting == 0, "{received:?}");
    }
}

/// The op that a hostile peer would hand over: a bit of its signature is another.
fn forged(carried: &Carried) -> Carried {
    let mut bytes = carried.op.bytes().to_vec();
    let at = bytes.windows(5).position(|window| window == b"csig\x58").expect("there is a signature") + 8;
    bytes[at] ^= 1;
    Carried { op: hhs_model::op::Op::from_bytes(&bytes).expect("it is an op"), payload: carried.payload.clone() }
}

/// Ana and Ben write without each other; each hands over all they have, and both show the same.
#[test]
fn two_write_and_meet() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    write(&mut here, &ana, |edit| edit.text.insert(0, "garden"));
    write(&mut there, &ben, |edit| {
        edit.name.set("plants".into());
        edit.text.insert(0, "our ");
    });
    sync(&mut here, &mut there);
    assert_eq!(shown(here.state()), shown(there.state()));
    assert_eq!(here.version(), there.version());
    assert_eq!(here.heads().heads.len(), 2, "the next op joins both");
    let joined = write(&mut here, &ana, |edit| edit.score.add(1));
    assert_eq!(here.heads(), [joined].into_iter().collect());
}

/// Ops arrive in the wrong order and twice: those that are too early wait, and nothing is applied twice.
#[test]
fn ops_that_overtake_each_other() {
    let ana = author("Ana");
    let (mut here, mut there) = (doc(), doc());
    for number in 0..20 {
        write(&mut here, &ana, |edit| edit.messages.append(number.to_string()));
    }
    let ops = here.beyond(&there.version());
    let received = there.receive(ops[1..].iter().rev().cloned().chain(ops[5..].iter().cloned()));
    assert_eq!((received.added.len(), received.known, received.waiting), (0, 15, 19));
    let received = there.receive(ops.clone());
    assert_eq!((received.added.len(), received.known, received.waiting), (20, 19, 0));
    assert_eq!(shown(here.state()), shown(there.state()));
    assert_eq!(there.receive(ops).known, 20);
}

/// What is not signed by who claims to have written it, by who is unknown, or by who may not, is refused with a reason; what
/// stands on it is given up, and all else is taken.
#[test]
fn what_is_refused() {
    let (ana, eve) = (author("Ana"), author("Eve"));
    let founding = founding(Everything::CLASS);
    let mut here = doc();
    let first = write(&mut here, &ana, |edit| edit.name.set("garden".into()));
    write(&mut here, &ana, |edit| edit.name.set("park".into()));
    let ops = here.beyond(&Default::default());

    let mut there = Doc::new(founding.clone());
    let received = there.receive(ops.clone());
    assert_eq!(received.refused[0], (first, ReceiveError::UnknownAuthor(ana.id())));
    there.introduce(ana.identity()).unwrap();
    let received = there.receive([forged(&ops[0])]);
    assert_eq!(received.refused[0].1, ReceiveError::Signature);
    let received = there.receive([ops[1].clone(), Carried { payload: None, ..ops[0].clone() }]);
    assert_eq!(received.refused[0], (first, ReceiveError::Payload));
    assert!(received.refused[1].1 == ReceiveError::OnRefused(first), "{received:?}");

    // Eve founds a replica of her own, and hands over its op as if it were of this one.
    let mut hers = Doc::trusting(
        Founding::root(Genesis::with_founder(Everything::CLASS, [8; 16], eve.id())).expect("it has canonical bytes"),
    );
    write(&mut hers, &eve, |edit| edit.name.set("mine".into()));
    let received = there.receive(hers.beyond(&Default::default()));
    assert!(matches!(received.refused[0].1, ReceiveError::OtherReplica(_)));
    assert!(hers.write(&ana, 1, |edit| edit.name.set("ours".into())).is_err(), "Ana may not write there");

    let received = there.receive(ops);
    assert!(received.refused.is_empty() && received.added.len() == 2);
    assert_eq!(there.state().name.get().map(String::as_str), Some("park"));
    let unsigned = there.write_unsigned(ana.id(), 1, |edit| edit.name.set("unsigned".into())).unwrap().unwrap();
    let received = here.receive(there.beyond(&here.version()));
    assert_eq!(received.added, [unsigned], "a document that trusts takes what is not signed");
}

/// An op by somebody whom nobody admitted is refused by its own past.
#[test]
fn who_may_not_write() {
    let (ana, eve) = (author("Ana"), author("Eve"));
    let mut here = doc();
    let grant = grant(&mut here, &ana, author("Ben").id());
    let act = Draft { act: Some(Act::Revoke { grants: [grant].into(), cut: Default::default() }), ..Draft::default() };
    assert!(here.put(&eve, 1, act).is_err());
    assert_eq!(here.len(), 1);
    // Her own program lets her all the same.
    let mut hers = Doc::trusting(founding(Everything::CLASS));
    let error = hers.write(&eve, 1, |edit| edit.name.set("mine".into())).unwrap_err();
    assert_eq!(error.to_string(), format!("{} may not write this here: somebody who may has to grant it", eve.id()));
    let refusal = Refusal::Standing { author: eve.id(), capability: "write".into() };
    assert!(!refusal.to_string().is_empty());
}

/// Ben is removed by an op that has not seen what he wrote: that is void, what it changed is told as it goes and as it comes back,
/// nobody builds on it, and the reason can be asked for.
#[test]
fn a_state_that_is_made_anew() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let grant = grant(&mut here, &ana, ben.id());
    let name = write(&mut here, &ana, |edit| edit.name.set("garden".into()));
    sync(&mut here, &mut there);
    let late = write(&mut there, &ben, |edit| {
        edit.name.set("ruin".into());
        edit.score.add(5);
    });
    let revocation = revoke(&mut here, &ana, grant);
    here.watch();
    sync(&mut here, &mut there);
    for document in [&here, &there] {
        assert_eq!(document.state().name.get().map(String::as_str), Some("garden"));
        assert_eq!(document.state().score.get(), 0);
        assert_eq!(document.void(&late), Some(Voided::ByAuthority));
        assert_eq!(document.void(&name), None);
        assert_eq!(document.heads(), [revocation].into_iter().collect());
        assert_eq!(document.version().heads.len(), 2);
        assert!(document.explain(&late).unwrap().to_string().contains("withdrawn"));
    }
    assert!(here.take_changes().is_empty(), "what was void when it came has changed nothing");
    assert!(there.write(&ben, 1, |edit| edit.name.set("mine".into())).is_err());

    here.watch();
    reinstate(&mut here, &ana, revocation);
    let changes = here.take_changes();
    let set = |new: &str| Action::Set { old: Some("garden".into()), new: Some(new.into()) };
    assert!(changes.iter().any(|change| change.action == set("ruin")), "{changes:?}");
    assert!(changes.iter().any(|change| change.action == Action::Granted { to: ben.id() }), "{changes:?}");
    sync(&mut here, &mut there);
    assert_eq!(shown(here.state()), shown(there.state()));
    assert_eq!(here.state().score.get(), 5);
    assert_eq!(here.heads().heads.len(), 2);
}

/// Ana has removed Ben, and has written on. What comes later is an op of his that she had not seen, with one of Cleo's on it, who did not
/// know: in what Ana writes then, on Cleo's, positions mean the text without his.
#[test]
fn a_void_op_that_comes_late_in_somebody_elses_past() {
    let [ana, ben, cleo] = ["Ana", "Ben", "Cleo"].map(author);
    let (mut here, mut there) = (doc(), doc());
    let of_ben = grant(&mut here, &ana, ben.id());
    grant(&mut here, &ana, cleo.id());
    write(&mut here, &ana, |edit| edit.text.insert(0, "garden"));
    sync(&mut here, &mut there);
    write(&mut there, &ben, |edit| edit.text.insert(0, "his "));
    write(&mut there, &cleo, |edit| edit.text.insert(10, "s"));
    revoke(&mut here, &ana, of_ben);
    write(&mut here, &ana, |edit| edit.text.insert(0, "a "));
    sync(&mut here, &mut there);
    assert_eq!(here.state().text.to_string(), "a gardens");
    write(&mut here, &ana, |edit| edit.text.replace(2..9, "park"));
    write(&mut here, &ana, |edit| edit.text.push_str("!"));
    sync(&mut here, &mut there);
    for document in [&here, &there] {
        assert_eq!(document.state().text.to_string(), "a park!");
        let ops = document.beyond(&Default::default());
        assert_eq!(shown(&naive::state(&ops)), shown(document.state()));
    }
}

/// Somebody writes on more heads than one op may stand on: ops that merge come before it.
#[test]
fn more_heads_than_parents() {
    let ana = author("Ana");
    let mut all = doc();
    for number in 0..100 {
        let mut alone = doc();
        write(&mut alone, &ana, |edit| edit.messages.append(number.to_string()));
        all.receive(alone.beyond(&all.version()));
    }
    assert_eq!(all.heads().heads.len(), 100);
    let id = write(&mut all, &ana, |edit| edit.messages.append("all".into()));
    assert_eq!(all.heads(), [id].into_iter().collect());
    assert_eq!(all.len(), 102);
    let mut again = doc();
    assert!(again.receive(all.beyond(&Default::default())).refused.is_empty());
    assert_eq!(shown(all.state()), shown(again.state()));
}

/// A chain of a million ops, and a fan of a hundred thousand, load: nothing recurses, and nothing is quadratic.
#[test]
fn long_and_wide_histories() {
    #[derive(Replica)]
    #[replica(class = "test/v1/Score")]
    struct Score {
        score: Counter,
    }
    let (ana, founding) = (author("Ana"), founding(Score::CLASS));
    let empty = Score::new();
    let mut edit = empty.edit();
    edit.score.add(1);
    let payload = Score::finish(edit).unwrap().payload.unwrap();
    let header = |number: u64, parents: Vec<OpId>| hhs_model::op::Header {
        target: founding.id(),
        parents,
        deps: vec![],
        grants: vec![],
        act: None,
        author: ana.id(),
        time: number,
        payload: Some(hhs_model::op::PayloadRef::to(&payload)),
    };
    let carried = |number: u64, parents: Vec<OpId>| Carried {
        op: hhs_model::op::Op::sign(header(number, parents), &NoSigner).unwrap(),
        payload: Some(payload.clone()),
    };
    let mut chain = Document::<Score>::trusting(founding.clone());
    let mut last = None;
    let ops = (0..1_000_000).map(|number| {
        let carried = carried(number, last.into_iter().collect());
        last = Some(carried.op.id());
        carried
    });
    assert_eq!(chain.receive(ops).added.len(), 1_000_000);
    assert_eq!(chain.state().score.get(), 1_000_000);

    let mut fan = Document::<Score>::trusting(founding.clone());
    assert_eq!(fan.receive((0..100_000).map(|number| carried(number, vec![]))).added.len(), 100_000);
    assert_eq!(fan.state().score.get(), 100_000);
    assert_eq!(fan.heads().heads.len(), 100_000);
}

struct NoSigner;

impl hhs_model::Signer for NoSigner {
    fn public_key(&self) -> hhs_model::PublicKey {
        hhs_model::SecretKey::from_seed(&[1; 32]).public_key()
    }

    fn sign(
        &self,
        _: hhs_model::identity::Domain,
        _: &[u8],
    ) -> Result<hhs_model::Signature, hhs_model::identity::SignError> {
        Ok(hhs_model::Signature([0; 64]))
    }

    fn sign_tls13(&self, _: &[u8]) -> Result<hhs_model::Signature, hhs_model::identity::SignError> {
        Ok(hhs_model::Signature([0; 64]))
    }
}
