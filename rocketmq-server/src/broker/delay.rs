//! Delivers messages with a delay level: one queue of the schedule topic per level, in which equal delays make the
//! due times ascend, so that only the first message of each queue has to be watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::body::offset::DelayOffsetWrapper;
use rocketmq_remoting::body::topic::DataVersion;
use tokio::sync::Notify;

use super::core::Core;
use super::delay_level::queue_of_level;
use super::names::SCHEDULE_TOPIC;
use super::persist::TableFile;
use super::placement::unpark;
use super::positions::{Moved, Range};
use crate::store::{StoreError, Unit};

/// Messages of one level delivered before other work gets a turn.
const BURST: usize = 256;
/// Pause after a delivery the store refused, in milliseconds.
const RETRY_AFTER: i64 = 100;

/// How far each level has been delivered; `delayOffset.json`.
#[derive(Debug)]
pub struct DelayProgress {
    next: Mutex<BTreeMap<i32, i64>>,
    saved: Mutex<BTreeMap<i32, i64>>,
    file: TableFile,
    wake: Arc<Notify>,
}

impl DelayProgress {
    /// Reads the file. A crash loses at most the last seconds of it, which are then delivered twice.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(file: TableFile, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let stored: DelayOffsetWrapper = file.load()?;
        Ok(Self {
            next: Mutex::new(stored.offset_table.clone()),
            saved: Mutex::new(stored.offset_table),
            file,
            wake,
        })
    }

    /// Completes when a message was put into the schedule topic.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The next offset of each level that was ever used.
    pub fn snapshot(&self) -> BTreeMap<i32, i64> {
        self.next.lock().clone()
    }

    /// What the file and slaves get.
    pub fn table(&self) -> DelayOffsetWrapper {
        table_of(self.snapshot())
    }

    /// Writes the file if it is out of date.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub fn save(&self) -> Result<(), StoreError> {
        let mut saved = self.saved.lock();
        let offset_table = self.snapshot();
        if *saved == offset_table {
            return Ok(());
        }
        self.file.save(|| table_of(offset_table.clone()))?;
        *saved = offset_table;
        Ok(())
    }

    /// Moves what is outside its queue into it; what was moved. Queues that cannot be found are empty.
    pub fn set_right(&self, range: impl Fn(&str, i32) -> Range) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (level, next) in self.next.lock().iter_mut() {
            let queue = queue_of_level(*level);
            let to = range(SCHEDULE_TOPIC, queue).nearest(*next);
            if to != *next {
                moved.push(Moved { queue, from: *next, to: Some(to) });
                *next = to;
            }
        }
        moved
    }

    fn next(&self, level: i32) -> i64 {
        self.next.lock().get(&level).copied().unwrap_or(0)
    }

    fn advance(&self, level: i32, to: i64) {
        self.next.lock().insert(level, to);
    }
}

/// Apache's broker needs the version to be there; it stays 0, as its own does.
fn table_of(offset_table: BTreeMap<i32, i64>) -> DelayOffsetWrapper {
    DelayOffsetWrapper { data_version: Some(DataVersion::default()), offset_table }
}

/// Delivers what is due on every level. Returns when to come back, or `None` when nothing waits.
pub fn deliver_due(core: &Core) -> Option<i64> {
    (1..=core.levels.max()).filter_map(|level| deliver_level(core, level)).min()
}

fn deliver_level(core: &Core, level: i32) -> Option<i64> {
    let queue = queue_of_level(level);
    let max = core.store.max_offset(SCHEDULE_TOPIC, queue);
    let stored = core.delay.next(level);
    let first = stored.clamp(core.store.min_offset(SCHEDULE_TOPIC, queue).min(max), max);
    let last = max.min(first.saturating_add(BURST as i64));
    for offset in first..last {
        let now = core.now();
        let Some(unit) = core.unit(SCHEDULE_TOPIC, queue, offset) else {
            return Some(now + RETRY_AFTER);
        };
        let due = due(core, level, &unit, now);
        if due > now {
            return Some(due);
        }
        if !deliver(core, &unit) {
            return Some(now + RETRY_AFTER);
        }
        core.delay.advance(level, offset + 1);
    }
    (last < max).then(|| core.now())
}

/// A time further away than the level's delay means that the clock was set back: such a message is due now.
fn due(core: &Core, level: i32, unit: &Unit, now: i64) -> i64 {
    let latest = now.saturating_add(core.levels.millis(level).unwrap_or(0));
    if unit.tags_code > latest { now } else { unit.tags_code }
}

/// False when the store refused and the message must be tried again.
fn deliver(core: &Core, unit: &Unit) -> bool {
    let Some(record) = core.store.read_at(unit.physical_offset) else {
        tracing::warn!(offset = unit.physical_offset, "a delayed message is no longer in the log: skipped");
        return true;
    };
    let Some(record) = unpark(record) else {
        tracing::warn!(offset = unit.physical_offset, "a delayed message names no topic to go to: skipped");
        return true;
    };
    match core.append(record) {
        Ok(_) => true,
        Err(refusal) => {
            tracing::warn!(offset = unit.physical_offset, %refusal, "a delayed message could not be delivered");
            false
        }
    }
}
