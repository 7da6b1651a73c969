//! `hhs replay`: real histories arrive whole in a second process, and files that are no histories are refused.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::program::{run, text};

fn history(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/dags").join(name)
}

fn replay(file: &Path, options: &[&str]) -> Output {
    run(&[&["replay", text(file)], options].concat(), b"")
}

/// The last line of `--json`, of a run that succeeded.
fn figures(file: &Path, options: &[&str]) -> Value {
    let output = replay(file, &[&["--json"], options].concat());
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, events) = lines.split_last().unwrap();
    assert!(events.iter().all(|event| event["event"].is_string()), "{out}");
    last.clone()
}

/// What a run says that failed.
fn failure(content: &[u8], options: &[&str]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let output = replay(file.path(), options);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{err}");
    err
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A history of one line after the other, by 48 people.
#[test]
fn the_history_of_redb_arrives_whole() {
    let figures = figures(&history("redb.dag.gz"), &[]);
    assert_eq!((&figures["ops"], &figures["authors"], &figures["merges"]), (&1691.into(), &48.into(), &0.into()));
    assert_eq!(figures["equal"], true);
    let keys: Vec<&String> = figures.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 10, "{keys:?}");
    for key in ["build_s", "sync_s", "ops_per_s", "wire_bytes_per_op"] {
        assert!(figures[key].as_f64().unwrap() > 0.0, "{key} in {figures}");
    }
    assert!(figures["wire_bytes_per_op"].as_f64().unwrap() < 600.0, "{figures}");
    if cfg!(target_os = "linux") {
        assert!(
            figures["peak_bytes_builder"].as_u64().unwrap() > 0 && figures["peak_bytes_fetcher"].as_u64().unwrap() > 0
        );
    }
}

/// A history with merges and two roots, by 206 people.
#[test]
fn the_history_of_quinn_arrives_whole() {
    let figures = figures(&history("quinn.dag.gz"), &[]);
    assert_eq!((&figures["ops"], &figures["authors"], &figures["merges"]), (&4234.into(), &206.into(), &3.into()));
    assert_eq!(figures["equal"], true);
}

/// The same people share five keys.
#[test]
fn folded_authors_write_with_few_keys() {
    let figures = figures(&history("redb.dag.gz"), &["--authors", "5"]);
    assert_eq!((&figures["ops"], &figures["authors"], &figures["equal"]), (&1691.into(), &5.into(), &true.into()));
}

/// People get lines that are aligned, and no trace of a terminal's control codes in a pipe.
#[test]
fn people_get_a_summary() {
    let output = replay(&history("redb.dag.gz"), &[]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert!(out.contains("ops              1,691\n") && out.contains("equal            yes"), "{out}");
    assert!(!out.contains('\x1b') && err.is_empty(), "{err}");
}

/// A download that broke off, a file that nobody has compressed, and nothing at all.
#[test]
fn a_damaged_file_is_refused() {
    let whole = std::fs::read(history("redb.dag.gz")).unwrap();
    let cut = failure(&whole[..whole.len() / 2], &["--json"]);
    assert!(cut.contains("cut short") && cut.contains("at line "), "{cut}");
    let plain = failure(b"0 0\n", &[]);
    assert!(plain.contains("at line 1") && plain.contains("not a gzip file"), "{plain}");
    let empty = failure(&gzip(b""), &[]);
    assert!(empty.contains("nothing to replay"), "{empty}");
}

/// Lines that no history has: the error names the line and what is wrong with it.
#[test]
fn a_hostile_line_is_refused_and_named() {
    let cases: [(&[u8], &str); 6] = [
        (b"0 0\n0 1 7\n", "line 2: its parent 7 is not the number of an earlier op"),
        (b"0 0\n0 1 0 0\n", "line 2: its parent 0 is named twice"),
        (b"0 0\n\n", "line 2: \"\" is not an integer"),
        (b"zero 0\n", "line 1: \"zero\" is not an integer"),
        (b"0 \xff\n", "line 1: it is not UTF-8 text"),
        (&[b'7'; 1 << 20], "line 1: it has more than 1000 bytes"),
    ];
    for (text, expected) in cases {
        let err = failure(&gzip(text), &["--json"]);
        assert!(err.contains(expected), "{err}");
    }
}

/// More authors than a genesis can list: the error says how to fold them.
#[test]
fn too_many_authors_are_refused() {
    let text: String = (1..16_385).map(|author| format!("{author} 0 {}\n", author - 1)).collect();
    let text = format!("0 0\n{text}");
    let err = failure(&gzip(text.as_bytes()), &[]);
    assert!(err.contains("--authors"), "{err}");
    assert!(failure(&gzip(b"0 0\n"), &["--authors", "0"]).contains("--authors"));
}

/// There is no such file.
#[test]
fn a_missing_file_is_named() {
    let output = replay(Path::new("nowhere/none.dag.gz"), &[]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && err.contains("nowhere/none.dag.gz"), "{err}");
}

/// Somebody who runs the second process by hand, or whose first process was killed: it does not wait for ever.
#[test]
fn a_second_process_that_nobody_waits_for_ends() {
    let folder = tempfile::tempdir().unwrap();
    let id = "bafyreigykyuzo3u35hxykqebetz76ln3jyjsy5cis2sslo6r4f2zmcjbcm";
    let address = format!("quic://127.0.0.1:9/{id}/{id}");
    let output = run(&["replay", "--fetch", &address, "--store", text(&folder.path().join("store"))], b"");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && err.contains("the process that started it is gone"), "{err}");
}
