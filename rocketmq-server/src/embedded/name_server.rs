//! One name server of an embedded cluster.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::broker::SHUTDOWN_WAIT;
use super::error::EmbeddedError;
use crate::clock::{Clock, System};
use crate::config::NamesrvConfig;
use crate::namesrv::NameServer;

/// One name server of an embedded cluster. It keeps its address through restarts.
#[derive(Debug)]
pub struct EmbeddedNameServer {
    config: NamesrvConfig,
    address: SocketAddr,
    running: Mutex<Option<NameServer>>,
}

impl EmbeddedNameServer {
    pub(super) async fn start(settings: &str) -> Result<Self, EmbeddedError> {
        let mut config = NamesrvConfig::ephemeral();
        config.apply(settings)?;
        config.network.shutdown_wait = SHUTDOWN_WAIT;
        let server = NameServer::start(config.clone(), real_time()).await?;
        let address = server.address();
        config.network.listen_port = address.port();
        Ok(Self { config, address, running: Mutex::new(Some(server)) })
    }

    /// Returns the address on which it listens. A restart keeps it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, if it runs, and starts it again on the same port. It has forgotten every broker; they come back by
    /// themselves.
    ///
    /// # Errors
    /// When the port has been taken meanwhile.
    pub async fn restart(&self) -> Result<(), EmbeddedError> {
        self.stop().await;
        let server = NameServer::start(self.config.clone(), real_time()).await?;
        *self.running.lock() = Some(server);
        Ok(())
    }

    /// Stops it and leaves it stopped. [`restart`](Self::restart) starts it again.
    pub async fn stop(&self) {
        let server = self.running.lock().take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as a frozen process would.
    pub fn pause(&self) {
        self.running.lock().iter().for_each(NameServer::pause);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.running.lock().iter().for_each(NameServer::resume);
    }
}

fn real_time() -> Arc<dyn Clock> {
    Arc::new(System)
}
