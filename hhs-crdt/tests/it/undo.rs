//! Undo, redo and typing, by documents.

use hhs_crdt::{Policy, UndoStack};
use hhs_model::class::{Action, Draft};
use hhs_model::op::Act;

use crate::document::{author, doc, grant, revoke, shown, sync, write};

/// Ana writes to every field and undoes it, redoes it, and undoes it again: what Ben wrote in between stands each time.
#[test]
fn undo_and_redo_in_every_type() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    grant(&mut here, &ana, ben.id());
    write(&mut here, &ana, |edit| {
        edit.name.set("garden".into());
        edit.status.set("open".into());
        edit.tags.insert("plants".into());
        edit.pages.at("home".into()).set("welcome".into());
        edit.text.insert(0, "a garden");
        edit.list.push("beds".into());
        edit.list.push("paths".into());
        edit.order.push("first".into());
    });
    sync(&mut here, &mut there);
    let before = shown(here.state());
    let mut stack = UndoStack::new();
    let id = write(&mut here, &ana, |edit| {
        edit.name.set("park".into());
        edit.status.set("closed".into());
        edit.tags.remove(&"plants".to_owned());
        edit.tags.insert("stones".into());
        edit.score.add(5);
        edit.pages.at("home".into()).set("go away".into());
        edit.text.delete(0..2);
        edit.text.insert(6, " of stones");
        edit.list.remove(0);
        edit.list.push("walls".into());
        edit.order.push("second".into());
    });
    stack.wrote(id);
    let after = shown(here.state());
    sync(&mut here, &mut there);
    write(&mut there, &ben, |edit| {
        edit.text.insert(0, "his ");
        edit.score.add(100);
        edit.tags.insert("his".into());
    });
    sync(&mut here, &mut there);
    for round in 0..3 {
        let undone = here.undo(&mut stack, &ana, 1).unwrap();
        assert!(undone.is_some(), "in round {round}");
        let mut undone = shown(here.state());
        assert_eq!(undone["text"], "his a garden");
        assert_eq!(undone["score"], "100");
        assert_eq!(undone["tags"], r#"["his", "plants"]"#);
        for same in ["name", "status", "pages", "members", "kinds", "messages", "list", "order"] {
            assert_eq!(undone.remove(same).as_ref(), Some(&before[same]), "{same} in round {round}");
        }
        assert!(here.redo(&mut stack, &ana, 1).unwrap().is_some());
        let redone = shown(here.state());
        assert_eq!(redone["text"], "his garden of stones");
        assert_eq!(redone["score"], "105");
        assert_eq!(redone["tags"], r#"["his", "stones"]"#);
        for same in ["name", "status", "pages", "list", "order"] {
            assert_eq!(redone[same], after[same], "{same} in round {round}");
        }
    }
    sync(&mut here, &mut there);
    assert_eq!(shown(here.state()), shown(there.state()));
    assert_eq!(here.redo(&mut stack, &ana, 1).unwrap(), None);
}

/// What is void, and what nothing stands of any more, is passed over; a new op ends what could be redone.
#[test]
fn nothing_to_undo() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let admission = grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    let mut stack = UndoStack::new();
    stack.wrote(write(&mut here, &ana, |edit| edit.name.set("first".into())));
    stack.wrote(write(&mut here, &ana, |edit| edit.name.set("second".into())));
    // Of the second nothing stands once somebody has written over it.
    write(&mut here, &ana, |edit| edit.name.set("third".into()));
    assert_eq!(here.undo(&mut stack, &ana, 1).unwrap(), None, "neither stands");
    assert_eq!(stack, UndoStack::new());

    let mut his = UndoStack::new();
    his.wrote(write(&mut there, &ben, |edit| edit.score.add(1)));
    revoke(&mut here, &ana, admission);
    sync(&mut here, &mut there);
    assert_eq!(there.undo(&mut his, &ben, 1).unwrap(), None, "it is void");

    stack.wrote(write(&mut here, &ana, |edit| edit.score.add(1)));
    here.undo(&mut stack, &ana, 1).unwrap().unwrap();
    stack.wrote(write(&mut here, &ana, |edit| edit.score.add(10)));
    assert_eq!(here.redo(&mut stack, &ana, 1).unwrap(), None);
    assert_eq!(here.state().score.get(), 10);
}

