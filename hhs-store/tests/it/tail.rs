//! The last entries of a log, read straight from history.

use futures::executor::block_on;
use hhs_crdt::{Log, Register, Replica};
use hhs_model::codec::encode;
use hhs_model::op::PayloadRef;
use hhs_model::{Map, OpId, ReplicaId};
use hhs_store::{Bundle, Live, LogTail, Store, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{Made, Notes, World, author, bundle, id_of, op};

#[derive(Debug, Default, Replica)]
#[replica(class = "test/v1/Chat")]
struct Chat {
    name: Register<String>,
    messages: Log<String>,
}

struct Room {
    store: Store,
    room: ReplicaId,
}

impl Room {
    async fn new() -> Self {
        let store = World::new().await.store;
        let room = store.found(Chat::CLASS, [7; 16], &author(0)).await.unwrap();
        Self { store, room }
    }

    /// An op with a payload of these fields.
    fn carrying(&self, author: u8, parents: &[OpId], grants: &[OpId], fields: &[(&str, &[&str])], time: u64) -> Made {
        let fields: Map<Vec<String>> = fields
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
            .collect();
        let mut making = op(author, self.room, parents).by(grants).at(time);
        let payload = encode(&fields).unwrap();
        making.header.payload = Some(PayloadRef::to(&payload));
        making.payload = Some(payload);
        making.sign()
    }

    async fn ingest(&self, ops: &[&Made]) {
        let bundle: Bundle = bundle(ops.iter().copied(), &[0, 1, 2, 3]);
        self.store.ingest(self.room, bundle).await.unwrap();
    }

    async fn tail(&self, count: usize) -> LogTail<String> {
        self.store.log_tail::<Chat, String>(self.room, "messages", count).await.unwrap()
    }

    async fn live(&self) -> Live<Chat> {
        self.store.open_replica(self.room).await.unwrap()
    }
}

fn values(tail: &LogTail<String>) -> Vec<&str> {
    tail.entries.iter().map(|entry| entry.value.as_str()).collect()
}

/// A chat in which somebody was removed, a newer program wrote what this one makes nothing of, and somebody renamed the
/// room in between: the tail has what the log shows, by whom and when.
#[test]
fn the_tail_of_a_chat() {
    block_on(async {
        let room = Room::new().await;
        let first = room.carrying(0, &[], &[], &[("messages", &["one", "two"])], 1);
        let admitted = op(0, room.room, &[first.id()]).granting(1, &["write"]).sign();
        let grant = [admitted.id()];
        let said = room.carrying(1, &[admitted.id()], &grant, &[("messages", &["three"])], 2);
        let renamed = room.carrying(0, &[said.id()], &[], &[("name", &["hall"])], 3);
        let strange = room.carrying(0, &[renamed.id()], &[], &[("future", &["?"]), ("messages", &["lost"])], 4);
        let void = room.carrying(1, &[said.id()], &grant, &[("messages", &["in vain"])], 5);
        room.ingest(&[&first, &admitted, &said, &renamed, &strange, &void]).await;
        assert_eq!(values(&room.tail(2).await), ["three", "in vain"]);
        let live = room.live().await;
        let removal = crate::verdicts::revoke(&[admitted.id()]);
        let mut making = op(0, room.room, &[strange.id()]).at(6);
        making.header.act = Some(removal);
        room.ingest(&[&making.sign()]).await;
        let tail = room.tail(2).await;
        assert_eq!((values(&tail), tail.whole), (vec!["two", "three"], false));
        let last = tail.entries.last().unwrap();
        assert_eq!((last.op, last.author, last.time), (said.id(), id_of(1), 2));
        let all = room.tail(9).await;
        assert_eq!((values(&all), all.whole), (vec!["one", "two", "three"], true));
        assert_eq!(
            live.read(|chat| chat.messages.iter().map(|entry| entry.value.clone()).collect::<Vec<_>>()),
            values(&all)
        );
        assert_eq!(room.tail(0).await.entries, []);
        let other = room.store.log_tail::<Notes, String>(room.room, "messages", 1).await;
        assert!(matches!(other, Err(StoreError::Class { .. })));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// Whatever the history looks like: the tail is the end of the log.
    #[test]
    fn the_tail_is_the_end_of_the_log(
        steps in vec((vec(any::<Index>(), 0..3), 0..3_usize), 1..30),
        count in 0..12_usize,
    ) {
        block_on(async {
            let room = Room::new().await;
            let mut ops: Vec<Made> = Vec::new();
            for (time, (parents, messages)) in (0..).zip(&steps) {
                let parents: Vec<OpId> =
                    parents.iter().filter(|_| !ops.is_empty()).map(|pick| ops[pick.index(ops.len())].id()).collect();
                let texts: Vec<String> = (0..*messages).map(|message| format!("{time}.{message}")).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let field: (&str, &[&str]) = if texts.is_empty() { ("name", &["n"]) } else { ("messages", &texts) };
                let made = room.carrying(0, &parents, &[], &[field], time);
                room.ingest(&[&made]).await;
                ops.push(made);
            }
            let live = room.live().await;
            let log: Vec<String> = live.read(|chat| chat.messages.iter().map(|entry| entry.value.clone()).collect());
            let tail = room.tail(count).await;
            assert_eq!(values(&tail), log[log.len().saturating_sub(count)..].iter().collect::<Vec<_>>());
        });
    }
}
