//! Letting people in and out of a document.

use super::{author, doc, shown, sync, write};
use hhs_crdt::WriteError;
use hhs_model::op::Capability;

/// Ben is let in twice, by Ana and by Cleo; Ana removes him with one call, and undoes it; then he leaves by himself.
#[test]
fn in_and_out_and_in_again() {
    let (ana, ben, cleo) = (author("Ana"), author("Ben"), author("Cleo"));
    let (mut here, mut there) = (doc(), doc());
    here.grant(&ana, 1, cleo.id(), [Capability::write(), Capability::grant()]).unwrap();
    here.grant(&ana, 1, ben.id(), [Capability::write()]).unwrap();
    here.grant(&cleo, 1, ben.id(), [Capability::write()]).unwrap();
    sync(&mut here, &mut there);
    write(&mut there, &ben, |edit| edit.name.set("Ben's".into()));
    let removal = here.revoke(&ana, 2, ben.id()).unwrap();
    assert_eq!(removal.len(), 1, "one act names both grants");
    assert_eq!(here.revoke(&ana, 2, ben.id()).unwrap(), [], "nothing is left to withdraw");
    sync(&mut here, &mut there);
    assert_eq!(there.state().name.get(), None);
    assert!(matches!(there.write(&ben, 3, |edit| edit.score.add(1)), Err(WriteError::NotAllowed { .. })));

    here.reinstate(&ana, 3, removal).unwrap();
    sync(&mut here, &mut there);
    assert_eq!(there.state().name.get().map(String::as_str), Some("Ben's"));
    assert_eq!(there.renounce(&ben, 4).unwrap().len(), 2, "a grant is given back by itself");
    sync(&mut here, &mut there);
    assert!(!here.state().members.contains(&ben.id()));
    assert_eq!(shown(here.state()), shown(there.state()));
}

/// What the genesis gives stays, and a junior removes nobody.
#[test]
fn who_cannot_be_removed() {
    let (ana, ben, cleo) = (author("Ana"), author("Ben"), author("Cleo"));
    let mut here = doc();
    here.grant(&ana, 1, ben.id(), [Capability::write(), Capability::grant()]).unwrap();
    here.grant(&ben, 1, cleo.id(), [Capability::write(), Capability::grant()]).unwrap();
    assert_eq!(here.revoke(&ben, 2, ana.id()).unwrap(), []);
    assert!(matches!(here.revoke(&cleo, 2, ben.id()), Err(WriteError::Refused(_) | WriteError::NotAllowed { .. })));
    assert_eq!(here.state().members.len(), 3);
}
