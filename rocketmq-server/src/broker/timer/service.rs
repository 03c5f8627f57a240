//! Loads the timer topic into the wheel and delivers what is due.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use rocketmq_remoting::message::properties::{Properties, find, names as property};
use rocketmq_remoting::message::{MessageRecord, RecordView};
use tokio::sync::Notify;

use super::checkpoint::{CheckpointFiles, Progress};
use super::wheel::TimerWheel;
use crate::broker::core::Core;
use crate::broker::log::placement::unpark;
use crate::broker::names::TIMER_TOPIC;
use crate::broker::persist::positions::{Moved, Range};
use crate::store::{StoreError, Unit};

/// Messages loaded or slots delivered before other work gets a turn.
const BURST: usize = 256;
/// Pause after a delivery the store refused, in milliseconds.
const RETRY_AFTER: i64 = 100;

#[derive(Debug)]
struct Loaded {
    wheel: TimerWheel,
    /// The next queue offset to load.
    next: i64,
    /// Everything below was in the wheel, in this run or before it: beyond `next` until the replay is through.
    read_to: i64,
    /// The latest time of which anything was delivered. What came late is due before it and may still wait.
    reached: i64,
    /// What left the wheel and is being delivered: when it was due, and its lowest queue offset.
    delivering: Option<(i64, i64)>,
}

impl Loaded {
    /// Takes out everything of the earliest time, if that has come.
    fn take_due(&mut self, now: i64) -> Option<(i64, Vec<i64>)> {
        let (due, offsets) = self.wheel.take_due(now)?;
        self.delivering = offsets.iter().min().map(|lowest| (due, *lowest));
        Some((due, offsets))
    }

    /// What was taken out is delivered but for these, which are due at the same time still.
    fn delivered(&mut self, due: i64, left: &[i64]) {
        left.iter().for_each(|offset| self.wheel.add(due, *offset));
        self.delivering = None;
        self.reached = self.reached.max(due);
    }

    /// The offsets below `next` are loaded. At the end of the queue nothing beyond can have been delivered, whatever was
    /// written before a crash cut the log.
    fn move_to(&mut self, next: i64, end: i64) {
        self.next = next;
        self.read_to = if next < end { self.read_to.max(next) } else { next };
    }

    /// When the next of what waits is due.
    fn next_due(&self) -> Option<i64> {
        let delivering = self.delivering.map(|(due, _)| due);
        self.wheel.next_due().into_iter().chain(delivering).min()
    }

    fn progress(&self) -> Progress {
        let delivering = self.delivering.map(|(_, lowest)| lowest);
        let waiting = self.wheel.first_queue_offset().into_iter().chain(delivering).min();
        Progress {
            replay_from: waiting.unwrap_or(self.next),
            read_to: self.read_to,
            delivered_until: self.next_due().map_or(self.reached, |due| self.reached.min(due - 1)),
        }
    }
}

/// The pending messages and how far they are on disk.
#[derive(Debug)]
pub struct TimerState {
    loaded: Mutex<Loaded>,
    before: Progress,
    saved: Mutex<Progress>,
    files: CheckpointFiles,
    wake: Arc<Notify>,
}

impl TimerState {
    /// Reads how far the last run came; the messages themselves are loaded by [`deliver_due`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(files: CheckpointFiles, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let before: Progress = files.load()?;
        let loaded = Loaded {
            wheel: TimerWheel::default(),
            next: before.replay_from,
            read_to: before.read_to,
            reached: before.delivered_until,
            delivering: None,
        };
        Ok(Self { loaded: Mutex::new(loaded), before, saved: Mutex::new(before), files, wake })
    }

    /// Moves the places from which to replay and up to which was read into the queue. Returns the first when one of them
    /// was outside.
    pub fn set_right(&self, range: impl Fn(&str, i32) -> Range) -> Option<Moved> {
        let range = range(TIMER_TOPIC, 0);
        let mut loaded = self.loaded.lock();
        let (from, read_to) = (loaded.next, loaded.read_to);
        loaded.next = range.nearest(from);
        // Nothing beyond the end can have been delivered, whatever was written before the log became shorter.
        loaded.read_to = read_to.min(range.max);
        let moved = loaded.next != from || loaded.read_to != read_to;
        moved.then_some(Moved { queue: 0, from, to: Some(loaded.next) })
    }

    /// Completes when a message was put into the timer topic.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Messages that wait.
    pub fn pending(&self) -> usize {
        self.loaded.lock().wheel.len()
    }

    /// The next offset of the timer topic to be loaded.
    pub fn read_offset(&self) -> i64 {
        self.loaded.lock().next
    }

    /// Whether everything loaded that was due at or before `due` has been delivered.
    pub fn delivered_until(&self, due: i64) -> bool {
        self.loaded.lock().next_due().is_none_or(|waiting| waiting > due)
    }

    /// Writes the file if it is out of date.
    ///
    /// # Errors
    /// The disk refuses; the next call tries again.
    pub fn save(&self) -> Result<(), StoreError> {
        let mut saved = self.saved.lock();
        let progress = self.loaded.lock().progress();
        if *saved == progress {
            return Ok(());
        }
        self.files.save(progress)?;
        *saved = progress;
        Ok(())
    }
}

