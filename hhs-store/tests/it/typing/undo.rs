//! Undo and redo on live replicas.

use futures::executor::block_on;
use hhs_store::{MemoryBackend, UndoStack};

use super::Desk;
use crate::world::author;

fn shown(desk: &Desk) -> (String, Option<String>, Vec<String>, i64) {
    desk.page.read(|page| {
        let tags = page.tags.iter().cloned().collect();
        (page.text.to_string(), page.title.get().cloned(), tags, page.score.get())
    })
}

/// Ana types, and writes to other fields. She undoes it step by step, the sealed op as one step, and redoes it; what Ben wrote in
/// between stays each time.
#[test]
fn steps_back_and_forth() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let there = here.with_guest().await;
        let (ana, ben) = (author(0), author(1));
        let mut stack = UndoStack::new();
        here.page.update(&ana, 1, |edit| edit.title.set("plot".into())).await.unwrap();
        let title = here.page.update(&ana, 1, |edit| edit.title.set("garden".into())).await.unwrap().unwrap();
        stack.wrote(title);
        here.type_word(&ana, 2, "roses").await;
        here.page.type_in(&ana, 8, |edit| edit.tags.insert("plants".into())).await.unwrap();
        here.page.seal().await.unwrap();
        there.fetch(&here).await;
        there.page.update(&ben, 9, |edit| edit.text.insert(5, " and thorns")).await.unwrap();
        here.fetch(&there).await;
        here.type_word(&ana, 10, "!").await;
        let title = Some("garden".to_owned());
        let all = ("roses and thorns!".to_owned(), title.clone(), vec!["plants".to_owned()], 0);
        assert_eq!(shown(&here), all);
        for _ in 0..2 {
            here.page.undo(&mut stack, &ana, 11).await.unwrap().unwrap();
            assert_eq!(here.text(), "roses and thorns");
            here.page.undo(&mut stack, &ana, 12).await.unwrap().unwrap();
            assert_eq!(shown(&here), (" and thorns".into(), title.clone(), vec![], 0));
            here.page.undo(&mut stack, &ana, 13).await.unwrap().unwrap();
            assert_eq!(shown(&here), (" and thorns".into(), Some("plot".into()), vec![], 0));
            assert_eq!(here.page.undo(&mut stack, &ana, 14).await.unwrap(), None);
            for _ in 0..3 {
                here.page.redo(&mut stack, &ana, 15).await.unwrap().unwrap();
            }
            assert_eq!(shown(&here), all);
            assert_eq!(here.page.redo(&mut stack, &ana, 16).await.unwrap(), None);
        }
        there.fetch(&here).await;
        assert_eq!(shown(&there), all);
    });
}

/// Of what was typed several ops became, because Ben's came in between: each is a step. Ben's own are not Ana's to undo, and an op that
/// is void by now is passed over.
#[test]
fn ops_that_were_sealed_on_the_way() {
    block_on(async {
        let here = Desk::founded(MemoryBackend::new()).await;
        let there = here.with_guest().await;
        let (ana, ben) = (author(0), author(1));
        let (mut hers, mut his) = (UndoStack::new(), UndoStack::new());
        here.type_word(&ana, 1, "one ").await;
        here.type_word(&ben, 2, "his ").await;
        here.type_word(&ana, 3, "two").await;
        assert_eq!((here.text().as_str(), here.count().await), ("one his two", 3));
        here.page.undo(&mut hers, &ana, 4).await.unwrap().unwrap();
        assert_eq!(here.text(), "one his ");
        here.page.undo(&mut hers, &ana, 5).await.unwrap().unwrap();
        assert_eq!(here.text(), "his ");
        assert_eq!(here.page.undo(&mut hers, &ana, 6).await.unwrap(), None);
        there.page.update(&ana, 6, |edit| edit.title.set("beside".into())).await.unwrap();
        here.page.undo(&mut his, &ben, 7).await.unwrap().unwrap();
        assert_eq!(here.text(), "");
        here.page.redo(&mut his, &ben, 8).await.unwrap().unwrap();

        // He types where nobody sees it, and is removed: nothing of that stands, and there is nothing to undo.
        there.type_word(&ben, 9, "void").await;
        there.page.seal().await.unwrap();
        let mut void = UndoStack::new();
        there.page.note_typed(&mut void, &ben);
        assert!(void.next_undo().is_some());
        here.page.revoke(&ana, 10, ben.id()).await.unwrap();
        there.fetch(&here).await;
        assert_eq!(there.text(), "his ");
        assert_eq!(there.page.undo(&mut void, &ana, 11).await.unwrap(), None);
    });
}
