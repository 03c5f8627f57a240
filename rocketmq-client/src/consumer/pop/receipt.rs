//! Receipts of popped messages, built from a pop's answer.

use std::collections::HashMap;

use rocketmq_remoting::message::{MessageRecord, names, properties};
use rocketmq_remoting::names::is_retry;
pub(crate) use rocketmq_remoting::receipt::{Origin, PopReceipt};
use rocketmq_remoting::requests::pop::PopMessageResponse;

fn origin_of(record: &MessageRecord, topic: &str) -> Origin {
    match is_retry(&record.topic) {
        false => Origin::Topic,
        true if record.topic.ends_with(&format!("+{topic}")) => Origin::RetryV2,
        true => Origin::RetryV1,
    }
}

/// Everything a pop's answer says about the messages in it, by origin and queue.
pub(crate) struct PopInfo<'a> {
    answer: &'a PopMessageResponse,
    broker: &'a str,
    topic: &'a str,
    starts: Option<HashMap<(Origin, i32), i64>>,
    counts: HashMap<String, i32>,
}

impl<'a> PopInfo<'a> {
    pub(crate) fn new(answer: &'a PopMessageResponse, broker: &'a str, topic: &'a str) -> Self {
        let starts = answer.start_offset_info.as_deref().filter(|info| !info.is_empty());
        Self { answer, broker, topic, starts: starts.map(starts_of), counts: counts_of(answer) }
    }

    /// Returns the receipts of the messages, in their order.
    pub(crate) fn receipts(&self, records: &[MessageRecord]) -> Vec<PopReceipt> {
        let mut first = HashMap::new();
        records.iter().map(|record| self.receipt(record, &mut first)).collect()
    }

    fn receipt(&self, record: &MessageRecord, first: &mut HashMap<(Origin, i32), i64>) -> PopReceipt {
        let carried = properties::find(&record.properties, names::POP_CK).and_then(|text| text.parse().ok());
        if let Some(receipt) = carried {
            return receipt;
        }
        let origin = origin_of(record, self.topic);
        let key = (origin, record.queue_id);
        let first = *first.entry(key).or_insert(record.queue_offset);
        let start = self.starts.as_ref().and_then(|starts| starts.get(&key).copied());
        PopReceipt {
            checkpoint_offset: start.unwrap_or(first),
            pop_time: self.answer.pop_time,
            invisible_ms: self.answer.invisible_time,
            revive_queue: self.answer.revive_qid,
            origin,
            broker: self.broker.to_owned(),
            queue_id: record.queue_id,
            queue_offset: record.queue_offset,
        }
    }

    /// Counts the earlier tries of an ordered message; its own count comes before its queue's.
    pub(crate) fn reconsume_times(&self, record: &MessageRecord) -> i32 {
        let origin = origin_of(record, self.topic).number();
        let own = format!("{origin} qo{}%{}", record.queue_id, record.queue_offset);
        let queue = format!("{origin} {}", record.queue_id);
        let count = self.counts.get(&own).or_else(|| self.counts.get(&queue));
        count.copied().unwrap_or(0).max(record.reconsume_times)
    }
}

fn starts_of(info: &str) -> HashMap<(Origin, i32), i64> {
    let entry = |text: &str| {
        let mut tokens = text.split(' ');
        let key = (Origin::of_number(tokens.next()?), tokens.next()?.parse().ok()?);
        Some((key, tokens.next()?.parse().ok()?))
    };
    info.split(';').filter_map(entry).collect()
}

fn counts_of(answer: &PopMessageResponse) -> HashMap<String, i32> {
    let info = answer.order_count_info.as_deref().unwrap_or_default();
    let entry = |text: &str| {
        let (key, count) = text.rsplit_once(' ')?;
        Some((key.to_owned(), count.parse().ok()?))
    };
    info.split(';').filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(topic: &str, queue_id: i32, queue_offset: i64) -> MessageRecord {
        MessageRecord { topic: topic.into(), queue_id, queue_offset, ..MessageRecord::default() }
    }

    fn answer() -> PopMessageResponse {
        PopMessageResponse {
            pop_time: 1_795_409_075_731,
            invisible_time: 60_000,
            revive_qid: 0,
            rest_num: 0,
            start_offset_info: Some("0 1 0;0 0 0;0 3 0".into()),
            msg_offset_info: Some("0 1 0;0 0 0,1;0 3 0".into()),
            order_count_info: None,
        }
    }

    #[test]
    fn receipts_are_those_of_the_java_client() {
        let answer = answer();
        let records = [record("TP", 1, 0), record("TP", 0, 0), record("TP", 0, 1), record("TP", 3, 0)];
        let receipts = PopInfo::new(&answer, "broker-a", "TP").receipts(&records);
        let texts: Vec<String> = receipts.iter().map(PopReceipt::to_string).collect();
        assert_eq!(texts[0], "0 1795409075731 60000 0 0 broker-a 1 0");
        assert_eq!(texts[2], "0 1795409075731 60000 0 0 broker-a 0 1");
        assert_eq!(texts[2].parse(), Ok(receipts[2].clone()));
    }

    #[test]
    fn a_receipt_the_broker_wrote_is_used_unchanged() {
        let carried = "0 1795409087849 60000 5 1 broker-a 0 0";
        let again = MessageRecord { properties: format!("POP_CK\u{1}{carried}\u{2}"), ..record("TP", 0, 0) };
        let receipts = PopInfo::new(&answer(), "broker-a", "TP").receipts(&[again]);
        assert_eq!(receipts[0].to_string(), carried);
        assert_eq!(receipts[0].origin.topic("CGP", "TP"), "%RETRY%CGP_TP");
    }

    #[test]
    fn without_start_offsets_the_first_message_of_each_queue_counts() {
        let answer = PopMessageResponse { start_offset_info: None, ..answer() };
        let records = [record("TP", 0, 7), record("TP", 0, 8), record("%RETRY%g+TP", 0, 3)];
        let receipts = PopInfo::new(&answer, "b", "TP").receipts(&records);
        let starts: Vec<i64> = receipts.iter().map(|receipt| receipt.checkpoint_offset).collect();
        assert_eq!(starts, [7, 7, 3]);
        assert_eq!(receipts[2].origin, Origin::RetryV2);
    }

    #[test]
    fn order_counts_of_a_message_come_before_those_of_its_queue() {
        let answer = PopMessageResponse { order_count_info: Some("0 0 2;0 qo0%8 5".into()), ..answer() };
        let info = PopInfo::new(&answer, "b", "TP");
        assert_eq!(info.reconsume_times(&record("TP", 0, 7)), 2);
        assert_eq!(info.reconsume_times(&record("TP", 0, 8)), 5);
        assert_eq!(info.reconsume_times(&record("TP", 1, 8)), 0);
    }
}