/// Loads what is new and delivers what is due. Returns when to come back, or `None` when nothing waits.
pub fn deliver_due(core: &Core) -> Option<i64> {
    if load(core) {
        return Some(core.now());
    }
    for _ in 0..BURST {
        let now = core.now();
        let (due, offsets) = match core.timer.loaded.lock().take_due(now) {
            Some(slot) => slot,
            None => break,
        };
        let left = deliver_slot(core, due, &offsets);
        core.timer.loaded.lock().delivered(due, &left);
        if !left.is_empty() {
            return Some(now + RETRY_AFTER);
        }
    }
    core.timer.loaded.lock().wheel.next_due()
}

/// Puts a burst of new messages into the wheel; true when there are more.
fn load(core: &Core) -> bool {
    let max = core.store.max_offset(TIMER_TOPIC, 0);
    let mut loaded = core.timer.loaded.lock();
    let first = loaded.next.clamp(core.store.min_offset(TIMER_TOPIC, 0).min(max), max);
    let before = Progress { read_to: loaded.read_to, ..core.timer.before };
    let units = units(core, first, (max - first).min(BURST as i64) as usize);
    for (offset, unit) in (first..).zip(&units) {
        if let Some(due) = due(core, unit).filter(|due| !before.was_delivered(offset, *due)) {
            loaded.wheel.add(due, offset);
        }
    }
    // What cannot be read must not be read for ever.
    let last = max.min(first + units.len().max(1) as i64);
    loaded.move_to(last, max);
    last < max
}

/// Where so many messages of the timer topic are; fewer where a file of the queue ends.
fn units(core: &Core, first: i64, count: usize) -> Vec<Unit> {
    core.store.units(TIMER_TOPIC, 0, first, count).unwrap_or_else(|error| {
        tracing::error!(offset = first, %error, "cannot read the queue of the timers");
        Vec::new()
    })
}

/// When a message of the timer topic is due. Read in place: after a restart this is asked of millions.
fn due(core: &Core, unit: &Unit) -> Option<i64> {
    let record = core.store.read_bytes(unit.physical_offset, unit.size)?;
    let properties = RecordView::parse(&record).ok()?.properties();
    find(&properties, property::TIMER_OUT_MS)?.parse().ok()
}

fn record(core: &Core, offset: i64) -> Option<MessageRecord> {
    core.store.read_at(core.unit(TIMER_TOPIC, 0, offset)?.physical_offset)
}

/// Delivers one point in time; what is left to do when the store refuses.
fn deliver_slot(core: &Core, due: i64, offsets: &[i64]) -> Vec<i64> {
    let mut records: Vec<(i64, MessageRecord)> =
        offsets.iter().filter_map(|offset| Some((*offset, record(core, *offset)?))).collect();
    let recalled: HashSet<String> = records
        .iter()
        .filter_map(|(_, record)| find(&record.properties, property::TIMER_DEL_UNIQKEY))
        .map(str::to_owned)
        .collect();
    records.retain(|(_, record)| !is_dropped(record, &recalled));
    drop_rolled_copies(&mut records);
    let mut todo = records.into_iter();
    while let Some((offset, record)) = todo.next() {
        if !deliver(core, due, record) {
            return std::iter::once(offset).chain(todo.map(|(offset, _)| offset)).collect();
        }
    }
    Vec::new()
}

