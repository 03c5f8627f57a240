//! Settings of the two programs. Keys are Apache's, in every spelling it ever had; files are TOML or Java properties.
//!
//! A setting of Apache's that does nothing here is reported in [`Notes::inert`], a key nobody knows in
//! [`Notes::unknown`]; neither stops the program. A value of the wrong type does ([`ConfigError::Values`]).

mod apache;
mod broker;
mod error;
mod key;
mod kind;
mod namesrv;
mod network;
mod networks;
mod notes;
mod source;
mod text;
mod tls;
mod update;

pub use broker::BrokerConfig;
pub use error::{BadValue, ConfigError};
pub use namesrv::{NamesrvConfig, NamesrvLive};
pub use network::NetworkConfig;
pub use networks::{BadNetwork, Networks};
pub use notes::{InertKey, Notes, UnknownKey};
pub use tls::{ClientAuth, TlsConfig, TlsMode};
