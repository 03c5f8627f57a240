//! The transactions that a broker knows.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::halves::Halves;
use crate::broker::log::store_times::StoreTimes;

/// The one queue of the half and op topics this broker uses, as Apache's does.
pub(crate) const QUEUE: i32 = 0;

/// The half messages without an end, and the ends that a restart must read again.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub halves: Mutex<Halves>,
    /// The place of the op record of each decided half, until the check round has passed the half.
    pub ops: Mutex<BTreeMap<i64, i64>>,
    /// When the halves were stored.
    pub times: Mutex<StoreTimes>,
}
