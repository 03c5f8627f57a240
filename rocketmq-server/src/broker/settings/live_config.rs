//! The settings as tools read and change them while the broker runs.

use std::fmt;

use super::Live;

/// The owner of the broker's configuration file, which knows the keys. Both calls must be quick.
pub trait LiveConfig: fmt::Debug + Send + Sync {
    /// Every setting as `key=value` lines under Apache's names.
    fn properties(&self) -> String;

    /// Takes `key=value` lines from a tool, and returns the live settings with them.
    ///
    /// # Errors
    /// The answer for the tool: the key, the value, the reason. Nothing has changed then.
    fn update(&self, properties: &str) -> Result<Live, UpdateError>;
}

/// Names the reason for which a tool's change of the settings is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// A key that `configBlackList` protects. In Apache's words.
    #[error(
        "Can not update config in black list. It holds `{key}`; change it in the broker's configuration file"
    )]
    BlackListed {
        /// The key.
        key: String,
    },
    /// A key nobody knows, or a value that does not fit its key.
    #[error("{0}")]
    Invalid(String),
    /// The change needs a restart, and the broker keeps no file to remember it in.
    #[error(
        "`{key}` takes effect at a restart, and this broker was started without a file that would keep it"
    )]
    NeedsRestart {
        /// The key.
        key: String,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration file {path}: {reason}")]
    Unwritable {
        /// The file.
        path: String,
        /// The reason, from the system.
        reason: String,
    },
}

/// For brokers that were not started from a file: shows nothing, changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedConfig;

impl LiveConfig for FixedConfig {
    fn properties(&self) -> String {
        String::new()
    }

    fn update(&self, _properties: &str) -> Result<Live, UpdateError> {
        let remark = "this broker takes no changes while it runs; change its configuration and restart it";
        Err(UpdateError::Invalid(remark.into()))
    }
}
