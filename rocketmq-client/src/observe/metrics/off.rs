//! Nothing is measured.

use std::time::Duration;

use crate::error::SendError;
use crate::messages::{Delivery, Outcome};

pub(crate) const ENABLED: bool = false;

pub(crate) fn describe() {}

pub(crate) fn sent(_: &str, _: usize, _: Option<&SendError>, _: Duration) {}

pub(crate) fn late_reply() {}

pub(crate) fn consumed(
    _: &str,
    _: &[Delivery],
    _: impl Fn(usize) -> Outcome,
    _: Option<&'static str>,
    _: Duration,
) {
}

pub(crate) fn pulled(_: &str, _: &str, _: &'static str, _: usize) {}

pub(crate) fn throttled(_: &str, _: &str, _: &'static str) {}

pub(crate) fn given_back(_: &str, _: &str, _: bool) {}

pub(crate) fn lag(_: &str, _: &str, _: u64) {}

pub(crate) fn rebalanced(_: &str, _: &str) {}

pub(crate) fn connected(_: &str) {}

pub(crate) fn connection_lost() {}

pub(crate) fn trace_dropped(_: usize) {}

/// Something that runs now.
pub(crate) struct Running;

impl Running {
    pub(crate) fn handler(_: &str) -> Self {
        Self
    }

    pub(crate) fn send(_: &str) -> Self {
        Self
    }
}
