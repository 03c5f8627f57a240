//! The shape of an embedded cluster, and its start.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::broker::{EmbeddedBroker, SHUTDOWN_WAIT};
use super::cluster::Embedded;
use super::error::EmbeddedError;
use super::name_server::EmbeddedNameServer;
#[cfg(feature = "tls")]
use crate::certificates::Certificates;
use crate::clock::Shifted;
use crate::config::BrokerConfig;
#[cfg(feature = "tls")]
use crate::config::TlsMode;
use crate::faults::Faults;

impl Embedded {
    /// One name server and one broker with a temporary store, ready to send to.
    ///
    /// # Errors
    /// When the temporary folder, a port or the store is not to be had.
    pub async fn start() -> Result<Self, EmbeddedError> {
        Self::builder().start().await
    }

    /// Returns a builder for a cluster with a shape of its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::builder()
    ///     .brokers(2)
    ///     .name_servers(2)
    ///     .set("autoCreateTopicEnable", false)
    ///     .start()
    ///     .await?;
    /// assert_eq!(cluster.brokers()[1].name(), "broker-b");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> EmbeddedBuilder {
        EmbeddedBuilder::default()
    }
}

/// The shape of an embedded cluster.
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct EmbeddedBuilder {
    brokers: usize,
    name_servers: usize,
    store: Option<PathBuf>,
    settings: String,
    /// Those of the network, which the name servers take too.
    tls_settings: String,
    #[cfg(feature = "tls")]
    tls: Option<TlsMode>,
}

impl Default for EmbeddedBuilder {
    fn default() -> Self {
        Self {
            brokers: 1,
            name_servers: 1,
            store: None,
            settings: String::new(),
            tls_settings: String::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl EmbeddedBuilder {
    /// Sets the number of brokers, named `broker-a`, `broker-b`, … Default, and least: one.
    pub fn brokers(mut self, count: usize) -> Self {
        self.brokers = count.max(1);
        self
    }

    /// Sets the number of name servers. Every broker registers with each of them. Default, and least: one.
    pub fn name_servers(mut self, count: usize) -> Self {
        self.name_servers = count.max(1);
        self
    }

    /// Keeps the brokers' stores in `folder`, one folder each below it, and leaves them there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let folder = tempfile::tempdir()?;
    /// let cluster = rocketmq_server::Embedded::builder().store(folder.path()).start().await?;
    /// cluster.shutdown().await?;
    /// assert!(folder.path().join("broker-a").is_dir());
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Self {
        self.store = Some(folder.into());
        self
    }

    /// Answers a send only when the message is on disk.
    pub fn sync_flush(self) -> Self {
        self.set("flushDiskType", "SYNC_FLUSH")
    }

    /// Serves over TLS, with certificates made up for this cluster ([`Embedded::certificates`]); brokers register over it
    /// and verify their name servers. In mode [`Enforcing`](TlsMode::Enforcing) nothing else is served.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, mode: TlsMode) -> Self {
        self.tls = Some(mode);
        self
    }

    /// Sets one of the brokers' settings, under Apache's name: `set("transactionCheckMax", 3)`. Those that begin with
    /// `tls.` are the name servers' too.
    pub fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let settings = if key.starts_with("tls.") { &mut self.tls_settings } else { &mut self.settings };
        settings.push_str(&format!("{key}={value}\n"));
        self
    }

    /// Makes certificates if they are wanted, and puts them into the settings, before those that the caller set.
    #[cfg(feature = "tls")]
    fn certify(&mut self) -> Result<Option<Certificates>, EmbeddedError> {
        let Some(mode) = self.tls else { return Ok(None) };
        let made = Certificates::make()?;
        let ((server, server_key), (client, client_key)) = (made.server(), made.client());
        let files = [
            ("tls.server.certPath", server),
            ("tls.server.keyPath", server_key),
            ("tls.server.trustCertPath", made.authority()),
            ("tls.client.certPath", client),
            ("tls.client.keyPath", client_key),
            ("tls.client.trustCertPath", made.authority()),
        ];
        let lines = files.map(|(key, path)| format!("{key}={}\n", path.display())).concat();
        self.tls_settings.insert_str(
            0,
            &format!("tls.server.mode={}\ntls.enable={}\n{lines}", mode.word(), mode != TlsMode::Disabled),
        );
        Ok(Some(made))
    }

    /// Starts everything and waits until the name servers know the brokers.
    ///
    /// # Errors
    /// When a setting is wrong, or a folder, a port or the store is not to be had.
    #[cfg_attr(not(feature = "tls"), expect(unused_mut, reason = "certificates go into the settings"))]
    pub async fn start(mut self) -> Result<Embedded, EmbeddedError> {
        #[cfg(feature = "tls")]
        let certificates = self.certify()?;
        let (root, folder) = self.folder()?;
        let (clock, faults) = (Shifted::default(), Faults::default());
        let mut name_servers = Vec::new();
        for _ in 0..self.name_servers {
            name_servers.push(EmbeddedNameServer::start(&self.tls_settings).await?);
        }
        let addresses: Vec<_> = name_servers.iter().map(|server| server.address().to_string()).collect();
        let mut brokers = Vec::new();
        for index in 0..self.brokers {
            let config = self.broker_config(&root, index, &addresses)?;
            brokers.push(EmbeddedBroker::start(config, clock.clone(), faults.clone()).await?);
        }
        Ok(Embedded {
            brokers,
            name_servers,
            clock,
            faults,
            #[cfg(feature = "tls")]
            certificates,
            _folder: folder,
        })
    }

    fn folder(&self) -> Result<(PathBuf, Option<TempDir>), EmbeddedError> {
        match &self.store {
            Some(chosen) => Ok((chosen.clone(), None)),
            None => {
                let folder = tempfile::Builder::new().prefix("rocketmq-").tempdir()?;
                Ok((folder.path().to_owned(), Some(folder)))
            }
        }
    }

    fn broker_config(
        &self,
        root: &Path,
        index: usize,
        name_servers: &[String],
    ) -> Result<BrokerConfig, EmbeddedError> {
        let name = broker_name(index);
        let mut config = BrokerConfig::loopback(root.join(&name));
        config.settings.fixed.broker_name = name;
        config.network.shutdown_wait = SHUTDOWN_WAIT;
        config.name_servers = name_servers.to_vec();
        let notes = config.apply(&format!("{}{}", self.settings, self.tls_settings))?;
        // In a file a setting without effect is a warning; in a test it is a test that does not test.
        match notes.warnings().into_iter().next() {
            Some(warning) => Err(EmbeddedError::Setting(warning)),
            None => Ok(config),
        }
    }
}

/// `broker-a` to `broker-z`, then numbers.
fn broker_name(index: usize) -> String {
    match u8::try_from(index) {
        Ok(letter) if letter < 26 => format!("broker-{}", char::from(b'a' + letter)),
        _ => format!("broker-{index}"),
    }
}
