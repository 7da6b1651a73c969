//! A PostgreSQL server of our own: its folder is temporary, its socket private, and it ends with the test program however
//! that ends.
//!
//! A shell holds it: it reads from a pipe that only the test program writes to, and stops the server and deletes the
//! folder when the pipe closes. The system closes it for a program that panics or is killed, too.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use hhs_store_postgres::{Options, PostgresBackend};
use tokio_postgres::NoTls;

/// The server that most tests share. It does not flush: what is lost with the machine is lost with the tests.
pub(crate) static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(&["fsync=off", "max_connections=300"]));

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    binaries: PathBuf,
    account: Option<(u32, u32)>,
    settings: Vec<String>,
    holder: Child,
}

impl Server {
    /// Makes a new database cluster and starts it with these settings.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed, or does not start.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let server = Self::create(settings);
        server.up();
        server
    }

    /// Makes a new database cluster that is not started yet.
    pub(crate) fn create(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let (binaries, account) = (find_binaries(), account());
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut holder = command(Path::new("sh"), &folder, account);
        // What ends the test program by its group, as Ctrl-C does, must not end this first.
        holder.process_group(0);
        holder.arg("-c").arg(HOLD).arg(binaries.join("pg_ctl")).arg(&folder);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // The shell must hold the server before there is one.
        let mut ready = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");

        let settings = settings.iter().map(ToString::to_string).collect();
        let server = Self { folder, binaries, account, settings, holder };
        let data = server.data();
        let create =
            ["--auth=trust", "--username=hhs", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata", &data];
        server.run("initdb", &create);
        server
    }

    /// Makes it wait for a primary that never comes, so that it is starting until it is promoted.
    pub(crate) fn become_standby(&self) {
        let signal = self.folder.join("data/standby.signal");
        std::fs::write(&signal, "").unwrap();
        self.hand_over(&signal);
    }

    /// Starts it, again or for the first time.
    pub(crate) fn up(&self) {
        self.start_up("--wait");
    }

    /// Starts it without waiting until it takes connections.
    pub(crate) fn up_without_waiting(&self) {
        self.start_up("--no-wait");
    }

    /// Ends its being a standby.
    pub(crate) fn promote(&self) {
        self.run("pg_ctl", &["promote", "--no-wait", "--pgdata", &self.data()]);
    }

    /// Until its log has that text.
    pub(crate) fn wait_until_it_says(&self, text: &str) {
        while !std::fs::read_to_string(self.folder.join("log")).unwrap_or_default().contains(text) {
            std::thread::yield_now();
        }
    }

    fn start_up(&self, wait: &str) {
        let socket = format!("-c listen_addresses='' -c unix_socket_directories='{}'", self.folder.display());
        let settings = self.settings.iter().fold(socket, |all, setting| format!("{all} -c {setting}"));
        let log = self.folder.join("log").display().to_string();
        self.run("pg_ctl", &["start", wait, "--pgdata", &self.data(), "--log", &log, "--options", &settings]);
    }

    /// Stops it as a crash would: without a word to anybody, and it has to recover.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["stop", "--wait", "--mode=immediate", "--pgdata", &self.data()]);
    }

    /// Stops it as an administrator would who does not wait for clients.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["stop", "--wait", "--mode=fast", "--pgdata", &self.data()]);
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives a file in its folder to the account that it runs under, readable for nobody else.
    pub(crate) fn hand_over(&self, file: &Path) {
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        if let Some((user, group)) = self.account {
            chown(file, Some(user), Some(group)).unwrap();
        }
    }

    /// The connection string.
    pub(crate) fn address(&self) -> String {
        address(&self.folder)
    }

    /// Opens the store of that name, in a schema of that name.
    pub(crate) async fn open(&self, name: &str) -> PostgresBackend {
        PostgresBackend::open(&self.address(), &named(name)).await.unwrap()
    }

    /// Does something as an administrator.
    pub(crate) async fn administer(&self, sql: &str) {
        self.administer_in("postgres", sql).await;
    }

    /// Does something as an administrator in another database.
    pub(crate) async fn administer_in(&self, database: &str, sql: &str) {
        let address = self.address().replace("dbname=postgres", &format!("dbname={database}"));
        let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = command(&self.binaries.join(program), &self.folder, self.account);
        // Not our own streams: the server would keep them open.
        let status = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.unwrap().success(), "{program} {arguments:?} failed; the server's log: {log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}

/// The connection string for the server whose socket is in `folder`.
pub(crate) fn address(folder: &Path) -> String {
    format!("host={} user=hhs dbname=postgres", folder.display())
}

/// Options for a store that no other test has.
pub(crate) fn named(name: &str) -> Options {
    Options { schema: name.to_owned(), ..Options::default() }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The folder of the server's programs: that of `initdb` on the PATH, or the newest of those that Debian installs.
fn find_binaries() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = env::split_paths(&path).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path()).collect();
    debian.sort_by_key(|version| version.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    places.extend(debian.into_iter().rev().map(|version| version.join("bin")));
    let complete = |place: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| place.join(name).is_file());
    places.into_iter().find(complete).expect(
        "PostgreSQL is not installed, and these tests start a server of their own: run `cargo xtask setup` \
         (Debian, root), or install your system's package so that `initdb` is on the PATH",
    )
}

/// Whom the server runs as, where this is root: the server refuses to.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |user| Some((id(&["-u", user])?, id(&["-g", user])?));
    Some(of("postgres").or_else(|| of("nobody")).expect("root needs an account `postgres` or `nobody` for the server"))
}

fn command(program: &Path, folder: &Path, account: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    // Messages are compared, and the working directory may be closed to the account.
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((user, group)) = account {
        command.gid(group).uid(user);
    }
    command
}

/// `$0` is `pg_ctl`, `$1` the folder. It reads until the test program has ended.
const HOLD: &str = r#"
    trap '' HUP INT TERM
    echo ready
    cat
    "$0" stop --wait --mode=immediate --pgdata "$1/data"
    rm -rf "$1"
"#;
