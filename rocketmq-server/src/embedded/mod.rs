//! Name server and broker inside the calling process, for tests and development.

mod broker;
mod builder;
mod cluster;
mod error;
mod faults;
mod name_server;
mod stored;

pub use broker::EmbeddedBroker;
pub use builder::EmbeddedBuilder;
pub use cluster::Embedded;
pub use error::EmbeddedError;
pub use name_server::EmbeddedNameServer;
pub use stored::StoredMessage;
