//! Commands about name servers.

mod config;

pub use config::{GetNamesrvConfig, NamesrvConfig, NamesrvConfigs};
