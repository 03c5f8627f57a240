//! The errors of an embedded cluster.

use std::net::SocketAddr;

use crate::broker::BrokerError;
use crate::config::ConfigError;
use crate::namesrv::NamesrvError;
use crate::node::NodeError;

/// Names the reason for which an embedded cluster does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The temporary folder cannot be made.
    #[error("cannot make a temporary folder for the store: {0}")]
    Folder(#[from] std::io::Error),
    /// An overridden setting has the wrong type.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An overridden setting that does nothing.
    #[error("{0}")]
    Setting(String),
    /// A name server does not start.
    #[error(transparent)]
    NameServer(#[from] NamesrvError),
    /// A broker does not start.
    #[error(transparent)]
    Broker(#[from] NodeError),
    /// A broker does not stop as it should.
    #[error(transparent)]
    Stop(#[from] BrokerError),
    /// A broker that does not reach its name servers.
    #[error("the broker at {0} did not register with its name servers within 10 s")]
    NotRegistered(SocketAddr),
}
