//! Several handles, and several hosts, on which people type at the same time.

use futures::executor::block_on;
use hhs_store::MemoryBackend;

use super::{Desk, drain, follow};
use crate::backends::Slow;
use crate::world::{author, open};

/// Two windows of one program: handles that are clones share what is typed.
#[test]
fn clones_share_what_is_typed() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let other = here.page.clone();
        here.type_word(&author(0), 1, "ab").await;
        other.type_in(&author(0), 2, |edit| edit.text.insert(2, "c")).await.unwrap();
        assert_eq!(here.text(), "abc");
        let sealed = other.seal().await.unwrap();
        assert!(sealed.is_some());
        assert_eq!((here.page.seal().await.unwrap(), here.count().await), (None, 1));
    });
}

/// A replica is opened twice, and in both somebody types. Neither has seen what is typed in the other: two ops stand beside each other,
/// whoever writes first, and both show both. Who follows the changes is never told anything else than what is shown.
#[test]
fn two_that_were_opened() {
    block_on(async {
        let one = Desk::founded(MemoryBackend::new()).await;
        let other = Desk::of(one.store.clone(), one.page.id()).await;
        let ana = author(0);
        one.page.update(&ana, 0, |edit| edit.text.insert(0, "-")).await.unwrap();
        let mut followed = [(one.page.changes(), one.text()), (other.page.changes(), one.text())];
        let mut check = |shown: [&str; 2]| {
            for ((changes, told), (desk, shown)) in followed.iter_mut().zip([&one, &other].into_iter().zip(shown)) {
                follow(told, &drain(changes));
                assert_eq!((told.as_str(), desk.text().as_str()), (shown, shown));
            }
        };
        one.type_at(&ana, 1, 0, "left").await.unwrap();
        other.type_at(&ana, 2, 1, "right").await.unwrap();
        check(["left-", "-right"]);
        one.page.seal().await.unwrap().unwrap();
        check(["left-right", "left-right"]);
        assert_eq!((one.count().await, other.page.due_at()), (3, None));
        assert_eq!(one.store.frontier(one.page.id()).await.unwrap().heads.len(), 2);
        other.type_at(&ana, 3, 0, "very ").await.unwrap();
        one.page.update(&ana, 4, |edit| edit.title.set("both".into())).await.unwrap();
        check(["very left-right", "very left-right"]);
        assert_eq!(one.count().await, 5);
        other.page.seal().await.unwrap();
        one.page.seal().await.unwrap();
    });
}

/// Two hosts have one database. While Ana types on one, something is written on the other, which the first one learns before she
/// seals: what she typed becomes an op beside that, and both show the same.
#[test]
fn hosts_with_one_database() {
    for seed in 0..40 {
        block_on(async {
            let memory = MemoryBackend::new();
            let founded = Desk::founded(Slow::shared(memory.clone(), seed)).await;
            let id = founded.page.id();
            let one = Desk::of(open(Slow::shared(memory.clone(), seed + 1)).await, id).await;
            let other = Desk::of(open(Slow::shared(memory.clone(), seed + 2)).await, id).await;
            let ana = author(0);
            other.page.update(&ana, 0, |edit| edit.text.insert(0, "garden")).await.unwrap();
            one.store.refresh().await.unwrap();
            let (mut changes, mut told) = (one.page.changes(), one.text());
            one.type_at(&ana, 1, 0, "my ").await.unwrap();
            other.page.update(&ana, 2, |edit| edit.text.insert(6, " gate")).await.unwrap();
            if seed % 2 == 0 {
                one.store.refresh().await.unwrap();
                follow(&mut told, &drain(&mut changes));
                assert_eq!((told.as_str(), one.text().as_str()), ("garden gate", "garden gate"), "seed {seed}");
                assert_eq!(one.page.due_at(), Some(1), "it waits to be sealed");
            }
            if seed % 3 == 0 {
                one.page.seal().await.unwrap().unwrap();
            }
            one.type_at(&ana, 3, 0, ">").await.unwrap();
            one.page.seal().await.unwrap().unwrap();
            other.store.refresh().await.unwrap();
            follow(&mut told, &drain(&mut changes));
            let all = [told, one.text(), other.text()];
            assert_eq!(all, [">my garden gate", ">my garden gate", ">my garden gate"], "seed {seed}");
            assert_eq!(one.count().await, 4);
        });
    }
}
