//! Typing where something fails: what cannot become an op is taken back, and everybody learns so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::executor::block_on;
use futures::poll;
use hhs_model::identity::{Domain, Identity, SignError, Signature, Signer};
use hhs_model::{Author, PublicKey};
use hhs_store::{AppendError, BackendError, MemoryBackend, StoreError};

use super::{Desk, drain, follow};
use crate::backends::{Failing, Gate, Slow, abandon};
use crate::world::{author, dump, open};

fn is_full(error: &AppendError) -> bool {
    matches!(error, AppendError::Store(StoreError::Backend(BackendError::Io { .. })))
}

/// The disk is full when a word is sealed: the word is gone from the page, who follows the changes is told the opposite of each, and
/// what is typed next works.
#[test]
fn a_disk_that_is_full() {
    block_on(async {
        let backend = Failing::default();
        let here = Desk::founded(backend.clone()).await;
        here.page.update(&author(0), 0, |edit| edit.text.insert(0, "garden")).await.unwrap();
        let (before, mut changes, mut told) = (dump(&backend.memory), here.page.changes(), here.text());
        here.type_word(&author(0), 1, " lost").await;
        follow(&mut told, &drain(&mut changes));
        assert_eq!(told, "garden lost");
        backend.fill_disk(true);
        assert!(is_full(&here.page.seal().await.unwrap_err()));
        assert_eq!((here.text().as_str(), dump(&backend.memory), here.page.due_at()), ("garden", before, None));
        follow(&mut told, &drain(&mut changes));
        assert_eq!(told, "garden");
        backend.fill_disk(false);
        assert_eq!(here.page.seal().await.unwrap(), None);
        here.type_word(&author(0), 9, " gate").await;
        here.page.seal().await.unwrap().unwrap();
        follow(&mut told, &drain(&mut changes));
        assert_eq!((told.as_str(), here.text().as_str(), here.count().await), ("garden gate", "garden gate", 2));
    });
}

/// It is full when an op of somebody else comes in: that fails, and with it what was typed, which is sealed before. Who seals the next
/// time is told.
#[test]
fn a_disk_that_is_full_for_others() {
    block_on(async {
        let backend = Failing::default();
        let here = Desk::founded(backend.clone()).await;
        let there = here.with_guest().await;
        there.page.update(&author(1), 0, |edit| edit.text.insert(0, "his")).await.unwrap();
        here.type_word(&author(0), 1, "lost").await;
        backend.fill_disk(true);
        here.try_fetch(&there).await.unwrap_err();
        backend.fill_disk(false);
        assert_eq!((here.text().as_str(), here.count().await), ("", 1));
        assert!(is_full(&here.page.seal().await.unwrap_err()));
        assert_eq!(here.page.seal().await.unwrap(), None);
        here.fetch(&there).await;
        assert_eq!(here.text(), "his");
    });
}

/// A write is on its way to the disk while Ana types on top of it. It fails: what she typed stood on it, and goes with it.
#[test]
fn typing_on_a_write_that_fails() {
    block_on(async {
        let gate = Gate::default();
        gate.open().await;
        let here = Desk::founded(gate.clone()).await;
        let ana = author(0);
        let (mut changes, mut told) = (here.page.changes(), String::new());
        gate.close();
        let mut write = Box::pin(here.page.update(&ana, 0, |edit| edit.text.insert(0, "under")));
        assert!(poll!(&mut write).is_pending());
        here.type_word(&ana, 1, " way").await;
        assert_eq!((here.text().as_str(), drain(&mut changes)), ("under way", vec![]), "it is told once that is");
        gate.commit_one().await;
        write.await.unwrap().unwrap();
        follow(&mut told, &drain(&mut changes));
        assert_eq!(told, "under way");
        gate.open().await;
        here.page.seal().await.unwrap().unwrap();

        gate.close();
        let mut write = Box::pin(here.page.update(&ana, 0, |edit| edit.text.insert(0, "never ")));
        assert!(poll!(&mut write).is_pending());
        here.type_word(&ana, 1, " again").await;
        assert_eq!(here.text(), "never under way again");
        gate.fail_one();
        assert!(is_full(&write.await.unwrap_err()));
        gate.open().await;
        assert!(matches!(here.page.seal().await, Err(AppendError::Lost)));
        assert_eq!((here.text().as_str(), here.page.due_at()), ("under way", None));
        assert_eq!(here.page.seal().await.unwrap(), None);
        here.type_word(&ana, 9, " now").await;
        here.page.seal().await.unwrap().unwrap();
        assert_eq!(here.text(), "under way now");
    });
}

