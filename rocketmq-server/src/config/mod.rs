//! Settings of the two programs. Keys are Apache's, in every spelling it ever had; files are TOML or Java properties.
//!
//! A setting of Apache's that does nothing here is reported in [`Notes::inert`], a key nobody knows in
//! [`Notes::unknown`]; neither stops the program. A value of the wrong type does ([`ConfigError::Values`]).

mod broker;
mod key;
mod kind;
mod live;
mod namesrv;
mod network;
mod source;
mod tls;

pub use broker::BrokerConfig;
pub use key::{BadValue, ConfigError, Notes, UnknownKey};
pub use namesrv::NamesrvConfig;
pub use network::{BadNetwork, NetworkConfig, Networks};
pub use tls::{ClientAuth, TlsConfig, TlsMode};
