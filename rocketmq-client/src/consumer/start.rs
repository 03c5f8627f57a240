//! The begin of a queue that was just assigned: the stored offset, or else the consumer's wish (Java's table).

use std::time::SystemTime;

use crate::clock::to_ms;

/// Sets where a consumer group without a stored offset begins on a queue.
///
/// Brokers make an exception for a young queue: while it is empty, or its first message is still in memory, a new group
/// reads it from the beginning. Consumers that broadcast always begin where they wish.
///
/// ```no_run
/// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::{Duration, SystemTime};
///
/// use rocketmq_client::FromWhere;
///
/// let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
/// let consumer = client.push_consumer("billing").from_where(FromWhere::Timestamp(an_hour_ago));
/// # drop(consumer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FromWhere {
    /// At the end: only messages stored after the group first appeared (default).
    #[default]
    LastOffset,
    /// At the oldest message that the broker still has.
    FirstOffset,
    /// At the first message stored at or after this time, to the millisecond.
    Timestamp(SystemTime),
}

impl FromWhere {
    /// Decides the begin when the group has no offset on the queue.
    pub(crate) fn without_stored_offset(self, is_retry_topic: bool) -> Start {
        match (self, is_retry_topic) {
            (FromWhere::LastOffset, false) | (FromWhere::Timestamp(_), true) => Start::Max,
            (FromWhere::Timestamp(time), false) => Start::AtTime(to_ms(time)),
            // An offset below the queue's first one is corrected by the broker on the first pull.
            (FromWhere::LastOffset, true) | (FromWhere::FirstOffset, _) => Start::At(0),
        }
    }
}

/// The way to the first offset to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// This offset; no request is needed.
    At(i64),
    /// Ask for the queue's end.
    Max,
    /// Ask for the offset by time.
    AtTime(i64),
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_new_group_starts_where_java_starts() {
        let time = UNIX_EPOCH + Duration::from_millis(17);
        let cases = [
            (FromWhere::LastOffset, false, Start::Max),
            (FromWhere::LastOffset, true, Start::At(0)),
            (FromWhere::FirstOffset, false, Start::At(0)),
            (FromWhere::FirstOffset, true, Start::At(0)),
            (FromWhere::Timestamp(time), false, Start::AtTime(17)),
            (FromWhere::Timestamp(time), true, Start::Max),
        ];
        for (from, retry, start) in cases {
            assert_eq!(from.without_stored_offset(retry), start, "{from:?} retry={retry}");
        }
    }
}
