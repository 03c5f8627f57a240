//! The settings as tools read and change them while the broker runs.

use std::fmt;

/// Whoever parsed the broker's configuration file: it knows the keys. Both calls must be quick.
pub trait LiveConfig: fmt::Debug + Send + Sync {
    /// Every setting as `key=value` lines under Apache's names.
    fn properties(&self) -> String;

    /// Takes `key=value` lines from a tool.
    ///
    /// # Errors
    /// What to tell the tool: which key, which value, why.
    fn update(&self, properties: &str) -> Result<(), String>;
}

/// For brokers that were not started from a file: shows nothing, changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedConfig;

impl LiveConfig for FixedConfig {
    fn properties(&self) -> String {
        String::new()
    }

    fn update(&self, _properties: &str) -> Result<(), String> {
        Err("this broker takes no changes while it runs; change its configuration and restart it".into())
    }
}
