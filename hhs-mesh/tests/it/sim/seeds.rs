//! Worlds of many seeds, or of the one in which something has gone wrong.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::World;

/// Names the one seed to try, to find out what happened, or a range of them (`1000..5000`).
const VARIABLE: &str = "HHS_SIM_SEED";

/// Lives through a world of each of the first `count` seeds, or of those that are asked for. Says how to see it again if one panics.
pub(super) fn in_every_world<T>(count: u64, test: &str, live: impl Fn(&mut World) -> T) -> Vec<T> {
    let lived = |seed| {
        catch_unwind(AssertUnwindSafe(|| live(&mut World::new(seed)))).unwrap_or_else(|panic| {
            eprintln!("to see it again: {VARIABLE}={seed} cargo test -p hhs-mesh --test it {test}");
            resume_unwind(panic)
        })
    };
    asked_for().unwrap_or(0..count).map(lived).collect()
}

fn asked_for() -> Option<Range<u64>> {
    let text = std::env::var(VARIABLE).ok()?;
    let number = |text: &str| text.parse::<u64>().expect("a seed is a number");
    Some(match text.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&text)..number(&text) + 1,
    })
}
