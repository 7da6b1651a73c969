//! A wiki in memory, without a store and a network: two people write the same page apart, and meet; then one of them is shown out.

use hhs::crdt::{Document, UndoStack};
use hhs::model::op::{Capability, Founding, Genesis};
use hhs::prelude::*;

#[derive(Replica)]
#[replica(class = "wiki/v1/Wiki")]
struct Wiki {
    pages: Map<String, Page>,
}

#[derive(Field)]
struct Page {
    title: Register<String>,
    body: Text,
    tags: Set<String>,
}

type Wikis = Document<Wiki>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Tokio::new();
    let (ana, ben) = (runtime.new_author("Ana")?, runtime.new_author("Ben")?);
    let founding = Founding::root(Genesis::with_founder(Wiki::CLASS, [7; 16], ana.id()))?;
    let (mut at_anas, mut at_bens) = (Wikis::new(founding.clone()), Wikis::new(founding));
    for wiki in [&mut at_anas, &mut at_bens] {
        wiki.introduce(ana.identity())?;
        wiki.introduce(ben.identity())?;
    }
    at_anas.grant(&ana, 0, ben.id(), [Capability::write()])?;
    at_anas.write(&ana, 1, |wiki| {
        let page = wiki.pages.at("garden".into());
        page.title.set("The garden".into());
        page.body.push_str("Beans and peas.");
    })?;
    meet(&mut at_anas, &mut at_bens);

    println!("Apart, Ana writes at the front and Ben at the end.");
    at_anas.write(&ana, 2, |wiki| wiki.pages.at("garden".into()).body.insert(0, "This year: "))?;
    let mut undo = UndoStack::default();
    let pumpkins = at_bens.write(&ben, 2, |wiki| {
        let page = wiki.pages.at("garden".into());
        page.body.push_str(" Pumpkins!");
        page.tags.insert("vegetables".into());
    })?;
    undo.wrote(pumpkins.ok_or("it writes something")?);
    meet(&mut at_anas, &mut at_bens);
    show("Ana reads", &at_anas);
    show("Ben reads", &at_bens);

    at_bens.undo(&mut undo, &ben, 3)?;
    show("Ben thinks better of it", &at_bens);
    at_bens.redo(&mut undo, &ben, 4)?;
    show("and changes his mind again", &at_bens);

    println!("Ana, who has not seen that yet, shows Ben out.");
    at_anas.revoke(&ana, 5, ben.id())?;
    meet(&mut at_anas, &mut at_bens);
    show("what he wrote before stays", &at_anas);
    for op in at_bens.history("pages").iter().filter(|wrote| wrote.void.is_some()) {
        if let Some(why) = at_bens.explain(&op.op) {
            println!("{why}");
        }
    }
    Ok(())
}

/// Each hands over what the other lacks.
fn meet(a: &mut Wikis, b: &mut Wikis) {
    let (to_b, to_a) = (a.beyond(&b.version()), b.beyond(&a.version()));
    a.receive(to_a);
    b.receive(to_b);
}

fn show(what: &str, wiki: &Wikis) {
    for (name, page) in wiki.state().pages.iter() {
        println!("{what}: [{name}] {} {:?}", page.body, page.tags.iter().collect::<Vec<_>>());
    }
}