/// Ana types: every key shows at once, and what becomes of it is one op, which others see as a whole.
#[test]
fn keys_become_one_op() {
    let ana = author("Ana");
    let (mut here, mut there) = (doc(), doc());
    here.set_policy(Policy { pause: 500, ..Policy::default() });
    here.watch();
    for (at, letter) in "a garden".chars().enumerate() {
        here.type_in(&ana, 1_000 + at as u64, |edit| {
            edit.text.insert(at, &letter.to_string());
            edit.messages.append(letter.to_string());
        })
        .unwrap();
        assert_eq!(here.state().text.len(), at + 1);
        assert_eq!((here.len(), here.due_at()), (0, Some(1_500 + at as u64)));
    }
    let typed = shown(here.state());
    assert!(here.beyond(&Default::default()).is_empty(), "nothing leaves before it is sealed");
    let id = here.seal().unwrap().unwrap();
    assert_eq!((here.len(), here.due_at()), (1, None));
    let sealed = shown(here.state());
    assert_eq!((&typed["text"], typed["messages"].matches('"').count()), (&sealed["text"], 16));
    assert_eq!(here.state().messages.len(), 8);
    let changes = here.take_changes();
    assert!(changes.iter().all(|change| change.op == id), "they name the op now");
    let inserted = changes.iter().filter(|change| matches!(change.action, Action::Inserted { .. }));
    assert_eq!(inserted.count(), 8, "each is told once");
    sync(&mut here, &mut there);
    assert_eq!(shown(there.state()), sealed);
    assert_eq!(here.seal().unwrap(), None);
}

/// What comes from others is not under what is being typed: that is sealed first. So with what somebody else types here, with an act,
/// and with what does not fit.
#[test]
fn what_seals() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    write(&mut there, &ben, |edit| edit.text.insert(0, "his"));
    here.type_in(&ana, 1, |edit| edit.text.insert(0, "hers")).unwrap();
    here.receive(there.beyond(&here.version()));
    assert_eq!((here.len(), here.heads().heads.len()), (3, 2), "they stand beside each other");

    here.type_in(&ana, 2, |edit| edit.score.add(1)).unwrap();
    here.type_in(&ben, 3, |edit| edit.score.add(2)).unwrap();
    assert_eq!((here.len(), here.state().score.get()), (4, 3), "Ana's is sealed, Ben's is not");
    write(&mut here, &ana, |edit| edit.score.add(3));
    assert_eq!((here.len(), here.state().score.get()), (6, 6));

    here.type_in(&ana, 4, |edit| edit.score.add(1)).unwrap();
    here.type_in(&ana, 5, |edit| edit.members.grant(author("Cleo").id())).unwrap();
    assert_eq!((here.len(), here.due_at()), (8, None), "an act is an op by itself");

    here.set_policy(Policy { max_edits: 3, ..Policy::default() });
    for _ in 0..7 {
        here.type_in(&ana, 6, |edit| edit.score.add(1)).unwrap();
    }
    assert_eq!((here.len(), here.state().score.get()), (10, 14), "two are full, one is open");
    let mut stack = UndoStack::new();
    here.undo(&mut stack, &ana, 7).unwrap().unwrap();
    assert_eq!(here.state().score.get(), 13, "what was typed last is undone");
    here.undo(&mut stack, &ana, 7).unwrap().unwrap();
    assert_eq!(here.state().score.get(), 10, "then what was sealed by itself, an op at a time");
    here.redo(&mut stack, &ana, 7).unwrap().unwrap();
    assert_eq!(here.state().score.get(), 13);
    sync(&mut here, &mut there);
    assert_eq!(shown(here.state()), shown(there.state()));
}

/// Who may not write is told with the first key, and nothing shows.
#[test]
fn typing_without_the_right_to() {
    let (ana, eve) = (author("Ana"), author("Eve"));
    let mut here = doc();
    write(&mut here, &ana, |edit| edit.text.insert(0, "garden"));
    assert!(here.type_in(&eve, 1, |edit| edit.text.insert(0, "my ")).is_err());
    assert_eq!((here.state().text.to_string().as_str(), here.due_at()), ("garden", None));
    let act = Act::Reinstate { of: [hhs_model::OpId::of(b"nothing")].into() };
    assert!(here.put(&eve, 1, Draft { act: Some(act), ..Draft::default() }).is_err());
}