/// A recall itself, or the message it recalls.
fn is_dropped(record: &MessageRecord, recalled: &HashSet<String>) -> bool {
    if find(&record.properties, property::TIMER_DEL_UNIQKEY).is_some() {
        return true;
    }
    !recalled.is_empty() && key_of(record).is_some_and(|key| recalled.contains(&key))
}

/// Apache's broker stores a message that waits for longer than its wheel reaches once more each time it looks at it, all
/// for the same time of delivery: one of them is delivered. What a producer sent twice is not of that kind.
fn drop_rolled_copies(records: &mut Vec<(i64, MessageRecord)>) {
    let rolled: HashSet<String> = records
        .iter()
        .filter(|(_, record)| find(&record.properties, property::TIMER_ROLL_TIMES).is_some())
        .filter_map(|(_, record)| key_of(record))
        .collect();
    if rolled.is_empty() {
        return;
    }
    let mut kept = HashSet::new();
    records.retain(|(_, record)| key_of(record).is_none_or(|key| !rolled.contains(&key) || kept.insert(key)));
}

/// How a recall would name this message.
fn key_of(record: &MessageRecord) -> Option<String> {
    let topic = find(&record.properties, property::REAL_TOPIC)?;
    Some(recall_key(topic, find(&record.properties, property::UNIQ_KEY)?))
}

/// What a recall names: topic and unique key in one.
pub fn recall_key(topic: &str, unique_key: &str) -> String {
    format!("{topic}+{unique_key}")
}

fn deliver(core: &Core, due: i64, record: MessageRecord) -> bool {
    let enqueued = record.store_timestamp;
    let Some(mut record) = unpark(record) else {
        tracing::warn!("a timer message names no topic to go to: skipped");
        return true;
    };
    let mut properties = Properties::parse(&record.properties);
    properties.set(property::TIMER_ENQUEUE_MS, enqueued.to_string());
    properties.set(property::TIMER_DEQUEUE_MS, core.now().to_string());
    record.properties = properties.encode_stored();
    match core.append(record) {
        Ok(_) => true,
        Err(refusal) => {
            tracing::warn!(due, %refusal, "a timer message could not be delivered");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Progress = Progress { replay_from: 3, read_to: 900, delivered_until: 100 };

    fn opened(folder: &std::path::Path) -> TimerState {
        std::fs::create_dir_all(folder.join("config")).unwrap();
        let files = CheckpointFiles::new(folder);
        files.save(BEFORE).unwrap();
        TimerState::open(files, Arc::default()).unwrap()
    }

    #[test]
    fn what_was_delivered_counts_as_such_when_the_replay_is_not_through() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap(), BEFORE);
        state.loaded.lock().move_to(259, 1_000);
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap(), Progress { replay_from: 259, ..BEFORE });
    }

    #[test]
    fn nothing_was_delivered_beyond_the_end_of_the_queue() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        state.loaded.lock().move_to(500, 500);
        assert_eq!(state.loaded.lock().progress().read_to, 500);
    }

    #[test]
    fn what_comes_late_counts_until_it_is_delivered_and_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        let mut loaded = state.loaded.lock();
        loaded.wheel.add(40, 950);
        assert_eq!(loaded.progress().delivered_until, 39);
        assert_eq!(loaded.take_due(100), Some((40, vec![950])));
        assert_eq!(loaded.progress(), Progress { replay_from: 950, delivered_until: 39, ..BEFORE });
        loaded.delivered(40, &[950]);
        assert_eq!(loaded.progress().delivered_until, 39, "the store refused it");
        loaded.take_due(100);
        loaded.delivered(40, &[]);
        assert_eq!(loaded.progress().delivered_until, 100);
    }

    #[test]
    fn a_delivery_alone_is_written_too() {
        let dir = tempfile::tempdir().unwrap();
        let state = opened(dir.path());
        for (due, offset) in [(5_000, 3), (200, 4)] {
            state.loaded.lock().wheel.add(due, offset);
        }
        state.save().unwrap();
        let taken = state.loaded.lock().take_due(200).unwrap();
        state.loaded.lock().delivered(taken.0, &[]);
        state.save().unwrap();
        assert_eq!(state.files.load().unwrap().delivered_until, 200);
    }
}
