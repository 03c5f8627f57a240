//! What the broker lets its owner decide. Names and defaults are Apache's unless the field says otherwise.
//!
//! Every setting is in one of two types: [`Fixed`] for what stays as it was at the start, [`Live`] for what tools change
//! while the broker runs. Each value exists once; the store reads its own from the same two.

mod copies;
mod current;
mod fixed;
mod live;
pub mod live_config;

use std::path::PathBuf;
use std::time::Duration;

use super::BrokerError;
use super::acl::AccessControl;

pub use copies::{Apache, Copies, Role};
pub use current::Current;
pub use fixed::Fixed;
pub use live::Live;

/// Settings of one broker. The network's own (TLS, idle limits) belong to the listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What stays as it was at the start.
    pub fixed: Fixed,
    /// What can change while the broker runs.
    pub live: Live,
}

impl Settings {
    /// Apache's defaults, for a store in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { fixed: Fixed::new(root), live: Live::default() }
    }

    /// Says what would keep a broker on the same store from starting with these settings. Changes nothing.
    ///
    /// # Errors
    /// The first reason, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.fixed.store.check().map_err(|error| error.to_string())?;
        self.fixed.store.check_files().map_err(|error| error.to_string())?;
        AccessControl::could_open(&self.fixed).map_err(|error| BrokerError::from(error).to_string())
    }
}

/// A duration as the milliseconds that clocks and leases count in.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
