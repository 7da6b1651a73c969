//! `kill -9` of anybody, at any moment: what was acknowledged is there, and the peers agree again.
//!
//! The victims and the moments come from a seed, and a failure prints it with the round; `HHS_TEST_SEED` gives another.
//! The moments are real time, so that a seed tries the same things again but need not hit the same instant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::tempdir;

use crate::program::{Chat, log, logged, run, text};

/// Three people talk, as in the demo. Twenty times one of them is killed, while they write, sync, start or are offline;
/// comes back, sometimes to be killed at once; and has every message that their process had said to be durable, whoever
/// wrote it. Then all agree again, and at the end their logs are equal to the byte.
#[test]
fn whoever_is_killed_has_what_was_acknowledged() {
    let directory = tempdir().unwrap();
    let mut random = Random::seeded(7);
    let mut people = meet(directory.path());
    for round in 0..20 {
        println!("round {round}");
        for person in &mut people {
            person.talk(random.below(5));
        }
        let victim = random.below(people.len());
        let person = &mut people[victim];
        person.chat.read_for(random.moment(), |_| false);
        person.is_killed();
        match random.below(3) {
            // They write offline, and are killed again.
            0 => {
                person.chat = Chat::start(&["open", "--offline", "--store", text(&person.home)]);
                person.talk(1 + random.below(4));
                person.chat.read_for(random.moment(), |_| false);
                person.is_killed();
            }
            // They are killed again as they come back.
            1 => {
                person.chat = Chat::open(&person.home);
                person.talk(random.below(3));
                person.chat.read_for(random.moment(), |_| false);
                person.is_killed();
            }
            _ => {}
        }
        people.iter_mut().enumerate().filter(|(who, _)| *who != victim).for_each(|(_, person)| person.talk(1));
        people[victim].chat = Chat::open(&people[victim].home);
        all_have_all(&mut people);
    }
    people.iter_mut().for_each(|person| person.chat.end_well());
    let logs: Vec<String> = people.iter().map(|person| log(&person.home)).collect();
    assert!(logs[0] == logs[1] && logs[1] == logs[2], "the logs differ");
    assert!(logs[0].lines().count() > 60, "they got to talk: {}", logs[0].lines().count());
}

/// A room is killed while it is made, and while it is joined: the same command does it the next time, or it was done.
#[test]
fn killed_while_a_room_is_made_or_joined() {
    let directory = tempdir().unwrap();
    let mut random = Random::seeded(11);
    for round in 0..8 {
        let (ana, ben) = (directory.path().join(format!("ana{round}")), directory.path().join(format!("ben{round}")));
        let mut chat = Chat::new_room(&ana, "Ana");
        chat.say("first");
        chat.read_for(random.moment() / 2, |_| false);
        chat.kill();
        let had = std::mem::take(&mut chat.messages);
        let mut ana = if has_room(&ana) { Chat::open(&ana) } else { Chat::new_room(&ana, "Ana") };
        let address = ana.address();
        ana.until("what was acknowledged", |ana| contains(&ana.messages, &had));

        let mut chat = Chat::join(&address, &ben, "Ben");
        chat.say("second");
        chat.read_for(random.moment(), |_| false);
        chat.kill();
        let had = std::mem::take(&mut chat.messages);
        let mut ben = Chat::join(&address, &ben, "Ben");
        ben.say("third");
        ben.until("what was acknowledged", |ben| contains(&ben.messages, &had));
        ana.wait_for_texts(&["third"]);
        ana.until("what Ben had", |ana| contains(&ana.messages, &had));
    }
}

/// Somebody in the story.
struct Person {
    name: &'static str,
    home: PathBuf,
    chat: Chat,
    said: usize,
    /// What was typed to the process that runs now, and will be written if it is not killed.
    typed: Vec<String>,
    /// What their processes have said to be durable.
    acknowledged: BTreeMap<String, String>,
}

impl Person {
    fn new(name: &'static str, home: PathBuf, chat: Chat) -> Self {
        Self { name, home, chat, said: 0, typed: Vec::new(), acknowledged: BTreeMap::new() }
    }

    fn talk(&mut self, lines: usize) {
        for _ in 0..lines {
            self.said += 1;
            let text = format!("{} says {}", self.name, self.said);
            self.chat.say(&text);
            self.typed.push(text);
        }
    }

    /// Is killed; then their store has what the process has acknowledged.
    fn is_killed(&mut self) {
        let end = self.chat.kill();
        assert!(end.errors.is_empty(), "{end:?}");
        self.typed.clear();
        self.acknowledged.extend(std::mem::take(&mut self.chat.messages));
        let there = logged(&self.home);
        assert!(contains(&there, &self.acknowledged), "{} has lost messages", self.name);
    }
}

fn meet(directory: &Path) -> [Person; 3] {
    let homes = ["ana", "ben", "cleo"].map(|name| directory.join(name));
    let mut ana = Chat::new_room(&homes[0], "Ana");
    let address = ana.address();
    let [ben, cleo] = [("Ben", &homes[1]), ("Cleo", &homes[2])].map(|(name, home)| {
        let mut chat = Chat::join(&address, home, name);
        chat.wait_for("joined", |_| true);
        chat
    });
    let [a, b, c] = homes;
    [Person::new("Ana", a, ana), Person::new("Ben", b, ben), Person::new("Cleo", c, cleo)]
}

/// Waits until everything that was typed is acknowledged, and everybody has every message that anybody has acknowledged.
fn all_have_all(people: &mut [Person; 3]) {
    let mut all = BTreeMap::new();
    for person in people.iter_mut() {
        let typed = &person.typed;
        person.chat.until("what was typed", |chat| {
            typed.iter().all(|text| chat.messages.values().any(|message| message == text))
        });
        all.extend(person.acknowledged.clone());
        all.extend(person.chat.messages.clone());
    }
    for person in people {
        person.chat.until("what the others have", |chat| contains(&chat.messages, &all));
        person.acknowledged.extend(person.chat.messages.clone());
    }
}

fn contains(all: &BTreeMap<String, String>, some: &BTreeMap<String, String>) -> bool {
    some.iter().all(|(id, text)| all.get(id) == Some(text))
}

fn has_room(home: &Path) -> bool {
    run(&["chat", "log", "--store", text(home)], b"").status.success()
}

/// A generator that is the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn seeded(seed: u64) -> Self {
        let seed = std::env::var("HHS_TEST_SEED").map_or(seed, |seed| seed.parse().unwrap());
        println!("seed {seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A time within which a process starts, connects or writes a few messages.
    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.next() % 60_000)
    }
}
