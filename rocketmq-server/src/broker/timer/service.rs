//! Loads the timer topic and delivers what is due.

use std::collections::HashSet;

use rocketmq_remoting::message::properties::{Properties, find, names as property};
use rocketmq_remoting::message::{MessageRecord, RecordView};

use super::parts::Parts;
use crate::broker::log::notes;
use crate::broker::log::placement::restore;
use crate::broker::log::range::Range;
use crate::broker::log::set_aside::{Place, lost, set_aside};
use crate::broker::names::TIMER_TOPIC;
use crate::store::{StoreError, Unit};

/// Messages loaded or points in time delivered before other work gets a turn.
const BURST: i64 = 256;
/// Pause after the store refused a delivery or could not read the queue, in milliseconds.
const RETRY_AFTER: i64 = 100;

/// Loads what is new and delivers what is due. Returns when to come back, or `None` when nothing waits.
pub(crate) fn deliver_due(parts: &Parts) -> Option<i64> {
    let load_again = match load(parts) {
        Ok(true) => return Some(parts.log.now()),
        Ok(false) => None,
        Err(error) => {
            tracing::error!(%error, "cannot read the queue of the timers: those behind it come later");
            Some(parts.log.now() + RETRY_AFTER)
        }
    };
    deliver(parts).into_iter().chain(load_again).min()
}

/// Returns true if the next round only loads, and from memory.
pub(crate) fn is_at_hand(parts: &Parts) -> bool {
    let loaded = parts.state.loaded.lock();
    let waits = loaded.next_due().is_none_or(|due| due > parts.log.now());
    waits && parts.log.store.is_hot(TIMER_TOPIC, 0, loaded.next)
}

fn deliver(parts: &Parts) -> Option<i64> {
    for _ in 0..BURST {
        let now = parts.log.now();
        let Some((due, offsets)) = parts.state.loaded.lock().take_due(now) else { break };
        let left = deliver_slot(parts, due, &offsets);
        parts.state.loaded.lock().delivered(due, &left);
        if !left.is_empty() {
            return Some(now + RETRY_AFTER);
        }
    }
    parts.state.loaded.lock().waiting.next_due()
}

/// Takes in a burst of new messages; true when there are more.
fn load(parts: &Parts) -> Result<bool, StoreError> {
    let range = Range::of(&parts.log.store, TIMER_TOPIC, 0);
    let mut loaded = parts.state.loaded.lock();
    let first = range.nearest(loaded.next);
    let before = parts.state.before(&loaded);
    // Fewer where a file of the queue ends.
    let units = parts.log.store.units(TIMER_TOPIC, 0, first, (range.max - first).min(BURST) as usize)?;
    for (offset, unit) in (first..).zip(&units) {
        match due(parts, unit) {
            Some(due) if before.was_delivered(offset, due) => {}
            Some(due) => loaded.waiting.add(due, offset),
            None => lost(&parts.log, place(offset), 1),
        }
    }
    if units.is_empty() && first < range.max {
        lost(&parts.log, place(first), 1);
    }
    let last = range.max.min(first + units.len().max(1) as i64);
    loaded.move_to(last, range.max);
    Ok(last < range.max)
}

fn place(offset: i64) -> Place<'static> {
    Place { topic: TIMER_TOPIC, queue: 0, offset }
}

/// When a message of the timer topic is due. Read in place: after a restart this is asked of millions.
fn due(parts: &Parts, unit: &Unit) -> Option<i64> {
    let record = parts.log.store.read_bytes(unit.physical_offset, unit.size)?;
    let properties = RecordView::parse(&record).ok()?.properties();
    find(&properties, property::TIMER_OUT_MS)?.parse().ok()
}

/// Delivers one point in time; what is left to do when the store refuses.
fn deliver_slot(parts: &Parts, due: i64, offsets: &[i64]) -> Vec<i64> {
    let (mut records, mut left) = read(parts, offsets);
    let recalled: HashSet<String> = records
        .iter()
        .filter_map(|(_, record)| find(&record.properties, property::TIMER_DEL_UNIQKEY))
        .map(str::to_owned)
        .collect();
    records.retain(|(_, record)| !is_dropped(record, &recalled));
    drop_rolled_copies(&mut records);
    let mut todo = records.into_iter();
    while let Some((offset, record)) = todo.next() {
        if put(parts, due, offset, record).is_err() {
            left.push(offset);
            left.extend(todo.by_ref().map(|(offset, _)| offset));
        }
    }
    left
}

/// The messages at these offsets, and the offsets that cannot be read at the moment.
fn read(parts: &Parts, offsets: &[i64]) -> (Vec<(i64, MessageRecord)>, Vec<i64>) {
    let (mut records, mut unreadable) = (Vec::with_capacity(offsets.len()), Vec::new());
    for offset in offsets.iter().copied() {
        match parts.log.message_at(TIMER_TOPIC, 0, offset) {
            Ok(Some(record)) => records.push((offset, record)),
            Ok(None) => lost(&parts.log, place(offset), 1),
            Err(error) => {
                tracing::error!(offset, %error, "cannot read the queue of the timers");
                unreadable.push(offset);
            }
        }
    }
    (records, unreadable)
}

/// A recall itself, or the message it recalls.
fn is_dropped(record: &MessageRecord, recalled: &HashSet<String>) -> bool {
    if find(&record.properties, property::TIMER_DEL_UNIQKEY).is_some() {
        return true;
    }
    !recalled.is_empty() && key_of(record).is_some_and(|key| recalled.contains(&key))
}

/// Drops the copies that Apache's broker made. It stores a message that waits for longer than its wheel reaches once more at
/// each look, all for the same time of delivery. One copy is delivered. Messages that a producer sent twice are no such copies.
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

/// Returns the key by which a recall would name this message.
fn key_of(record: &MessageRecord) -> Option<String> {
    let topic = find(&record.properties, property::REAL_TOPIC)?;
    Some(recall_key(topic, find(&record.properties, property::UNIQ_KEY)?))
}

/// Joins topic and unique key to the key that a recall names.
pub(crate) fn recall_key(topic: &str, unique_key: &str) -> String {
    format!("{topic}+{unique_key}")
}

/// Puts a message where it belongs, or sets it aside when that is impossible.
///
/// # Errors
/// The store takes none at the moment.
fn put(parts: &Parts, due: i64, offset: i64, record: MessageRecord) -> Result<(), ()> {
    let Some(record) = delivery(parts, record) else {
        set_aside(&parts.log, place(offset), "it names no topic to go to");
        return Ok(());
    };
    match parts.log.append(record) {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is_final() => {
            set_aside(&parts.log, place(offset), &refusal);
            Ok(())
        }
        Err(refusal) => {
            tracing::warn!(due, offset, %refusal, "a timer message could not be delivered yet");
            Err(())
        }
    }
}

/// The message as its consumers get it.
fn delivery(parts: &Parts, record: MessageRecord) -> Option<MessageRecord> {
    let enqueued = record.store_timestamp;
    let mut record = restore(record)?;
    let mut properties = Properties::parse(&record.properties);
    notes::note(&mut properties, property::TIMER_ENQUEUE_MS, enqueued.to_string());
    notes::note(&mut properties, property::TIMER_DEQUEUE_MS, parts.log.now().to_string());
    record.properties = notes::encode(&properties);
    Some(record)
}
