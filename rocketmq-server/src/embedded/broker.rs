//! One broker of an embedded cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::timeout;

use super::error::EmbeddedError;
use crate::broker::Broker;
use crate::clock::Shifted;
use crate::config::BrokerConfig;
use crate::faults::Faults;
use crate::node::{Node, NodeError};

/// The time that a stopping server waits for requests in flight: parked pulls would hold up every restart.
pub(super) const SHUTDOWN_WAIT: Duration = Duration::from_millis(100);
/// The time that a restart waits for its port.
const PORT_WITHIN: Duration = Duration::from_secs(3);
/// A broker on loopback registers within milliseconds; this only bounds what is broken.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// One broker of an embedded cluster. It keeps its address and its store through restarts.
#[derive(Debug)]
pub struct EmbeddedBroker {
    config: BrokerConfig,
    clock: Shifted,
    faults: Faults,
    address: SocketAddr,
    running: Mutex<Option<Node>>,
}

impl EmbeddedBroker {
    pub(super) async fn start(
        mut config: BrokerConfig,
        clock: Shifted,
        faults: Faults,
    ) -> Result<Self, EmbeddedError> {
        let node = started(&config, &clock, &faults).await?;
        let address = node.address();
        config.network.listen_port = address.port();
        Ok(Self { config, clock, faults, address, running: Mutex::new(Some(node)) })
    }

    /// Returns the address on which it listens. A restart keeps it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its name, as in routes.
    pub fn name(&self) -> &str {
        &self.config.settings.fixed.broker_name
    }

    /// Stops it in order, if it runs, and starts it again: on the same port, with the same store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// let address = cluster.broker().address();
    /// cluster.broker().kill().await; // as a crash: nothing is flushed
    /// cluster.broker().restart().await?;
    /// assert_eq!(cluster.broker().address(), address);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it cannot flush, or does not start again.
    pub async fn restart(&self) -> Result<(), EmbeddedError> {
        self.stop().await?;
        let node = started_again(&self.config, &self.clock, &self.faults).await?;
        *self.running.lock() = Some(node);
        Ok(())
    }

    /// Stops it in order and leaves it stopped. [`restart`](Self::restart) starts it again.
    ///
    /// # Errors
    /// When it cannot flush.
    pub async fn stop(&self) -> Result<(), EmbeddedError> {
        match self.take() {
            Some(node) => Ok(node.shutdown().await?),
            None => Ok(()),
        }
    }

    /// Stops it as a crash would: nothing is answered, saved or flushed. [`restart`](Self::restart) starts it again.
    pub async fn kill(&self) {
        if let Some(node) = self.take() {
            node.kill().await;
        }
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as a frozen process would.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// cluster.broker().pause(); // clients run into their timeouts
    /// cluster.broker().resume();
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        self.running.lock().iter().for_each(Node::pause);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.running.lock().iter().for_each(Node::resume);
    }

    /// Breaks the connections that are open.
    pub(super) fn disconnect(&self) {
        self.running.lock().iter().for_each(Node::disconnect);
    }

    /// Lets clients and their queue locks live through a jump of the clock.
    pub(super) fn before_jump(&self, by: Duration) {
        self.running.lock().iter().for_each(|node| node.broker().before_jump(by));
    }

    /// Looks at the broker; `None` while it does not run.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Broker) -> T) -> Option<T> {
        self.running.lock().as_ref().map(|node| at(node.broker()))
    }

    fn take(&self) -> Option<Node> {
        self.running.lock().take()
    }
}

/// Waits for a port that was ours a moment ago: a client's outgoing connection may have borrowed it.
async fn started_again(
    config: &BrokerConfig,
    clock: &Shifted,
    faults: &Faults,
) -> Result<Node, EmbeddedError> {
    let deadline = Instant::now() + PORT_WITHIN;
    loop {
        match started(config, clock, faults).await {
            Err(EmbeddedError::Broker(NodeError::Bind(error)))
                if error.is_in_use() && Instant::now() < deadline =>
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

async fn started(config: &BrokerConfig, clock: &Shifted, faults: &Faults) -> Result<Node, EmbeddedError> {
    let node = Node::start_with(config.clone(), Arc::new(clock.clone()), Some(faults)).await?;
    let registered = timeout(READY_WITHIN, node.registered()).await;
    registered.map_err(|_| EmbeddedError::NotRegistered(node.address()))?;
    Ok(node)
}
