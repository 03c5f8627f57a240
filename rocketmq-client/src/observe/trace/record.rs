//! One line of a message trace, in the text form that Apache's tools and console read.
//!
//! Fields are separated by U+0001, records end with U+0002, and nothing is escaped. The order of the fields is all there
//! is to tell them apart.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::messages::TransactionState;

const FIELD: char = '\u{1}';
const END: char = '\u{2}';

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The time, in ms since the epoch.
    pub(crate) time: i64,
    /// The broker's region.
    pub(crate) region: String,
    /// The producer's or consumer's group, without namespace.
    pub(crate) group: Arc<str>,
    /// The message's topic, without namespace. Some events do not write it; records are gathered by it all the same.
    pub(crate) topic: String,
    /// The id its producer gave it.
    pub(crate) message_id: String,
    /// Its keys, joined by spaces.
    pub(crate) keys: Option<String>,
    pub(crate) event: Event,
}

/// The event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It was stored.
    Sent {
        tags: Option<String>,
        store_host: String,
        body_len: usize,
        cost_ms: u128,
        kind: MessageKind,
        offset_message_id: String,
        success: bool,
    },
    /// A handler is about to see it.
    Consuming { request_id: String, retries: u32 },
    /// A handler has seen it.
    Consumed { request_id: String, cost_ms: u128, end: ConsumeEnd, cloud: bool },
    /// Its transaction was decided.
    Decided {
        tags: Option<String>,
        store_host: String,
        transaction_id: String,
        state: TransactionState,
        asked_by_broker: bool,
    },
    /// It was taken back before it was due.
    Recalled { success: bool },
}

/// Kinds of message, numbered as in Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Normal = 0,
    Half = 1,
    Commit = 2,
    Delay = 3,
}

/// The end of a handler, numbered as in Java. Java's third, a handler that returned nothing, cannot happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsumeEnd {
    Success = 0,
    Timeout = 1,
    Exception = 2,
    Failed = 4,
}

