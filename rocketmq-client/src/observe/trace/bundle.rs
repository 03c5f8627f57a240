//! Records gathered into messages of the trace topic.

use std::collections::{BTreeMap, BTreeSet};

use super::config::TraceConfig;
use super::record::Record;
use crate::messages::Message;

/// The longest text of one trace message, as in Java.
pub(crate) const MAX_TEXT: usize = 128_000;
/// A broker stores at most 32,767 bytes of properties, and the keys are one of them.
const MAX_KEYS: usize = 30_000;

/// Collects the texts of one message, and the keys of their records.
#[derive(Debug, Default)]
struct Bundle {
    text: String,
    keys: BTreeSet<String>,
    keys_len: usize,
    records: usize,
}

impl Bundle {
    fn has_room(&self, text: usize, keys: usize) -> bool {
        self.text.len() + text <= MAX_TEXT && self.keys_len + keys <= MAX_KEYS
    }

    fn add(&mut self, text: &str, record: &Record) {
        self.text.push_str(text);
        self.records += 1;
        for key in record.index_keys() {
            if self.keys.insert(key.to_owned()) {
                self.keys_len += key.len() + 1;
            }
        }
    }

    fn into_message(self, topic: &str) -> (Message, usize) {
        (Message::new(topic, self.text).keys(self.keys), self.records)
    }
}

/// Makes the messages that hold `records`, each with the number of its records. What was sent to different topics goes
/// apart; a record too long for any message goes by itself, and is refused by the send.
pub(crate) fn messages(records: &[Record], config: &TraceConfig) -> Vec<(Message, usize)> {
    let mut by_topic = BTreeMap::<(&str, &str), Vec<Bundle>>::new();
    for record in records {
        let mut text = String::with_capacity(256);
        record.encode(&mut text);
        let keys = record.index_keys().map(|key| key.len() + 1).sum();
        let region = if config.cloud { record.region.as_str() } else { "" };
        let bundles = by_topic.entry((&record.topic, region)).or_default();
        match bundles.last_mut() {
            Some(bundle) if bundle.has_room(text.len(), keys) => bundle.add(&text, record),
            _ => {
                let mut bundle = Bundle::default();
                bundle.add(&text, record);
                bundles.push(bundle);
            }
        }
    }
    let bundles = by_topic.into_iter().flat_map(|((_, region), bundles)| {
        let topic = config.topic_of(region);
        bundles.into_iter().map(move |bundle| bundle.into_message(&topic))
    });
    bundles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::trace::record::Event;

    fn record(topic: &str, id: &str, keys: &str) -> Record {
        Record {
            time: 1,
            region: "R".into(),
            group: "g".into(),
            topic: topic.into(),
            message_id: id.into(),
            keys: Some(keys.into()),
            event: Event::Recalled { success: true },
        }
    }

    fn keys(message: &Message) -> &str {
        message.properties().get("KEYS").unwrap_or_default()
    }

    #[test]
    fn records_of_one_topic_travel_together_under_all_their_keys() {
        let records = [record("a", "1", "x y"), record("b", "2", ""), record("a", "3", "x")];
        let sent = messages(&records, &TraceConfig::default());
        let seen: Vec<_> = sent.iter().map(|(m, n)| (m.topic(), keys(m), *n)).collect();
        assert_eq!(seen, [("RMQ_SYS_TRACE_TOPIC", "1 3 x y", 2), ("RMQ_SYS_TRACE_TOPIC", "2", 1)]);
        assert_eq!(sent[0].0.body().iter().filter(|byte| **byte == 2).count(), 2);
    }

    #[test]
    fn neither_text_nor_keys_outgrow_a_message() {
        let long: Vec<_> = (0..3).map(|n| record("a", &n.to_string(), &"k".repeat(25_000))).collect();
        assert_eq!(messages(&long, &TraceConfig::default()).len(), 3, "split by keys");
        let wide = Record { region: "r".repeat(50_000), ..record("a", "1", "") };
        let split = messages(&vec![wide; 5], &TraceConfig::default());
        assert_eq!(split.iter().map(|(_, records)| *records).collect::<Vec<_>>(), [2, 2, 1]);
        assert!(split.iter().all(|(message, _)| message.body().len() <= MAX_TEXT));
    }

    #[test]
    fn in_the_cloud_each_region_has_its_topic() {
        let config = TraceConfig { cloud: true, ..TraceConfig::default() };
        let sent = messages(&[record("a", "1", "")], &config);
        assert_eq!(sent[0].0.topic(), "rmq_sys_TRACE_DATA_R");
    }
}
