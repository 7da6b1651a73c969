//! The `hhs` program: the library's first app, and the way to try it without writing code.

mod chat;
mod demo;
mod directory;
mod endpoint;
mod identity;
mod keys;
mod node;
mod output;
mod progress;
mod replay;
mod signals;
mod space;
mod store;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Hyper Hyper Space: shared data that works offline first, from peer to peer.
#[derive(Debug, Parser)]
#[command(name = "hhs", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch three peers work offline, diverge and agree again.
    ///
    /// Three processes share a chat room over QUIC, on temporary stores and on this machine alone. One is killed and goes
    /// on without a network while all three write; then it comes back. Exits with 0 only if all three stores hold the same
    /// messages and the same frontier at the end.
    Demo(demo::Arguments),
    /// Share a chat room.
    #[command(subcommand)]
    Chat(chat::Command),
    /// Move spaces between stores and files.
    #[command(subcommand)]
    Space(space::Command),
    /// Make identities, look at them, and protect their keys.
    #[command(subcommand)]
    Identity(identity::Command),
    /// Look into a store, check it, repair it.
    #[command(subcommand)]
    Store(store::Command),
    /// Build a log with the causal shape of a real history, and synchronise it to a second process.
    Replay(replay::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("HHS_LOG"))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments).await.map_err(anything),
        Command::Chat(command) => chat::run(command).await.map_err(anything),
        Command::Space(command) => space::run(command).await.map_err(anything),
        Command::Identity(command) => identity::run(command).await.map_err(anything),
        Command::Store(command) => store::run(command).await.map_err(anything),
        Command::Replay(arguments) => replay::run(arguments).await.map_err(anything),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever has closed standard error does not want to know.
            writeln!(std::io::stderr(), "hhs: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn anything(error: impl std::error::Error + 'static) -> Box<dyn std::error::Error> {
    Box::new(error)
}
