//! Commands about name servers.

mod config;
mod perm;
mod update_config;

pub use config::{GetNamesrvConfig, NamesrvConfig, NamesrvConfigs};
pub use perm::{AddWritePerm, WipeWritePerm};
pub use update_config::UpdateNamesrvConfig;
