//! A cluster in this process.

use std::time::Duration;

use tempfile::TempDir;

use super::broker::EmbeddedBroker;
use super::error::EmbeddedError;
use super::name_server::EmbeddedNameServer;
#[cfg(feature = "tls")]
use crate::certificates::Certificates;
use crate::clock::Shifted;
use crate::faults::Faults;

/// A cluster in this process: name servers and brokers on loopback ports that the system chooses.
///
/// Dropping it stops everything at once and removes the store, unless [`EmbeddedBuilder::store`](crate::EmbeddedBuilder::store) chose the folder.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
/// let cluster = rocketmq_server::Embedded::start().await?;
/// println!("export NAMESRV_ADDR={}", cluster.name_server());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Embedded {
    pub(super) brokers: Vec<EmbeddedBroker>,
    pub(super) name_servers: Vec<EmbeddedNameServer>,
    pub(super) clock: Shifted,
    pub(super) faults: Faults,
    #[cfg(feature = "tls")]
    pub(super) certificates: Option<Certificates>,
    // After the brokers: they must be gone before their folder is.
    pub(super) _folder: Option<TempDir>,
}

impl Embedded {
    /// Returns the addresses of the name servers, joined by semicolons. Clients call this `namesrvAddr`.
    pub fn name_server(&self) -> String {
        let addresses: Vec<_> = self.name_servers.iter().map(|server| server.address().to_string()).collect();
        addresses.join(";")
    }

    /// The name servers, one by one.
    pub fn name_servers(&self) -> &[EmbeddedNameServer] {
        &self.name_servers
    }

    /// The first broker.
    pub fn broker(&self) -> &EmbeddedBroker {
        // `EmbeddedBuilder::brokers` holds the number to at least one.
        &self.brokers[0]
    }

    /// Every broker.
    pub fn brokers(&self) -> &[EmbeddedBroker] {
        &self.brokers
    }

    /// The certificates of a cluster that [`EmbeddedBuilder::tls`](crate::EmbeddedBuilder::tls) encrypts: whom to trust, and what to show.
    #[cfg(feature = "tls")]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Moves the brokers' time forward: what is due within `by` (delay levels, timers, check-backs, lock expiry)
    /// becomes due now. Between two calls time passes as usual.
    ///
    /// Name servers keep to real time, to which a jump of hours would look like brokers that fell silent for hours. So
    /// would clients to the brokers, which therefore let clients and their queue locks live through it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// use std::time::Duration;
    /// use rocketmq_server::clock::Clock as _;
    ///
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// let before = cluster.clock().now_ms();
    /// cluster.advance(Duration::from_secs(7200));
    /// assert!(cluster.clock().now_ms() >= before + 7_200_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&self, by: Duration) {
        for broker in &self.brokers {
            broker.before_jump(by);
        }
        self.clock.advance(by);
    }

    /// Returns the clock that [`advance`](Self::advance) moves. Give it to a client that shall live in the same time.
    pub fn clock(&self) -> Shifted {
        self.clock.clone()
    }

    /// Stops brokers, then name servers, in order; every message is on disk when it returns.
    ///
    /// # Errors
    /// When a broker cannot flush.
    pub async fn shutdown(self) -> Result<(), EmbeddedError> {
        for broker in &self.brokers {
            broker.stop().await?;
        }
        for server in &self.name_servers {
            server.stop().await;
        }
        Ok(())
    }
}
