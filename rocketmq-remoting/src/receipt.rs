//! Receipts: what a consumer shows to acknowledge a popped message, or to hide it anew.
//!
//! Brokers write one into the property `POP_CK` of what they hand out from a retry topic; for other messages consumers
//! build it from the pop's answer.
//!
//! ```
//! use rocketmq_remoting::receipt::{Origin, PopReceipt};
//!
//! let receipt: PopReceipt = "0 1795409087849 60000 5 1 broker-a 0 0".parse()?;
//! assert_eq!(receipt.origin, Origin::RetryV1);
//! assert_eq!(receipt.due(), 1_795_409_147_849);
//! # Ok::<(), rocketmq_remoting::receipt::ReceiptError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use crate::names::{pop_retry_topic_v1, pop_retry_topic_v2};
use crate::requests::pop::ChangeInvisibleTimeResponse;

/// The revive queue in receipts of ordered pops, which have no checkpoint.
pub const ORDER_QUEUE: i32 = 999;

/// Which topic a popped message lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The one that was asked for.
    Topic,
    /// `%RETRY%group_topic`
    RetryV1,
    /// `%RETRY%group+topic`
    RetryV2,
}

impl Origin {
    /// As receipts and the strings of a pop's answer spell it.
    pub fn number(self) -> u8 {
        match self {
            Self::Topic => 0,
            Self::RetryV1 => 1,
            Self::RetryV2 => 2,
        }
    }

    /// The reverse of [`number`](Self::number); what is unknown means the topic itself, as in Apache.
    pub fn of_number(text: &str) -> Self {
        match text {
            "1" => Self::RetryV1,
            "2" => Self::RetryV2,
            _ => Self::Topic,
        }
    }

    /// The name of the stored topic, which requests about the message have to give.
    pub fn topic(self, group: &str, topic: &str) -> String {
        match self {
            Self::Topic => topic.to_owned(),
            Self::RetryV1 => pop_retry_topic_v1(group, topic),
            Self::RetryV2 => pop_retry_topic_v2(group, topic),
        }
    }
}

/// A receipt: on the wire eight words in the order of these fields, with a blank between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopReceipt {
    /// The first offset of the checkpoint that covers the message.
    pub checkpoint_offset: i64,
    /// ms since the epoch.
    pub pop_time: i64,
    /// How long the message is hidden, ms.
    pub invisible_ms: i64,
    /// The queue of the revive topic its checkpoint lies in, or [`ORDER_QUEUE`].
    pub revive_queue: i32,
    /// Where it lies.
    pub origin: Origin,
    /// The broker that handed it out.
    pub broker: String,
    /// Its queue.
    pub queue_id: i32,
    /// Its place in that queue.
    pub queue_offset: i64,
}

impl PopReceipt {
    /// Whether it was popped in order.
    pub fn is_ordered(&self) -> bool {
        self.revive_queue == ORDER_QUEUE
    }

    /// When the broker may hand the message to someone else, ms since the epoch.
    pub fn due(&self) -> i64 {
        self.pop_time.saturating_add(self.invisible_ms)
    }

    /// The receipt after the message was hidden anew.
    #[must_use]
    pub fn renewed(&self, answer: &ChangeInvisibleTimeResponse) -> Self {
        Self {
            checkpoint_offset: self.queue_offset,
            pop_time: answer.pop_time,
            invisible_ms: answer.invisible_time,
            revive_queue: answer.revive_qid,
            ..self.clone()
        }
    }
}

impl fmt::Display for PopReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checkpoint_offset, pop_time, invisible_ms, revive_queue, .. } = self;
        let (origin, broker) = (self.origin.number(), &self.broker);
        write!(f, "{checkpoint_offset} {pop_time} {invisible_ms} {revive_queue} {origin} {broker} ")?;
        write!(f, "{} {}", self.queue_id, self.queue_offset)
    }
}

/// A text that is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no receipt: send the POP_CK of the message, eight words")]
pub struct ReceiptError(String);

impl FromStr for PopReceipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        parse(text).ok_or_else(|| ReceiptError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<PopReceipt> {
    let mut words = text.split(' ');
    Some(PopReceipt {
        checkpoint_offset: words.next()?.parse().ok()?,
        pop_time: words.next()?.parse().ok()?,
        invisible_ms: words.next()?.parse().ok()?,
        revive_queue: words.next()?.parse().ok()?,
        origin: Origin::of_number(words.next()?),
        broker: words.next()?.to_owned(),
        queue_id: words.next()?.parse().ok()?,
        queue_offset: words.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Given out by Apache 5.4.0 with a message from a retry topic.
    const SEEN: &str = "0 1795409087849 60000 5 1 broker-a 0 0";

    #[test]
    fn a_receipt_reads_and_writes_as_apache_does() {
        let receipt: PopReceipt = SEEN.parse().unwrap();
        assert_eq!((receipt.origin, receipt.due()), (Origin::RetryV1, 1_795_409_147_849));
        assert_eq!(receipt.origin.topic("CGP", "TP"), "%RETRY%CGP_TP");
        assert_eq!(receipt.to_string(), SEEN);
        assert!(!receipt.is_ordered());
    }

    #[test]
    fn seven_words_or_letters_for_numbers_are_no_receipt() {
        for text in ["", "0 1 2 3 0 b 0", "0 x 2 3 0 b 0 0", "0 1 2 9999999999 0 b 0 0"] {
            let error = text.parse::<PopReceipt>().unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn origins_lead_to_their_number_and_back() {
        for origin in [Origin::Topic, Origin::RetryV1, Origin::RetryV2] {
            assert_eq!(Origin::of_number(&origin.number().to_string()), origin);
        }
        assert_eq!(Origin::of_number("7"), Origin::Topic);
    }

    #[test]
    fn a_renewed_receipt_points_at_the_message_itself() {
        let receipt: PopReceipt = "0 100 60000 0 0 broker-a 0 1".parse().unwrap();
        let answer = ChangeInvisibleTimeResponse { pop_time: 200, invisible_time: 5, revive_qid: 3 };
        assert_eq!(receipt.renewed(&answer).to_string(), "1 200 5 3 0 broker-a 0 1");
    }

    #[test]
    fn a_time_near_the_end_of_numbers_is_due_there() {
        let receipt: PopReceipt = "0 9223372036854775807 60000 0 0 b 0 1".parse().unwrap();
        assert_eq!(receipt.due(), i64::MAX);
    }
}
