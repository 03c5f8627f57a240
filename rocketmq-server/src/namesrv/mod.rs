//! The name server. Brokers register here, and clients ask here for the route of a topic.
//!
//! It keeps everything but the key-value configuration in memory. Name servers do not know each other: a broker
//! registers with each of them.

mod admin;
mod expire;
mod handler;
mod kv;
mod leaving;
mod lists;
mod registering;
mod routes;
mod routing;
mod state;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::NamesrvConfig;
use crate::net::{BindError, Listener, Security, SecurityError, Server};
use handler::Dispatcher;
use kv::KvConfig;
use state::State;

/// Tells why a name server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NamesrvError {
    /// It cannot listen at its address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its encryption cannot be set up.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Its key-value configuration cannot be read.
    #[error("cannot read the key-value configuration {}: {source}; repair or remove the file", path.display())]
    KvConfig {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or the parser.
        source: io::Error,
    },
}

/// A running name server. Dropping it is like [`kill`](Self::kill).
#[derive(Debug)]
pub struct NameServer {
    server: Arc<Server>,
    stop: CancellationToken,
}

impl NameServer {
    /// Binds the address, reads the key-value configuration and serves. Needs a tokio runtime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rocketmq_server::clock::System;
    /// use rocketmq_server::config::NamesrvConfig;
    /// use rocketmq_server::namesrv::NameServer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = NamesrvConfig::ephemeral(); // a port that the system chooses, and nothing on disk
    /// let server = NameServer::start(config, Arc::new(System)).await?;
    /// println!("export NAMESRV_ADDR={}", server.address());
    /// server.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the address is taken, the encryption cannot be set up, or the key-value configuration exists and cannot
    /// be read.
    pub async fn start(config: NamesrvConfig, clock: Arc<dyn Clock>) -> Result<Self, NamesrvError> {
        let kv = KvConfig::open(config.kv_path.clone()).map_err(|source| NamesrvError::KvConfig {
            path: config.kv_path.clone().unwrap_or_default(),
            source,
        })?;
        let network = config.network.clone();
        let security = Security::load(&network.tls)?;
        let listener = Listener::bind(network.bind_address, network.listen_port).await?.secured(security);
        let state = Arc::new(State::new(config, kv, clock));
        let server = Arc::new(listener.serve(Arc::new(Dispatcher::new(state.clone())), &network));
        let stop = CancellationToken::new();
        tokio::spawn(expire::watch(state, Arc::downgrade(&server), stop.clone()));
        Ok(Self { server, stop })
    }

    /// Returns the address to dial, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops answering until [`resume`](Self::resume), like a frozen process.
    pub fn pause(&self) {
        self.server.pause();
    }

    /// Continues after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.server.resume();
    }

    /// Finishes the requests in flight, then closes every connection.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.server.shutdown().await;
    }

    /// Closes every connection at once. The registrations are lost, as after any stop.
    pub fn kill(&self) {
        self.stop.cancel();
        self.server.kill();
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.kill();
    }
}
