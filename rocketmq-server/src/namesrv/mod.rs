//! The name server: brokers register here, clients ask where topics live.
//!
//! Everything but the key-value configuration is in memory; name servers do not talk to each other, and brokers
//! register with each of them.

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
use kv::KvConfig;
use state::State;

/// Why a name server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NamesrvError {
    /// Its address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its encryption.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Its key-value configuration cannot be read.
    #[error("cannot read the key-value configuration {}: {source}; repair or remove the file", path.display())]
    KvConfig {
        /// The file.
        path: PathBuf,
        /// What the system or the parser said.
        source: io::Error,
    },
}

/// A running name server. Dropping it stops it as [`kill`](Self::kill) does.
#[derive(Debug)]
pub struct NameServer {
    server: Arc<Server>,
    stop: CancellationToken,
}

impl NameServer {
    /// Binds the address, reads the key-value configuration and serves. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the address is taken or the key-value configuration is there but unreadable.
    pub async fn start(config: NamesrvConfig, clock: Arc<dyn Clock>) -> Result<Self, NamesrvError> {
        let kv = KvConfig::open(config.kv_path.clone()).map_err(|source| NamesrvError::KvConfig {
            path: config.kv_path.clone().unwrap_or_default(),
            source,
        })?;
        let network = config.network.clone();
        let security = Security::load(&network.tls)?;
        let listener = Listener::bind(network.bind_address, network.listen_port).await?.secured(security);
        let state = Arc::new(State::new(config, kv, clock));
        let server = Arc::new(listener.serve(state.clone(), &network));
        let stop = CancellationToken::new();
        tokio::spawn(expire::watch(state, Arc::downgrade(&server), stop.clone()));
        Ok(Self { server, stop })
    }

    /// The address to dial, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops answering until [`resume`](Self::resume), as a frozen process would.
    pub fn pause(&self) {
        self.server.pause();
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.server.resume();
    }

    /// Stops: finishes the requests in flight, then closes every connection.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.server.shutdown().await;
    }

    /// Stops at once. What was registered is gone, as it is after any stop.
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
