//! What lies between a host and the server: a socket that passes everything on, until it loses a `COMMIT` or its answer.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;

use crate::server;

/// What happens to the next `COMMIT`.
#[derive(Debug)]
pub(crate) enum Loss {
    /// It does not arrive, and the connection ends on both sides.
    Request,
    /// It arrives, and the connection ends before its answer.
    Answer,
    /// The connection ends for the host; the server gets the `COMMIT` when the sender says so.
    Late(oneshot::Receiver<()>),
    /// It does not arrive, and nobody is told that the connection is dead.
    Silence,
}

/// A socket like the server's. It goes on as long as the runtime of the test does.
pub(crate) struct Proxy {
    folder: TempDir,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    loss: Mutex<Option<Loss>>,
    /// Whether the loss also makes the server unreachable.
    and_down: AtomicBool,
    down: AtomicBool,
    /// Bytes from the server.
    received: AtomicU64,
}

impl Proxy {
    /// A proxy before the server whose socket is in the folder `server`.
    pub(crate) fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = Arc::new(Shared::default());
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (server, accepting) = (server.join(SOCKET), Arc::clone(&shared));
        tokio::spawn(async move {
            loop {
                let (host, _) = listener.accept().await.unwrap();
                if accepting.down.load(Ordering::Acquire) {
                    continue;
                }
                if let Ok(server) = UnixStream::connect(&server).await {
                    tokio::spawn(carry(host, server, Arc::clone(&accepting)));
                }
            }
        });
        Self { folder, shared }
    }

    /// The connection string.
    pub(crate) fn address(&self) -> String {
        server::address(self.folder.path())
    }

    /// Loses the next `COMMIT`.
    pub(crate) fn lose(&self, loss: Loss) {
        *self.shared.loss.lock().unwrap() = Some(loss);
    }

    /// Loses the next `COMMIT`, and the server cannot be reached from then on.
    pub(crate) fn lose_and_stay_down(&self, loss: Loss) {
        self.shared.and_down.store(true, Ordering::Release);
        self.lose(loss);
    }

    /// Lets connections through again.
    pub(crate) fn come_back(&self) {
        self.shared.and_down.store(false, Ordering::Release);
        self.shared.down.store(false, Ordering::Release);
    }

    /// Whether the loss that was asked for has happened.
    pub(crate) fn has_lost(&self) -> bool {
        self.shared.loss.lock().unwrap().is_none()
    }

    /// How many bytes the server has sent so far.
    pub(crate) fn received(&self) -> u64 {
        self.shared.received.load(Ordering::Relaxed)
    }
}

/// Passes on both ways until either side ends the connection or it is lost.
async fn carry(host: UnixStream, server: UnixStream, shared: Arc<Shared>) {
    let (mut from_host, to_host) = host.into_split();
    let (from_server, mut to_server) = server.into_split();
    let fate = Arc::new(Mutex::new(Fate::Arrives));
    let answers = answers(from_server, to_host, Arc::clone(&shared), Arc::clone(&fate));
    let mut answers = tokio::spawn(answers);
    let mut bytes = vec![0; 1 << 16];
    loop {
        let read = tokio::select! {
            read = from_host.read(&mut bytes) => read,
            _ = &mut answers => return,
        };
        let Ok(count @ 1..) = read else { break };
        let message = &bytes[..count];
        let loss = if contains(message, COMMIT) { shared.loss.lock().unwrap().take() } else { None };
        if loss.is_some() && shared.and_down.load(Ordering::Acquire) {
            shared.down.store(true, Ordering::Release);
        }
        match loss {
            Some(Loss::Request) => break,
            Some(Loss::Answer) => *fate.lock().unwrap() = Fate::EndsAtCommit,
            Some(Loss::Late(signal)) => {
                answers.abort();
                drop(from_host);
                let _ = signal.await;
                to_server.write_all(message).await.unwrap();
                return;
            }
            Some(Loss::Silence) => {
                *fate.lock().unwrap() = Fate::IsLost;
                std::future::pending().await
            }
            None => {}
        }
        if to_server.write_all(message).await.is_err() {
            break;
        }
    }
    answers.abort();
}

async fn answers(
    mut from_server: OwnedReadHalf,
    mut to_host: OwnedWriteHalf,
    shared: Arc<Shared>,
    fate: Arc<Mutex<Fate>>,
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
        shared.received.fetch_add(count as u64, Ordering::Relaxed);
        let message = &bytes[..count];
        let fate = *fate.lock().unwrap();
        match fate {
            Fate::Arrives if to_host.write_all(message).await.is_err() => return,
            Fate::EndsAtCommit if contains(message, COMMIT) => return,
            _ => {}
        }
    }
    if *fate.lock().unwrap() == Fate::IsLost {
        std::future::pending().await
    }
}

/// What becomes of what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    /// Nothing arrives any more, and the connection ends where the server has committed.
    EndsAtCommit,
    IsLost,
}

fn contains(message: &[u8], word: &[u8]) -> bool {
    message.windows(word.len()).any(|window| window == word)
}

/// The statement, and the word with which the server reports that it is done; not a part of `READ COMMITTED`.
const COMMIT: &[u8] = b"COMMIT\0";
const SOCKET: &str = ".s.PGSQL.5432";
