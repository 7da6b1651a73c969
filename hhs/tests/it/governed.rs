//! Notes in which the members of a staff write: two nodes, over QUIC.

use std::time::Duration;

use hhs::model::op::{Capability, Roles, Rule};
use hhs::prelude::*;
use tokio::time::timeout;

#[derive(Replica)]
#[replica(class = "test/v1/Staff")]
struct Staff {
    people: Members,
}

#[derive(Replica)]
#[replica(class = "test/v1/Notes")]
struct Notes {
    lines: Log<String>,
}

/// Longer than anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

async fn node(author: Author) -> Node {
    let store = Store::open(MemoryBackend::new(), Registry::new()).await.unwrap();
    let quic = QuicTransport::new(author.signer().clone()).unwrap();
    let endpoint = "quic://127.0.0.1:0".parse().unwrap();
    Node::builder(Tokio::new(), author, store).transport(quic).listen(endpoint).start().await.unwrap()
}

/// Waits until a node shows so many lines.
async fn shows(notes: &Space<Notes>, count: usize) -> Vec<String> {
    let mut changes = notes.changes();
    let all = async {
        loop {
            let lines = notes.read(|notes| notes.lines.iter().map(|line| line.value.clone()).collect::<Vec<_>>());
            if lines.len() == count {
                return lines;
            }
            changes.next().await;
        }
    };
    timeout(LIMIT, all).await.expect("the lines come")
}

/// Ana founds a staff and notes that are written by the staff, lets Ben into the staff, and tells him where the notes are. He
/// writes. She removes him from the staff: what he writes after is gone with her, and with him.
#[tokio::test(flavor = "multi_thread")]
async fn the_staff_writes_notes() {
    let [ana, ben] = ["Ana", "Ben"].map(|name| Tokio::new().new_author(name).unwrap());
    let (at_anas, at_bens) = (node(ana).await, node(ben.clone()).await);
    let staff: Space<Staff> = at_anas.create().await.unwrap();
    let write = Capability::write();
    let rules = [(write.clone(), Rule::CanIn(write.clone(), staff.id()))].into();
    let notes: Space<Notes> = at_anas.create_with_rules(Roles::new(), rules, &[]).await.unwrap();
    notes.sync().await.unwrap();
    staff.grant(ben.identity(), [write]).await.unwrap();
    notes.update(|notes| notes.lines.append("by Ana".into())).await.unwrap();

    let address = notes.invite().await.unwrap();
    let bens: Space<Notes> = at_bens.join(&SpaceAddress { secret: None, ..address }, LIMIT).await.unwrap();
    timeout(LIMIT, bens.writable()).await.expect("he is on the staff").unwrap();
    shows(&bens, 1).await;
    bens.update(|notes| notes.lines.append("by Ben".into())).await.unwrap();
    assert_eq!(shows(&notes, 2).await, ["by Ana", "by Ben"]);

    staff.revoke(ben.id()).await.unwrap();
    let removed = async { while bens.update(|notes| notes.lines.append("after that".into())).await.is_ok() {} };
    timeout(LIMIT, removed).await.expect("he is told");
    for notes in [&notes, &bens] {
        assert_eq!(shows(notes, 2).await, ["by Ana", "by Ben"]);
    }
    assert_eq!(at_bens.store().sources(bens.id()).await.unwrap(), [staff.id()]);
}