impl Record {
    /// Appends the record to `out`.
    pub(crate) fn encode(&self, out: &mut String) {
        let Self { time, region, group, topic, message_id, .. } = self;
        let keys = text(&self.keys);
        match &self.event {
            Event::Sent { tags, store_host, body_len, cost_ms, kind, offset_message_id, success } => row(
                out,
                "Pub",
                &[
                    time,
                    region,
                    group,
                    topic,
                    message_id,
                    &text(tags),
                    &keys,
                    store_host,
                    body_len,
                    cost_ms,
                    &(*kind as i32),
                    offset_message_id,
                    success,
                ],
            ),
            Event::Consuming { request_id, retries } => {
                row(out, "SubBefore", &[time, region, group, request_id, message_id, retries, &keys]);
            }
            Event::Consumed { request_id, cost_ms, end, cloud } => {
                let success = *end == ConsumeEnd::Success;
                let code = *end as i32;
                let seen: [Field<'_>; 6] = [request_id, message_id, cost_ms, &success, &keys, &code];
                // The cloud's form ends with an empty field instead of time and group.
                let end: &[Field<'_>] = if *cloud { &[&""] } else { &[time, group] };
                row(out, "SubAfter", &[&seen, end].concat());
            }
            Event::Decided { tags, store_host, transaction_id, state, asked_by_broker } => row(
                out,
                "EndTransaction",
                &[
                    time,
                    region,
                    group,
                    topic,
                    message_id,
                    &text(tags),
                    &keys,
                    store_host,
                    &(MessageKind::Commit as i32),
                    transaction_id,
                    &java_name(*state),
                    asked_by_broker,
                ],
            ),
            Event::Recalled { success } => {
                row(out, "Recall", &[time, region, group, topic, message_id, success]);
            }
        }
    }

    /// Returns the keys under which brokers index the record: the message's id and its keys.
    pub(crate) fn index_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.as_deref().unwrap_or_default();
        std::iter::once(self.message_id.as_str()).chain(keys.split(' ')).filter(|key| !key.is_empty())
    }
}

type Field<'a> = &'a dyn std::fmt::Display;

fn row(out: &mut String, kind: &str, fields: &[Field<'_>]) {
    out.push_str(kind);
    for field in fields {
        // Writing to a string cannot fail.
        let _ = write!(out, "{FIELD}{field}");
    }
    out.push(END);
}

/// Returns the text, or Java's word for a missing one.
fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("null")
}

fn java_name(state: TransactionState) -> &'static str {
    match state {
        TransactionState::Commit => "COMMIT_MESSAGE",
        TransactionState::Rollback => "ROLLBACK_MESSAGE",
        TransactionState::Unknown => "UNKNOW",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts the Java classes wrote, of either version.
    macro_rules! golden {
        ($name:literal) => {
            [
                include_str!(concat!(
                    "../../../../rocketmq-remoting/tests/golden/4.9.7/text-trace-",
                    $name,
                    ".bin"
                )),
                include_str!(concat!(
                    "../../../../rocketmq-remoting/tests/golden/5.4.0/text-trace-",
                    $name,
                    ".bin"
                )),
            ]
        };
    }

    fn record(event: Event) -> Record {
        Record {
            time: 1_700_000_000_000,
            region: "DefaultRegion".into(),
            group: "PG".into(),
            topic: "TA".into(),
            message_id: "7F0000010000".into(),
            keys: Some("k1 k2".into()),
            event,
        }
    }

    fn encoded(record: &Record) -> String {
        let mut out = String::new();
        record.encode(&mut out);
        out
    }

    fn sent() -> Event {
        Event::Sent {
            tags: Some("TagA".into()),
            store_host: "10.0.0.5:10911".into(),
            body_len: 5,
            cost_ms: 7,
            kind: MessageKind::Normal,
            offset_message_id: "C0A8010A00002A9F0000000000001000".into(),
            success: true,
        }
    }

    #[test]
    fn records_are_javas_byte_for_byte() {
        let after = |end, cloud| Event::Consumed { request_id: "REQ1".into(), cost_ms: 7, end, cloud };
        let decided = Event::Decided {
            tags: Some("TagA".into()),
            store_host: "10.0.0.5:10911".into(),
            transaction_id: "tx".into(),
            state: TransactionState::Commit,
            asked_by_broker: false,
        };
        let before = Event::Consuming { request_id: "REQ1".into(), retries: 1 };
        assert_eq!([encoded(&record(sent())).as_str(); 2], golden!("pub"));
        assert_eq!([encoded(&record(before)).as_str(); 2], golden!("sub-before"));
        assert_eq!([encoded(&record(decided)).as_str(); 2], golden!("end-transaction"));
        // The sample of Java claims success beside the code of an exception, which no real run does.
        let failed = encoded(&record(after(ConsumeEnd::Exception, false))).replace("false", "true");
        assert_eq!([failed.as_str(); 2], golden!("sub-after"));
        let cloud = encoded(&record(after(ConsumeEnd::Success, true)));
        assert_eq!(cloud, "SubAfter\u{1}REQ1\u{1}7F0000010000\u{1}7\u{1}true\u{1}k1 k2\u{1}0\u{1}\u{2}");
    }

    #[test]
    fn what_is_missing_is_the_word_null_and_no_key() {
        let bare = Record { keys: None, ..record(Event::Recalled { success: true }) };
        assert_eq!(
            encoded(&bare),
            "Recall\u{1}1700000000000\u{1}DefaultRegion\u{1}PG\u{1}TA\u{1}7F0000010000\u{1}true\u{2}"
        );
        assert_eq!(bare.index_keys().collect::<Vec<_>>(), ["7F0000010000"]);
        let before = Event::Consuming { request_id: "R".into(), retries: 0 };
        assert!(encoded(&Record { keys: None, ..record(before) }).ends_with("\u{1}null\u{2}"));
        assert_eq!(record(sent()).index_keys().collect::<Vec<_>>(), ["7F0000010000", "k1", "k2"]);
    }
}
