//! What can be chosen when a store is opened.

use std::time::Duration;

/// How a store is opened; the default suits a host with one store in a database of its own.
#[derive(Debug, Clone)]
pub struct Options {
    /// The schema that holds the tables; it is created where it is missing and may hold several stores. 1 to 63 bytes.
    /// Default: `hhs`.
    pub schema: String,

    /// The store's name, which is that of its table. 1 to 63 bytes, not beginning with `hhs_`. Default: `store`.
    pub store: String,

    /// How many connections read at the same time; one more writes. Too low: reads wait for each other; too high: the
    /// server's `max_connections` (100 by default) runs out, and each connection costs it some megabytes. Default: 4, of
    /// which each answers some thousand look-ups a second.
    pub readers: usize,

    /// For how long a read or commit goes on trying while the server cannot be reached, and the longest that one
    /// statement of it may take. Too low: a restart of the server is an error; too high: callers hang when it is gone.
    /// The server also ends a transaction of ours that has stood still for this long, so that a host that has vanished
    /// does not keep the others from writing. Default: 30 s, in which a server restarts or a standby takes over.
    pub patience: Duration,

    /// With a configuration of rustls, connections are made with TLS or not at all, and the server must prove the host
    /// name in the connection string. Without: connections are plain, and a connection string that asks for TLS is
    /// refused. Default: none.
    #[cfg(feature = "tls")]
    pub tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: "hhs".to_owned(),
            store: "store".to_owned(),
            readers: 4,
            patience: Duration::from_secs(30),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}
