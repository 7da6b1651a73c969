//! Small traces, right and doctored.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

const SEQUENTIAL: &str = r#"{"startContent":"été","endContent":"été 🏖!","txns":[
    {"patches":[[3,0," mer"]]},{"patches":[[4,3,"🏖"],[5,0,"!"]]}]}"#;

/// Two agents type into the same word at a time; then one of them, who has seen both, erases.
const CONCURRENT: &str = r#"{"endContent":"xaybc","numAgents":2,"txns":[
    {"parents":[],"agent":0,"patches":[[0,0,"abc"]]},
    {"parents":[0],"agent":0,"patches":[[0,0,"x"]]},
    {"parents":[0],"agent":1,"patches":[[1,0,"y"],[2,0,"z"]]},
    {"parents":[1,2],"agent":1,"patches":[[3,1,""]]}]}"#;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Both formats end with the content that they name, from the ops and from the checkpoint; a gzipped file is the same file.
#[test]
fn a_trace_ends_as_it_says() {
    let files = Files::new();
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(CONCURRENT.as_bytes()).unwrap();
    let traces = [
        (files.write("one.json", SEQUENTIAL.as_bytes()), "sequential", 3, 1),
        (files.write("two.json", CONCURRENT.as_bytes()), "concurrent", 5, 4),
        (files.write("three.json.gz", &zipped.finish().unwrap()), "concurrent", 5, 4),
    ];
    for (file, form, edits, ops) in traces {
        let ran = ran(&file).unwrap();
        assert!(ran.agrees, "{ran:?}");
        assert_eq!((ran.form, ran.edits, ran.ops), (form, edits, ops));
    }
}

/// A file that says another content at its end, or that is no trace, fails the run, whatever else is in it.
#[test]
fn a_doctored_file_fails_the_run() {
    let files = Files::new();
    let right = files.write("right.json", SEQUENTIAL.as_bytes());
    let wrong = [
        files.write("end.json", SEQUENTIAL.replace("🏖!\"", "🏖\"").as_bytes()),
        files.write("edit.json", CONCURRENT.replace("\"y\"", "\"Y\"").as_bytes()),
        files.write("beyond.json", CONCURRENT.replace("[3,1,", "[300,1,").as_bytes()),
        files.write("cut.json", &CONCURRENT.as_bytes()[..50]),
        files.0.path().join("missing.json"),
    ];
    let exit = |files: &[PathBuf]| format!("{:?}", run(files, true).unwrap());
    assert_eq!(exit(std::slice::from_ref(&right)), format!("{:?}", ExitCode::SUCCESS));
    for file in wrong {
        let shown = file.display().to_string();
        assert_eq!(exit(&[right.clone(), file]), format!("{:?}", ExitCode::FAILURE), "{shown}");
    }
}
