//! `hhs demo`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{hhs, run};

/// A newcomer's first command: it tells the story in order and ends well, with three equal stores.
#[test]
fn the_demo_ends_with_three_equal_stores() {
    let directory = tempfile::tempdir().unwrap();
    let output = hhs().args(["demo", "--json"]).env("TMPDIR", directory.path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();

    assert_eq!((of("joined").len(), of("killed").len(), of("diverged").len()), (2, 1, 1));
    let alone = of("said").into_iter().filter(|said| said["reached"] == Value::Array(Vec::new())).count();
    assert_eq!((of("said").len(), alone), (9, 2), "somebody wrote while nobody could hear it");
    let reunited = of("reunited")[0];
    assert_eq!((&reunited["ops_received"], &reunited["ops_sent"]), (&3.into(), &2.into()));
    assert!(reunited["bytes"].as_u64().unwrap() > 1000);
    let checked: Vec<_> =
        of("checked").iter().map(|store| (&store["messages"], &store["ops"], &store["heads"])).collect();
    assert_eq!(checked.len(), 3);
    assert!(checked.iter().all(|store| *store == checked[0]), "{checked:?}");
    assert_eq!(of("reads").len(), 9);
    assert_eq!(events.last().unwrap()["equal"], true);
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "no stores are left behind");
}

/// The same for people, piped into a file: plain text.
#[test]
fn piped_the_demo_is_plain_text() {
    let output = run(&["demo"], b"");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\x1b') && text.contains("✓") && text.contains("kill -9"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

/// Somebody presses Ctrl-C in the middle: the processes end, nothing is left behind, and the exit says that it was not
/// the whole story.
#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = hhs();
    command.args(["demo", "--json"]).env("TMPDIR", directory.path());
    let mut demo = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("diverged")));
    // The pipe ends when nobody has it any more.
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    assert!(lines.all(|line| line.is_ok()));
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "no stores are left behind");
}

/// Somebody kills one of the three: the demo says whose process has ended, ends the others, and leaves nothing behind.
#[cfg(unix)]
#[test]
fn a_process_of_the_demo_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = hhs();
    command.args(["demo", "--json"]).env("TMPDIR", directory.path());
    let mut demo = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let cleo = lines.find_map(|line| {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        (event["person"] == "Cleo").then(|| event["process"].to_string())
    });
    assert!(Command::new("kill").args(["-KILL", &cleo.unwrap()]).status().unwrap().success());
    assert!(lines.all(|line| line.is_ok()));
    let output = demo.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("the process of Cleo"), "{errors}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "no stores are left behind");
}
