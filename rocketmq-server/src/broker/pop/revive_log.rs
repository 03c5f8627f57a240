//! The records of the revive topic: checkpoints of popped messages, and acknowledgements, in Apache's JSON.

use rocketmq_remoting::fastjson;
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::message::properties::{Properties, names as property};
use serde::{Deserialize, Serialize};

use crate::broker::log::Log;
use crate::broker::log::placement::divert;
use crate::broker::names;
use crate::broker::send::properties::SentProperties;
use crate::exchange::Refusal;
use crate::store::Put;

const CHECKPOINT_TAG: &str = "ck";
const ACK_TAG: &str = "ack";
const BATCH_ACK_TAG: &str = "bAck";
/// A checkpoint comes out of the timer this long (ms) before its acknowledgements may.
const AHEAD_OF_ACKS: i64 = 1_000;

/// The messages that one pop took from one queue. A checkpoint is open until all are acknowledged or handed out again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checkpoint {
    /// Acknowledged messages by their place in `diffs`.
    #[serde(rename = "bm")]
    pub acked: i32,
    #[serde(rename = "bn")]
    pub broker_name: String,
    #[serde(rename = "c")]
    pub group: String,
    /// The messages' offsets, counted from `start_offset`. Checkpoints of the first 5.0 have none.
    #[serde(rename = "d")]
    pub diffs: Vec<i32>,
    #[serde(rename = "it")]
    pub invisible_time: i64,
    #[serde(rename = "n")]
    pub count: i32,
    #[serde(rename = "pt")]
    pub pop_time: i64,
    #[serde(rename = "q")]
    pub queue_id: i32,
    /// For readers only: the sum of the two times.
    #[serde(rename = "reviveTime")]
    pub revive_time: i64,
    /// Its offset in the revive queue; set when it is read.
    #[serde(rename = "ro")]
    pub revive_offset: i64,
    /// Counts the failures to hand it out again.
    #[serde(rename = "rp", skip_serializing_if = "Option::is_none")]
    pub failures: Option<String>,
    #[serde(rename = "so")]
    pub start_offset: i64,
    /// The stored topic, retry topics by their own name.
    #[serde(rename = "t")]
    pub topic: String,
}

impl Checkpoint {
    /// When unacknowledged messages are to be seen again, in milliseconds since 1970.
    pub(crate) fn due(&self) -> i64 {
        self.pop_time.saturating_add(self.invisible_time)
    }

    pub(crate) fn key(&self) -> Key {
        Key {
            topic: self.topic.clone(),
            group: self.group.clone(),
            queue_id: self.queue_id,
            start_offset: self.start_offset,
            pop_time: self.pop_time,
        }
    }

    /// Marks a message as acknowledged; one that is not covered is left alone.
    pub(crate) fn ack(&mut self, offset: i64) {
        let place = self.offsets().position(|covered| covered == offset);
        self.acked |= place.and_then(|place| 1i32.checked_shl(place as u32)).unwrap_or(0);
    }

    /// The messages still to be acknowledged.
    pub(crate) fn unacked(&self) -> Vec<i64> {
        let is_acked = |place: usize| self.acked & 1i32.checked_shl(place as u32).unwrap_or(0) != 0;
        self.offsets().enumerate().filter(|(place, _)| !is_acked(*place)).map(|(_, offset)| offset).collect()
    }

    fn offsets(&self) -> impl Iterator<Item = i64> + '_ {
        let count = usize::try_from(self.count).unwrap_or(0).min(32);
        (0..count).map(|place| {
            let diff = self.diffs.get(place).map_or(place as i64, |diff| i64::from(*diff));
            self.start_offset.saturating_add(diff)
        })
    }

    /// The record to be put into a queue of the revive topic.
    ///
    /// # Errors
    /// It has no form in JSON, which no checkpoint of this broker comes to.
    pub(crate) fn record(&self, log: &Log, revive_queue: i32) -> Result<MessageRecord, Refusal> {
        let body = Self { revive_time: self.due(), ..self.clone() };
        let id = unique_id(&body.key(), &self.start_offset.to_string(), &self.broker_name, CHECKPOINT_TAG);
        let deliver_at = self.due().saturating_sub(AHEAD_OF_ACKS);
        Ok(log_record(log, revive_queue, CHECKPOINT_TAG, &id, deliver_at, fastjson::to_vec(&body)?))
    }
}

/// The fields by which acknowledgements find their checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub topic: String,
    pub group: String,
    pub queue_id: i32,
    pub start_offset: i64,
    pub pop_time: i64,
}

/// One or more messages of one checkpoint are done with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ack {
    /// The message; -1 beside a list.
    #[serde(rename = "ao", alias = "ackOffset")]
    pub offset: i64,
    #[serde(rename = "aol", alias = "ackOffsetList", skip_serializing_if = "Vec::is_empty")]
    pub offsets: Vec<i64>,
    #[serde(rename = "bn", alias = "brokerName")]
    pub broker_name: String,
    #[serde(rename = "c", alias = "consumerGroup")]
    pub group: String,
    #[serde(rename = "pt", alias = "popTime")]
    pub pop_time: i64,
    #[serde(rename = "q", alias = "queueId")]
    pub queue_id: i32,
    #[serde(rename = "so", alias = "startOffset")]
    pub start_offset: i64,
    #[serde(rename = "t", alias = "topic")]
    pub topic: String,
}

