//! The positions of the delay levels: `delayOffset.json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::body::offset::DelayOffsetWrapper;
use rocketmq_remoting::body::topic::DataVersion;
use tokio::sync::Notify;

use super::levels::{level_of_queue, queue_of_level};
use crate::broker::log::range::{Moved, Range};
use crate::broker::log::store_times::StoreTimes;
use crate::broker::names::SCHEDULE_TOPIC;
use crate::broker::persist::table_file::TableFile;
use crate::store::StoreError;

/// The next message of each level, in memory and in the file.
#[derive(Debug)]
pub(crate) struct DelayProgress {
    next: Mutex<BTreeMap<i32, i64>>,
    times: Mutex<BTreeMap<i32, StoreTimes>>,
    saved: Mutex<BTreeMap<i32, i64>>,
    file: TableFile,
    wake: Arc<Notify>,
}

impl DelayProgress {
    /// Reads the file. A crash loses at most the last seconds of it, which are then delivered twice.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(file: TableFile, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let stored: DelayOffsetWrapper = file.load()?;
        Ok(Self {
            next: Mutex::new(stored.offset_table.clone()),
            times: Mutex::default(),
            saved: Mutex::new(stored.offset_table),
            file,
            wake,
        })
    }

    /// Completes when a message was put into the schedule topic.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The next offset of each level that was ever used.
    pub(crate) fn snapshot(&self) -> BTreeMap<i32, i64> {
        self.next.lock().clone()
    }

    /// The table as the file and slaves get it.
    pub(crate) fn table(&self) -> DelayOffsetWrapper {
        table_of(self.snapshot())
    }

    /// Writes the file if it is out of date.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let mut saved = self.saved.lock();
        let offset_table = self.snapshot();
        if *saved == offset_table {
            return Ok(());
        }
        self.file.save(|| table_of(offset_table.clone()))?;
        *saved = offset_table;
        Ok(())
    }

    /// Moves what is outside its queue into it; what was moved. Queues that cannot be found are empty. Takes up the `queues`
    /// that there are: some may be of levels that the settings have no more.
    pub(crate) fn set_right(&self, queues: &[i32], range: impl Fn(&str, i32) -> Range) -> Vec<Moved> {
        let (mut all, mut moved) = (self.next.lock(), Vec::new());
        for queue in queues {
            all.entry(level_of_queue(*queue)).or_insert_with(|| range(SCHEDULE_TOPIC, *queue).min);
        }
        for (level, next) in all.iter_mut() {
            let queue = queue_of_level(*level);
            let to = range(SCHEDULE_TOPIC, queue).nearest(*next);
            if to != *next {
                moved.push(Moved { queue, from: *next, to: Some(to) });
                *next = to;
            }
        }
        moved
    }

    /// The levels to deliver: as many as the settings have, and higher ones that were used when there were more.
    pub(crate) fn levels(&self, max: i32) -> Vec<i32> {
        let next = self.next.lock();
        let higher = next.range(max.saturating_add(1)..).map(|(level, _)| *level);
        (1..=max).chain(higher).collect()
    }

    /// The offset to deliver next; `None` for a level that was never used.
    pub(crate) fn next(&self, level: i32) -> Option<i64> {
        self.next.lock().get(&level).copied()
    }

    /// Notes that everything below `to` is delivered.
    pub(crate) fn advance(&self, level: i32, to: i64) {
        self.next.lock().insert(level, to);
    }

    /// When a message of a level was stored: see [`StoreTimes::of`].
    pub(crate) fn store_time(&self, level: i32, offset: i64, claimed: i64, (now, end): (i64, i64)) -> i64 {
        self.times.lock().entry(level).or_default().of(offset, claimed, now, end)
    }
}

/// Apache's broker needs the version to be there; it stays 0, as its own does.
fn table_of(offset_table: BTreeMap<i32, i64>) -> DelayOffsetWrapper {
    DelayOffsetWrapper { data_version: Some(DataVersion::default()), offset_table }
}
