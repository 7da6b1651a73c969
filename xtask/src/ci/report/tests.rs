//! What a run says at its end, and whether it counts as passed.

use std::time::Duration;

use super::{Finished, Outcome, end_of_step, passed, summary};

/// A machine without a wasm32 compiler: the run passes and ends with what was left out, why, and the way to change it.
#[test]
fn a_step_left_out_passes_and_is_named_at_the_end() {
    let finished = [step("fmt", Outcome::Passed), left_out()];
    assert!(passed(&finished, false));
    let text = summary(&finished, false);
    let end = "left out: wasm32\n  why: no compiler\n  to change that: `cargo xtask setup` (Debian, root)\nci: ok\n";
    assert!(text.ends_with(end), "{text}");
}

/// The same machine with `--all`: a step left out is a failure.
#[test]
fn with_all_a_step_left_out_fails() {
    let finished = [left_out()];
    assert!(!passed(&finished, true));
    assert!(summary(&finished, true).ends_with("ci: FAILED\n"));
}

/// Two steps fail: the end names both with all their causes, not only the first.
#[test]
fn all_failures_are_listed_at_the_end() {
    let failed = |name, cause: &str| step(name, Outcome::failed(cause.to_owned()));
    let finished = [failed("law", "an edge"), step("tests", Outcome::Passed), failed("docs", "a link")];
    assert!(!passed(&finished, false));
    let text = summary(&finished, false);
    assert!(text.contains("failed: law (again with `cargo xtask ci --only law`)\n  an edge\n"), "{text}");
    assert!(text.contains("  a link\n"), "{text}");
}

/// Each step ends with its name and its seconds.
#[test]
fn a_step_ends_with_its_seconds() {
    assert_eq!(end_of_step(&step("fmt", Outcome::of(Vec::new()))), "== fmt: ok, 1.5 s\n");
    assert_eq!(end_of_step(&step("law", Outcome::of(vec!["an edge".into()]))), "an edge\n== law: FAILED, 1.5 s\n");
}

fn left_out() -> Finished {
    step("wasm32", Outcome::LeftOut { why: "no compiler".into(), remedy: "cargo xtask setup", needs: "Debian, root" })
}

fn step(name: &'static str, outcome: Outcome) -> Finished {
    Finished { name, outcome, took: Duration::from_millis(1500) }
}