impl Ack {
    pub(crate) fn key(&self) -> Key {
        Key {
            topic: self.topic.clone(),
            group: self.group.clone(),
            queue_id: self.queue_id,
            start_offset: self.start_offset,
            pop_time: self.pop_time,
        }
    }

    /// All messages meant.
    pub(crate) fn all(&self) -> impl Iterator<Item = i64> + '_ {
        let one = self.offsets.is_empty().then_some(self.offset);
        one.into_iter().chain(self.offsets.iter().copied())
    }

    /// The record to be put into the revive queue of its checkpoint, which is due at `due`.
    ///
    /// # Errors
    /// As [`Checkpoint::record`].
    pub(crate) fn record(&self, log: &Log, revive_queue: i32, due: i64) -> Result<MessageRecord, Refusal> {
        let tag = if self.offsets.is_empty() { ACK_TAG } else { BATCH_ACK_TAG };
        // Apache ends the id of both kinds alike.
        let id = unique_id(&self.key(), &self.offset.to_string(), &self.broker_name, ACK_TAG);
        Ok(log_record(log, revive_queue, tag, &id, due, fastjson::to_vec(self)?))
    }
}

/// A record of the revive topic, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Checkpoint(Checkpoint),
    Ack(Ack),
}

impl Entry {
    /// Reads a record; `None` for one of no use, which Apache skips too.
    pub(crate) fn read(record: &MessageRecord) -> Option<Self> {
        match Properties::parse(&record.properties).tags()? {
            CHECKPOINT_TAG => {
                let mut checkpoint: Checkpoint = fastjson::from_slice(&record.body).ok()?;
                checkpoint.revive_offset = record.queue_offset;
                Some(Self::Checkpoint(checkpoint))
            }
            ACK_TAG | BATCH_ACK_TAG => Some(Self::Ack(fastjson::from_slice(&record.body).ok()?)),
            _ => None,
        }
    }
}

fn unique_id(key: &Key, offset: &str, broker_name: &str, end: &str) -> String {
    format!("{}@{}@{offset}@{}@{}@{broker_name}@{end}", key.topic, key.queue_id, key.group, key.pop_time)
}

fn log_record(
    log: &Log,
    revive_queue: i32,
    tag: &str,
    id: &str,
    deliver_at: i64,
    body: Vec<u8>,
) -> MessageRecord {
    let mut properties = Properties::new();
    properties.set(property::TAGS, tag);
    properties.set(property::UNIQ_KEY, id);
    properties.set(property::TIMER_DELIVER_MS, deliver_at.to_string());
    log.own_record(&names::revive_topic(&log.settings.fixed.cluster), revive_queue, &properties, body)
}

/// Puts an acknowledgement without waiting for the kernel: the connection's next commit sees to that.
///
/// # Errors
/// The store refuses, or its checkpoint is due too far away for the timer.
pub(crate) fn put_ack(log: &Log, ack: &Ack, revive_queue: i32, due: i64) -> Result<Put, Refusal> {
    let record = ack.record(log, revive_queue, due)?;
    let placement = log.placement_rules().place(&SentProperties::scan(&record.properties))?;
    log.put_buffered(divert(record, placement))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Apache 5.4.0.
    const SEEN: &str = r#"{"bm":0,"bn":"bp","c":"popg","d":[0,1,2,3],"it":8000,"n":4,"pt":1795409542596,"q":0,"reviveTime":1795409550596,"ro":0,"so":0,"t":"PT"}"#;
    const SEEN_ACK: &str = r#"{"ao":0,"bn":"bp","c":"popg","pt":1795409542596,"q":0,"so":0,"t":"PT"}"#;

    #[test]
    fn checkpoints_and_acks_read_and_write_as_apache_does() {
        let checkpoint: Checkpoint = fastjson::from_slice(SEEN.as_bytes()).unwrap();
        assert_eq!(checkpoint.due(), checkpoint.revive_time);
        assert_eq!(fastjson::to_vec(&checkpoint).unwrap(), SEEN.as_bytes());
        let ack: Ack = fastjson::from_slice(SEEN_ACK.as_bytes()).unwrap();
        assert_eq!(ack.key(), checkpoint.key());
        assert_eq!(fastjson::to_vec(&ack).unwrap(), SEEN_ACK.as_bytes());
    }

    #[test]
    fn acks_count_by_offset_and_strangers_do_not() {
        let mut checkpoint =
            Checkpoint { start_offset: 10, count: 3, diffs: vec![0, 2, 5], ..Checkpoint::default() };
        checkpoint.ack(12);
        checkpoint.ack(11);
        assert_eq!(checkpoint.unacked(), [10, 15]);
        checkpoint.ack(10);
        checkpoint.ack(15);
        assert!(checkpoint.unacked().is_empty());
    }

    #[test]
    fn a_full_checkpoint_has_a_bit_for_each_message() {
        let mut checkpoint = Checkpoint { count: 32, diffs: (0..32).collect(), ..Checkpoint::default() };
        checkpoint.ack(31);
        assert_eq!(checkpoint.unacked().len(), 31);
        let old = Checkpoint { start_offset: 4, count: 2, ..Checkpoint::default() };
        assert_eq!(old.unacked(), [4, 5], "without differences the messages follow each other");
    }
}
