//! The settings of the broker. Names and defaults are Apache's unless the field says otherwise.
//!
//! Every setting is in one of two types: [`Fixed`] holds those that stay as they were at the start, [`Live`] those that tools
//! change while the broker runs. Each value exists once; the store reads its own from the same two.

mod copies;
mod current;
mod fixed;
mod live;
pub(crate) mod live_config;
mod role;

use std::path::PathBuf;
use std::time::Duration;

pub use copies::Copies;
pub(crate) use current::Current;
pub use fixed::Fixed;
pub use live::Live;
pub use role::{Apache, Role};

/// Settings of one broker. The network's own (TLS, idle limits) belong to the listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The settings that stay as they were at the start.
    pub fixed: Fixed,
    /// The settings that can change while the broker runs.
    pub live: Live,
}

impl Settings {
    /// Apache's defaults, for a store in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { fixed: Fixed::new(root), live: Live::default() }
    }
}

/// A duration as the milliseconds that clocks and leases count in.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
