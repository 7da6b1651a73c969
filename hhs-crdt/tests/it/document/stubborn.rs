//! Who knows that a grant is withdrawn and stands on it all the same.

use hhs_crdt::{Carried, Replica};
use hhs_model::op::{Header, Op, PayloadRef};
use hhs_model::{Author, Frontier, OpId, Signature};

use super::{Doc, Everything, EverythingEdit, author, doc, grant, revoke, shown, sync, write};

/// An op that no store would write: on top of what its author says, by the grant that they name.
fn stubborn(on: &Doc, by: &Author, parent: OpId, grant: OpId, edit: impl FnOnce(&mut EverythingEdit<'_>)) -> Carried {
    let mut recorded = on.state().edit();
    edit(&mut recorded);
    let payload = Everything::finish(recorded).expect("it is small").payload;
    let header = Header {
        target: on.authority().founding().id(),
        parents: vec![parent],
        deps: Vec::new(),
        grants: vec![grant],
        act: None,
        author: by.id(),
        time: 1,
        payload: payload.as_deref().map(PayloadRef::to),
    };
    Carried { op: Op::with_signature(header, Signature([0; 64])).expect("a header within the bounds"), payload }
}

/// Ben has two grants, and one of them is withdrawn. He writes on top of that, standing on it: void by its own past, and hidden from
/// whoever sees it. Then he writes on top of that what counts. Everybody shows the same, whatever came first, and after a restart.
#[test]
fn what_is_void_by_its_own_past() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut aside) = (doc(), doc());
    write(&mut here, &ana, |edit| {
        edit.text.push_str("base text");
        (0..4).for_each(|number| edit.list.insert(number, number.to_string()));
        (0..4).for_each(|number| edit.order.insert(number, number.to_string()));
    });
    let (withdrawn, kept) = (grant(&mut here, &ana, ben.id()), grant(&mut here, &ana, ben.id()));
    sync(&mut here, &mut aside);
    let revocation = revoke(&mut here, &ana, withdrawn);

    let in_vain = stubborn(&here, &ben, revocation, withdrawn, |edit| {
        edit.text.insert(0, "in vain ");
        edit.list.insert(0, "in vain".into());
        edit.order.insert(0, "in vain".into());
    });
    let counts = stubborn(&here, &ben, in_vain.op.id(), kept, |edit| {
        edit.text.insert(4, "line ");
        edit.list.insert(1, "counts".into());
        edit.order.insert(1, "counts".into());
    });
    // What Ana writes meanwhile, who knows of neither.
    write(&mut aside, &ana, |edit| {
        edit.text.insert(0, "the ");
        edit.list.remove(2);
        edit.list.move_to(0, 2);
        edit.order.move_to(0, 2);
    });
    let beside = aside.beyond(&here.version()).pop().expect("she wrote one op");

    let orders = [[&in_vain, &counts, &beside], [&in_vain, &beside, &counts], [&beside, &in_vain, &counts]];
    let mut all: Vec<Doc> = Vec::new();
    for order in orders {
        let mut document = doc();
        document.receive(here.beyond(&Frontier::default()));
        for carried in order {
            assert_eq!(document.receive([carried.clone()]).added.len(), 1);
        }
        all.push(document);
    }
    let mut last = all[0].beyond(&Frontier::default());
    for document in &mut all {
        assert_eq!(document.state().text.to_string(), "the baseline  text");
        // Who goes on from a checkpoint, and who does not.
        document.checkpoint().expect("nothing is open");
        document.reopen().expect("nothing is open");
        write(document, &ana, |edit| {
            edit.text.insert(0, ">");
            edit.list.move_to(2, 0);
        });
    }
    // All at once.
    let mut at_once = doc();
    last.sort_by_key(|carried| carried.op.id());
    at_once.receive(last);
    write(&mut at_once, &ana, |edit| {
        edit.text.insert(0, ">");
        edit.list.move_to(2, 0);
    });
    for document in &all {
        assert_eq!(shown(document.state()), shown(at_once.state()));
    }
}
