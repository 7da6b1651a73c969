//! Connections: what a connection string means, how each session is set up, and the pools that keep them.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};

use crate::error::Failure;
use crate::options::Options;

/// Where a store is, and how its sessions are made.
#[derive(Debug)]
pub(crate) struct Connector {
    config: Config,
    options: Options,
}

impl Connector {
    /// Understands a connection string; it connects to nothing yet.
    pub(crate) fn new(connection: &str, options: &Options) -> Result<Self, Failure> {
        let mut config: Config = connection.parse().map_err(|error| unusable(Unusable::String(error)))?;
        settle_encryption(&mut config, options)?;
        if config.get_application_name().is_none() {
            config.application_name("hhs");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(options.patience);
        }
        // A server that is gone without a word is noticed as soon as one that says so.
        config.keepalives_idle(config.get_keepalives_idle().min(options.patience));
        // A standby has less than what was acknowledged.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, options: options.clone() })
    }

    /// Connections for reading.
    pub(crate) fn readers(&self) -> Result<Pool, Failure> {
        let patience = self.options.patience.as_millis();
        self.pool(self.options.readers.max(1), format!("SET statement_timeout = {patience}"))
    }

    /// The one connection for writing.
    ///
    /// It has no time-out for statements: one that hits a commit that waits for a standby would have it acknowledged
    /// although the standby does not have it.
    pub(crate) fn writer(&self) -> Result<Pool, Failure> {
        let durable = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";
        self.pool(1, format!("SET statement_timeout = 0; {durable}"))
    }

    /// The server, the database and the table, for messages; never the password.
    pub(crate) fn place(&self) -> String {
        let server = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "?".to_owned(),
        };
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or("?");
        let Options { schema, store, .. } = &self.options;
        format!("{schema}.{store} in the database {database} on {server}")
    }

    fn pool(&self, size: usize, settings: String) -> Result<Pool, Failure> {
        let patience = self.options.patience.as_millis();
        // Every statement wants the order of the primary key, or single rows by it: sorting a range to read its first
        // page, which the planner otherwise prefers now and then, reads all of it.
        let settings = format!(
            "{settings}; SET lock_timeout = {patience}; SET idle_in_transaction_session_timeout = {patience}; \
             SET enable_sort = off; SET enable_bitmapscan = off; SET jit = off"
        );
        let settings: Arc<str> = settings.into();
        let set_up = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let settings = Arc::clone(&settings);
            Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(self.manager()).max_size(size).runtime(Runtime::Tokio1).post_create(set_up);
        pool.build().map_err(|error| Failure::Io("connect", Arc::new(error)))
    }

    fn manager(&self) -> Manager {
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.options.tls {
            let tls = tokio_postgres_rustls::MakeRustlsConnect::new(rustls::ClientConfig::clone(tls));
            return Manager::from_config(self.config.clone(), tls, how);
        }
        Manager::from_config(self.config.clone(), NoTls, how)
    }
}

/// Encrypted or plain, but never whichever the other side likes: what a connection may fall back to, an attacker gets.
fn settle_encryption(config: &mut Config, options: &Options) -> Result<(), Failure> {
    #[cfg(feature = "tls")]
    if options.tls.is_some() {
        config.ssl_mode(SslMode::Require);
        return Ok(());
    }
    let _ = options;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(unusable(Unusable::Encryption));
    }
    config.ssl_mode(SslMode::Disable);
    Ok(())
}

fn unusable(why: Unusable) -> Failure {
    Failure::Io("use its connection string", Arc::new(why))
}

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{}; the form is postgresql://USER:PASSWORD@HOST/DATABASE", explain(.0))]
    String(tokio_postgres::Error),
    #[error("it asks for TLS: give `Options::tls` (feature `tls`), or leave `sslmode` out")]
    Encryption,
}

fn explain(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// How long one attempt to connect takes at most, where the connection string does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
