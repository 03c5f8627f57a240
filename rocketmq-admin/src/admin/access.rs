//! [`Access`]: how to reach the servers, and as whom.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_client::client::ClientBuilder;
use rocketmq_client::{Client, Credentials};

/// Says how to reach the servers, and as whom. Default: plain connections, unsigned requests, answers within 5 s.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Access {
    /// Signs the requests.
    pub credentials: Option<Credentials>,
    /// Encrypts the connections.
    pub tls: bool,
    /// The time for each answer.
    pub timeout: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self { credentials: None, tls: false, timeout: Duration::from_secs(5) }
    }
}

impl Access {
    pub(crate) fn builder(self, name_servers: &str) -> ClientBuilder {
        let builder = Client::builder(name_servers);
        let builder = match self.credentials {
            Some(credentials) => builder.credentials(Arc::new(credentials)),
            None => builder,
        };
        #[cfg(feature = "tls")]
        let builder = match self.tls {
            true => builder.tls(rocketmq_client::TlsConfig::default()),
            false => builder,
        };
        builder
    }
}
