//! Versions: what a replica showed to who had so much of it, what has changed since, and who wrote what.

use hhs_crdt::VersionError;
use hhs_model::class::{Action, PathSegment};
use hhs_model::replay::Voided;
use hhs_model::{Frontier, OpId};

use crate::document::{author, doc, grant, revoke, shown, sync, write};

/// A document is read as it was after each of its ops, also where two had written at once; what is different is told.
#[test]
fn reading_at_a_version() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    grant(&mut here, &ana, ben.id());
    let mut versions = vec![(here.version(), shown(here.state()))];
    sync(&mut here, &mut there);
    write(&mut there, &ben, |edit| edit.text.insert(0, "flowers"));
    for number in 0..600_u64 {
        write(&mut here, &ana, |edit| {
            edit.score.add(1);
            edit.text.insert(0, &format!("{number} "));
            edit.name.set(number.to_string());
        });
        if number % 97 == 0 {
            versions.push((here.version(), shown(here.state())));
        }
    }
    sync(&mut here, &mut there);
    write(&mut here, &ana, |edit| edit.text.delete(0..5));
    versions.push((here.version(), shown(here.state())));
    for (version, expected) in &versions {
        assert_eq!(&shown(&here.at(version).unwrap()), expected);
    }
    assert_eq!(shown(&here.at(&Frontier::default()).unwrap())["score"], "0", "the version before everything");
    let changes = here.diff(&versions[1].0, &versions[2].0).unwrap();
    assert!(changes.iter().any(|change| change.action == Action::Counted { old: 1, new: 98 }), "{changes:?}");
    let nobody = OpId::of(b"nobody's");
    assert_eq!(here.at(&[nobody].into_iter().collect()).err(), Some(VersionError::Unknown(nobody)));
}

/// Ben was removed later: in the version in which he was there, what he wrote stands; that he is removed shows in the version
/// that has it.
#[test]
fn a_version_is_judged_from_itself() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let admission = grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    let his = write(&mut there, &ben, |edit| edit.name.set("his".into()));
    revoke(&mut here, &ana, admission);
    let removed = here.version();
    sync(&mut here, &mut there);
    assert_eq!(here.void(&his), Some(Voided::ByAuthority));
    assert_eq!(here.state().name.get(), None);
    let then = here.at(&[his].into_iter().collect()).unwrap();
    assert_eq!(then.name.get().map(String::as_str), Some("his"));
    assert!(then.members.contains(&ben.id()));
    assert!(!here.at(&removed).unwrap().members.contains(&ben.id()));
    assert_eq!(shown(&here.at(&here.version()).unwrap()), shown(here.state()));
}

/// Who wrote to a field, and when, those without effect among them; and how a value came about, one key of a map say.
#[test]
fn the_history_of_a_field() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    let admission = grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    let first = write(&mut here, &ana, |edit| edit.name.set("garden".into()));
    write(&mut here, &ana, |edit| edit.tags.insert("plants".into()));
    let his = write(&mut there, &ben, |edit| edit.name.set("ruin".into()));
    revoke(&mut here, &ana, admission);
    let last = write(&mut here, &ana, |edit| {
        edit.name.set("park".into());
        edit.pages.at("home".into()).set("welcome".into());
    });
    write(&mut here, &ana, |edit| edit.pages.at("other".into()).set("more".into()));
    let renamed = write(&mut here, &ana, |edit| edit.pages.at("home".into()).set("hello".into()));
    sync(&mut here, &mut there);
    for document in [&here, &there] {
        let mut wrote = document.history("name");
        assert_eq!(wrote.last().map(|wrote| (wrote.op, wrote.author, wrote.time)), Some((last, ana.id(), 1)));
        wrote.pop();
        wrote.sort_by_key(|wrote| wrote.op != first);
        let void: Vec<_> = wrote.iter().map(|wrote| (wrote.op, wrote.author, wrote.void)).collect();
        assert_eq!(void, [(first, ana.id(), None), (his, ben.id(), Some(Voided::ByAuthority))]);

        let home = [PathSegment::Field("pages"), PathSegment::Key("home".into())];
        let changes = document.history_of(&home);
        let set: Vec<_> = changes.iter().filter(|change| matches!(change.action, Action::Set { .. })).collect();
        assert_eq!(set.iter().map(|change| change.op).collect::<Vec<_>>(), [last, renamed]);
        let (old, new) = (Some("welcome".into()), Some("hello".into()));
        assert_eq!(set[1].action, Action::Set { old, new });
    }
    assert_eq!(here.history("name"), there.history("name"));
    assert!(here.history("nothing").is_empty());
}