/// Signs as long as it is told to.
#[derive(Debug)]
struct Moody(Author, AtomicBool);

impl Signer for Moody {
    fn public_key(&self) -> PublicKey {
        self.0.signer().public_key()
    }

    fn sign(&self, domain: Domain, message: &[u8]) -> Result<Signature, SignError> {
        if self.1.load(Ordering::SeqCst) {
            self.0.signer().sign(domain, message)
        } else {
            Err(SignError::NotAHandshake)
        }
    }

    fn sign_tls13(&self, _content: &[u8]) -> Result<Signature, SignError> {
        Err(SignError::NotAHandshake)
    }
}

/// The key is locked between typing and sealing: an op of Ben's comes in all the same, what was typed is taken back, and Ana is told
/// when she seals.
#[test]
fn a_key_that_does_not_sign() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let there = here.with_guest().await;
        there.page.update(&author(1), 0, |edit| edit.text.insert(0, "his")).await.unwrap();
        let moody = Arc::new(Moody(author(0), AtomicBool::new(true)));
        let identity: Identity = author(0).identity().clone();
        let ana = Author::new(identity, moody.clone()).unwrap();
        let (mut changes, mut told) = (here.page.changes(), String::new());
        here.type_word(&ana, 1, "hers").await;
        follow(&mut told, &drain(&mut changes));
        assert_eq!(told, "hers");
        moody.1.store(false, Ordering::SeqCst);
        here.fetch(&there).await;
        follow(&mut told, &drain(&mut changes));
        assert_eq!((here.text().as_str(), told.as_str()), ("his", "his"));
        assert!(matches!(here.page.seal().await, Err(AppendError::Sign(_))));
        moody.1.store(true, Ordering::SeqCst);
        here.type_word(&ana, 9, " and hers").await;
        here.page.seal().await.unwrap().unwrap();
        follow(&mut told, &drain(&mut changes));
        assert_eq!((here.text().as_str(), told.as_str()), ("his and hers", "his and hers"));
    });
}

/// Typing and sealing are given up anywhere: the keys are open, or in an op, or were never recorded; nothing is torn, and what is told
/// is what is there.
#[test]
fn keys_that_are_given_up() {
    let mut ended = 0;
    for polls in 1..40 {
        let memory = MemoryBackend::new();
        block_on(async {
            let founded = Desk::founded(memory.clone()).await;
            let id = founded.page.id();
            drop(founded);
            let here = Desk::of(open(Slow::new(memory.clone(), polls as u64)).await, id).await;
            let (mut changes, mut told) = (here.page.changes(), String::new());
            let ana = author(0);
            let typed = abandon(here.type_at(&ana, 1, 0, "ab"), polls / 2).await;
            let sealed = abandon(here.page.seal(), polls).await;
            ended += usize::from(sealed);
            follow(&mut told, &drain(&mut changes));
            assert_eq!(told, here.text(), "after {polls} polls");
            let end = here.text().len();
            assert!(end == 2 || !typed, "after {polls} polls");
            here.type_at(&ana, 2, end, "c").await.unwrap();
            here.page.seal().await.unwrap();
            follow(&mut told, &drain(&mut changes));
            assert_eq!((told.len(), &told), (end + 1, &here.text()), "after {polls} polls");
            let again = Desk::of(open(memory.clone()).await, id).await;
            assert_eq!(again.text(), here.text(), "after {polls} polls");
        });
    }
    assert!((1..39).contains(&ended), "some ended");
}

/// Two handles are open on one page. Ben types on one, and Ana on top of it, when the disk is full: both is lost. Whoever seals there
/// is told so, and what is open on the other handle is durable by then all the same.
#[test]
fn a_seal_that_fails_on_one_of_two_handles() {
    block_on(async {
        let backend = Failing::default();
        let other = Desk::founded(backend.clone()).await;
        let here = Desk::of(other.store.clone(), other.page.id()).await;
        drop(other.with_guest().await);
        here.type_word(&author(1), 1, "lost").await;
        backend.fill_disk(true);
        here.page.type_in(&author(0), 5, |edit| edit.text.delete(0..1)).await.unwrap();
        backend.fill_disk(false);
        other.type_word(&author(0), 9, "kept").await;
        let mut changes = here.page.changes();
        here.page.seal().await.unwrap_err();
        let mut told = String::new();
        follow(&mut told, &drain(&mut changes));
        assert_eq!((told.as_str(), here.text().as_str(), other.text().as_str()), ("kept", "kept", "kept"));
        let again = Desk::of(open(backend.memory.clone()).await, here.page.id()).await;
        assert_eq!(again.text(), "kept");
    });
}
