//! Receipts of popped messages. A consumer sends one to acknowledge a message or to hide it longer.
//!
//! For a message from a retry topic the broker writes the receipt into the property `POP_CK`; for other messages the
//! consumer builds it from the answer to the pop.
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

/// Revive queue in the receipt of an ordered pop, which has no checkpoint.
pub const ORDER_QUEUE: i32 = 999;

/// Tells the topic that stores a popped message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The topic of the pop request.
    Topic,
    /// The retry topic `%RETRY%group_topic`.
    RetryV1,
    /// The retry topic `%RETRY%group+topic`.
    RetryV2,
}

impl Origin {
    /// Returns the number of this origin in receipts and in the answer to a pop.
    pub fn number(self) -> u8 {
        match self {
            Self::Topic => 0,
            Self::RetryV1 => 1,
            Self::RetryV2 => 2,
        }
    }

    /// Does the reverse of [`number`](Self::number). An unknown text means the topic itself, as in Apache.
    pub fn of_number(text: &str) -> Self {
        match text {
            "1" => Self::RetryV1,
            "2" => Self::RetryV2,
            _ => Self::Topic,
        }
    }

    /// Returns the name of the topic that stores the message. Requests about the message must give this name.
    pub fn topic(self, group: &str, topic: &str) -> String {
        match self {
            Self::Topic => topic.to_owned(),
            Self::RetryV1 => pop_retry_topic_v1(group, topic),
            Self::RetryV2 => pop_retry_topic_v2(group, topic),
        }
    }
}

/// A receipt. On the wire it is eight words in the order of these fields, with a space between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopReceipt {
    /// First offset of the checkpoint that covers the message.
    pub checkpoint_offset: i64,
    /// Time of the pop, ms since the epoch.
    pub pop_time: i64,
    /// Time for which the message stays hidden, ms.
    pub invisible_ms: i64,
    /// Queue of the revive topic that stores the checkpoint, or [`ORDER_QUEUE`].
    pub revive_queue: i32,
    /// Topic that stores the message.
    pub origin: Origin,
    /// Name of the broker that answered the pop.
    pub broker: String,
    /// Queue of the message.
    pub queue_id: i32,
    /// Offset of the message in that queue.
    pub queue_offset: i64,
}

impl PopReceipt {
    /// Returns true for an ordered pop.
    pub fn is_ordered(&self) -> bool {
        self.revive_queue == ORDER_QUEUE
    }

    /// Returns the time from which the broker may deliver the message again, ms since the epoch.
    pub fn due(&self) -> i64 {
        self.pop_time.saturating_add(self.invisible_ms)
    }

    /// Returns the receipt that replaces this one after the broker hid the message longer.
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

/// Reports a text that is no receipt.
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
    fn a_receipt_of_apache_reads_and_writes_unchanged() {
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
    fn a_due_time_beyond_the_largest_number_is_that_number() {
        let receipt: PopReceipt = "0 9223372036854775807 60000 0 0 b 0 1".parse().unwrap();
        assert_eq!(receipt.due(), i64::MAX);
    }
}
