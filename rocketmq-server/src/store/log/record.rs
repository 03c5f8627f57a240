//! Judges whether bytes of the log are the record they should be.

use rocketmq_remoting::message::RecordView;
use rocketmq_remoting::names::{MAX_DERIVED_TOPIC, MAX_TOPIC, is_dlq, is_retry};

/// Offsets of queues stay below this: the header has no checksum, so its numbers are not taken on trust.
const QUEUE_OFFSETS: std::ops::Range<i64> = 0..i64::MAX / 1024;
/// Store times, ms since 1970: up to the year 2109. Beyond it lies every time with a flipped high bit.
pub(crate) const STORE_TIMES: std::ops::Range<i64> = 0..1 << 42;

/// The place of a message: its topic, queue, and offset in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub topic: &'a str,
    pub queue_id: i32,
    pub index: i64,
}

/// Reads `bytes` as the record at log offset `offset`.
///
/// # Errors
/// The reason why it is damaged.
pub(crate) fn judge(bytes: &[u8], offset: i64, check_crc: bool) -> Result<RecordView<'_>, String> {
    let view = RecordView::parse(bytes).map_err(|e| e.to_string())?;
    if view.total_size() != bytes.len() {
        return Err(format!("it has {} bytes and says {}", bytes.len(), view.total_size()));
    }
    if view.physical_offset() != offset {
        return Err(format!("it claims log offset {}", view.physical_offset()));
    }
    if check_crc && !view.is_intact() {
        return Err("the checksum of its body is wrong".into());
    }
    check_topic(&view.topic())?;
    check_range("queue", i64::from(view.queue_id()), &(0..i64::MAX))?;
    check_range("queue offset", view.queue_offset(), &QUEUE_OFFSETS)?;
    check_range("store time", view.store_timestamp(), &STORE_TIMES)?;
    Ok(view)
}

/// Judges, in addition to [`judge`], whether the record is the one that belongs to `place`.
///
/// # Errors
/// The reason why it is not.
pub(crate) fn judge_place(view: &RecordView<'_>, place: Place<'_>) -> Result<(), String> {
    let (topic, queue_id, index) = (view.topic(), view.queue_id(), view.queue_offset());
    if (Place { topic: &topic, queue_id, index }) == place {
        return Ok(());
    }
    Err(format!("it claims offset {index} of queue {queue_id} of topic {topic:?}"))
}

/// Checks the name of a topic, which also names a folder: nothing that leads elsewhere passes.
///
/// # Errors
/// The rule it breaks.
pub(crate) fn check_topic(topic: &str) -> Result<(), String> {
    let limit = if is_retry(topic) || is_dlq(topic) { MAX_DERIVED_TOPIC } else { MAX_TOPIC };
    if topic.len() > limit {
        return Err(format!("its topic has {} bytes, the limit is {limit}", topic.len()));
    }
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | char::REPLACEMENT_CHARACTER);
    if topic.is_empty() || topic == "." || topic == ".." || topic.contains(is_odd) {
        return Err(format!("{topic:?} cannot be a topic: use letters, digits, '-', '_', '%' or '|'"));
    }
    Ok(())
}

fn check_range(name: &str, value: i64, range: &std::ops::Range<i64>) -> Result<(), String> {
    if range.contains(&value) { Ok(()) } else { Err(format!("{value} is no {name}")) }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rocketmq_remoting::message::MessageRecord;

    use super::*;

    fn encoded(change: impl FnOnce(&mut MessageRecord)) -> BytesMut {
        let mut record = MessageRecord { topic: "T".into(), physical_offset: 7, ..MessageRecord::default() };
        record.body = bytes::Bytes::from_static(b"body");
        record.store_timestamp = 1_700_000_000_000;
        let mut record = record.seal();
        change(&mut record);
        let mut bytes = BytesMut::new();
        record.encode(&mut bytes).unwrap();
        bytes
    }

    fn fault(change: impl FnOnce(&mut MessageRecord)) -> String {
        judge(&encoded(change), 7, true).unwrap_err()
    }

    #[test]
    fn each_fault_is_named() {
        assert!(judge(&encoded(|_| {}), 7, true).is_ok());
        assert!(fault(|r| r.physical_offset = 8).contains("log offset 8"));
        assert!(fault(|r| r.body_crc ^= 1).contains("checksum"));
        assert!(fault(|r| r.topic = "../T".into()).contains("../T"));
        assert!(fault(|r| r.topic = "\u{14}".into()).contains("\\u{14}"));
        assert!(fault(|r| r.topic = "t".repeat(128)).contains("127"));
        assert!(fault(|r| r.queue_id = -1).contains("-1 is no queue"));
        assert!(fault(|r| r.queue_offset = i64::MAX / 1024).contains("queue offset"));
        assert!(fault(|r| r.store_timestamp = 1 << 42).contains("store time"));
        let mut longer = encoded(|_| {});
        longer.extend_from_slice(b"x");
        assert!(judge(&longer, 7, true).unwrap_err().contains("bytes"));
        assert!(judge(&encoded(|r| r.body_crc ^= 1), 7, false).is_ok(), "unchecked");
    }

    #[test]
    fn a_record_belongs_to_one_place() {
        let bytes = encoded(|r| r.queue_offset = 3);
        let view = judge(&bytes, 7, true).unwrap();
        let place = |topic, queue_id, index| judge_place(&view, Place { topic, queue_id, index });
        assert_eq!(place("T", 0, 3), Ok(()));
        assert!(place("U", 0, 3).is_err() && place("T", 1, 3).is_err());
        assert!(place("T", 0, 2).unwrap_err().contains("offset 3"));
    }
}
