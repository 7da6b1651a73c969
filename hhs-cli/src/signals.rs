//! Ctrl-C and the signals that ask a program to end.

use std::io;

/// The signals that ask to end: SIGINT (Ctrl-C) and SIGTERM; on Windows Ctrl-C.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on these signals no longer end the program by themselves.
    ///
    /// # Errors
    /// If the system refuses.
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next of them. Safe to cancel.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Does nothing yet.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next of them. Safe to cancel.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        // Without a handler the system ends the program, which loses nothing either.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends the program at the second signal from now on, whatever it is doing.
///
/// # Errors
/// If the system refuses.
pub(crate) fn exit_at_the_second() -> io::Result<()> {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        signals.next().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}

/// What shells report of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;
