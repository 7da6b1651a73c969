//! A process that is killed while it works: this test binary again, asked for one test with a path in its environment.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A process that says words about what it has done.
pub(crate) struct Process {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts the test of this name with a path to work on.
    pub(crate) fn start(test: &str, path: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(PATH, path);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next word; none when the process has ended.
    pub(crate) fn next_word(&mut self) -> Option<String> {
        let mut words = self.lines.by_ref().map_while(Result::ok);
        words.find_map(|line| line.strip_prefix(MARK).map(str::to_owned))
    }

    /// Kills it and returns what it had still said. The last word may be cut off.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::iter::from_fn(|| self.next_word()).collect()
    }
}

/// In such a process: what it is to work on. None where its test runs by itself.
pub(crate) fn path() -> Option<PathBuf> {
    env::var_os(PATH).map(|path: OsString| path.into())
}

/// In such a process: says a word.
pub(crate) fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    // A line of its own: the test runner writes to the same place.
    write!(out, "\n{MARK}{what}\n").and_then(|()| out.flush()).unwrap();
}

const PATH: &str = "HHS_STORE_REDB_KILL_PATH";
const MARK: &str = "~ ";
