//! Replays the corpus and the crashers of the fuzz target `message` in `fuzz/`.

use std::fs;
use std::path::Path;

use hhs_mesh::proto::Message;

#[path = "../../../fuzz/src/messages.rs"]
mod messages;

/// What was found once is not to be found again; and the corpus has messages in it that are good.
#[test]
fn every_frame_that_was_worth_keeping() {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz"));
    let mut good = 0;
    for folder in ["corpus/message", "crashes/message"] {
        for entry in fuzz.join(folder).read_dir().into_iter().flatten() {
            let frame = fs::read(entry.expect("the folder can be read").path()).expect("the file can be read");
            messages::message(&frame);
            good += usize::from(Message::from_bytes(&frame).is_ok());
        }
    }
    assert!(good >= 5, "{good} good messages");
}
