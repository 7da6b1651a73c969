//! `cargo xtask`: every chore of the workspace, as one program that depends on no crate of it.
//!
//! - `ci` runs every check that a change has to pass ([`ci`]);
//! - `setup` installs what `ci` would otherwise have to leave out ([`setup`]);
//! - `bench` measures one group of bars and judges them ([`mod@bench`]).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

mod bench;
mod ci;
mod clock;
mod command;
mod features;
mod law;
mod manifest;
mod map;
mod postgres;
mod setup;
mod steps;
mod tidy;
mod wasm;
mod workspace;

/// Chores of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check everything: formatting, lints, dependency law, map, tidiness, tests, documentation, PostgreSQL, wasm32
    Ci(ci::Arguments),
    /// Install what `ci` needs and Rust does not bring (Debian, root); does nothing when it is there
    Setup,
    /// Measure a group of benchmarks and compare each figure with its bar
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let workspace = Workspace::locate();
    match arguments.chore {
        Chore::Ci(arguments) => ci::run(&workspace, &arguments),
        Chore::Setup => report(setup::run(&workspace)),
        Chore::Bench(arguments) => bench::run(&workspace, &arguments),
    }
}

fn report<E: std::error::Error>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
