//! A chat room in one short program: run it, then run it elsewhere with the address that it prints.

use std::time::Duration;

use hhs::prelude::*;

#[derive(Object)]
#[object(class = "chat/v1/Message")]
struct Message {
    text: String,
}

#[derive(Replica)]
#[replica(class = "chat/v1/Room")]
struct Room {
    members: Members,
    messages: Log<Message>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (me, file, address) = (Tokio::new().new_author("Ana")?, std::env::args().nth(1), std::env::args().nth(2));
    let store = Store::open(RedbBackend::open(file.ok_or("usage: chat FILE [ADDRESS]")?)?, Registry::new()).await?;
    let quic = QuicTransport::new(me.signer().clone())?;
    let node =
        Node::builder(Tokio::new(), me, store).transport(quic).listen("quic://127.0.0.1:0".parse()?).start().await?;
    let room: Space<Room> = match address {
        Some(address) => node.join(&address.parse()?, Duration::from_secs(10)).await?,
        None => node.create().await?,
    };
    room.sync().await?;
    room.writable().await?;
    let mut changes = room.changes();
    room.update(|edit| edit.messages.append(Message { text: "I am here".into() })).await?;
    println!("join by: {}", room.invite().await?);
    while let Some(change) = changes.next().await {
        println!("{:?}", change?.action);
    }
    Ok(())
}
