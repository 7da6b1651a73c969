//! Documents as bytes.

use hhs_crdt::{Document, Register, Replica};

use super::{Everything, author, doc, founding, grant, shown, sync, write};

/// Ana and Ben have written, apart and together; what Ana saved is all of it, and who reads it believes nothing unchecked.
#[test]
fn a_document_is_saved_and_read() {
    let (ana, ben) = (author("Ana"), author("Ben"));
    let (mut here, mut there) = (doc(), doc());
    grant(&mut here, &ana, ben.id());
    sync(&mut here, &mut there);
    for number in 0..50 {
        write(&mut here, &ana, |edit| edit.text.insert(0, &format!("{number} of mine, ")));
        write(&mut there, &ben, |edit| edit.text.insert(0, &format!("{number} of yours, ")));
        if number % 10 == 0 {
            sync(&mut here, &mut there);
        }
    }
    sync(&mut here, &mut there);
    let saved = here.save();
    let loose: usize = here.beyond(&doc().version()).iter().map(|carried| carried.op.bytes().len()).sum();
    assert!(saved.len() * 2 < loose, "{} bytes saved, {loose} of headers alone", saved.len());

    let mut read = Document::<Everything>::new(founding(Everything::CLASS));
    let stranger = read.receive_saved(&saved).expect("it is what was saved");
    assert_eq!(stranger.added, [], "nobody was introduced");
    read.introduce(ana.identity()).unwrap();
    read.introduce(ben.identity()).unwrap();
    let received = read.receive_saved(&saved).expect("it is what was saved");
    assert!(received.refused.is_empty(), "{received:?}");
    assert_eq!(read.version(), here.version());
    assert_eq!(shown(read.state()), shown(here.state()));
    assert!(read.receive_saved(&saved[..saved.len() - 1]).is_err());
}

/// More ops than a pack takes are saved in several.
#[test]
fn a_long_history() {
    #[derive(Replica)]
    #[replica(class = "test/v1/Name")]
    struct Name {
        name: Register<u64>,
    }
    let ana = author("Ana");
    let mut here = Document::<Name>::trusting(founding(Name::CLASS));
    for number in 0..5000 {
        here.write_unsigned(ana.id(), number, |edit| edit.name.set(number)).unwrap();
    }
    let mut there = Document::<Name>::trusting(founding(Name::CLASS));
    assert_eq!(there.receive_saved(&here.save()).unwrap().added.len(), 5000);
    assert_eq!(there.state().name.get(), Some(&4999));
}
