//! Receipts, and the strings of a pop answer from which clients make them.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::super::answer::Refusal;
use super::retry_topic::Origin;

/// The revive queue named in receipts of ordered pops, which have no checkpoint.
pub const ORDER_QUEUE: i32 = 999;

/// What a client shows to acknowledge a message: eight words with a blank between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The first offset of the checkpoint that covers the message.
    pub start_offset: i64,
    /// Milliseconds since 1970.
    pub pop_time: i64,
    /// Milliseconds.
    pub invisible_time: i64,
    pub revive_queue: i32,
    pub origin: Origin,
    pub broker_name: String,
    pub queue_id: i32,
    pub offset: i64,
}

impl Receipt {
    pub fn is_ordered(&self) -> bool {
        self.revive_queue == ORDER_QUEUE
    }

    /// When the message is to be seen again, in milliseconds since 1970.
    pub fn due(&self) -> i64 {
        self.pop_time.saturating_add(self.invisible_time)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {} {} {}",
            self.start_offset,
            self.pop_time,
            self.invisible_time,
            self.revive_queue,
            self.origin.digit(),
            self.broker_name,
            self.queue_id,
            self.offset
        )
    }
}

impl FromStr for Receipt {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        parse(text).ok_or_else(|| {
            Refusal::system(format_args!(
                "extraInfo {text:?} is no receipt: send the POP_CK of the message, eight words"
            ))
        })
    }
}

fn parse(text: &str) -> Option<Receipt> {
    let mut words = text.split(' ');
    Some(Receipt {
        start_offset: words.next()?.parse().ok()?,
        pop_time: words.next()?.parse().ok()?,
        invisible_time: words.next()?.parse().ok()?,
        revive_queue: words.next()?.parse().ok()?,
        origin: Origin::of_digit(words.next()?),
        broker_name: words.next()?.to_owned(),
        queue_id: words.next()?.parse().ok()?,
        offset: words.next()?.parse().ok()?,
    })
}

/// `startOffsetInfo`, `msgOffsetInfo` and `orderCountInfo` of a pop answer. A queue may be in each only once: the Java
/// client refuses the answer otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetInfo {
    pub starts: String,
    pub messages: String,
    pub counts: String,
}

impl OffsetInfo {
    /// Notes what was taken from one queue.
    pub fn queue(&mut self, origin: Origin, queue: i32, start: i64, offsets: &[i64]) {
        let list = offsets.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        entry(&mut self.starts, format_args!("{} {queue} {start}", origin.digit()));
        entry(&mut self.messages, format_args!("{} {queue} {list}", origin.digit()));
    }

    /// Notes how often one message was handed out before.
    pub fn message_count(&mut self, queue: i32, offset: i64, count: i32) {
        entry(&mut self.counts, format_args!("0 qo{queue}%{offset} {count}"));
    }

    /// Notes how often all messages of one queue were handed out before.
    pub fn queue_count(&mut self, queue: i32, count: i32) {
        entry(&mut self.counts, format_args!("0 {queue} {count}"));
    }
}

fn entry(info: &mut String, text: fmt::Arguments<'_>) {
    if !info.is_empty() {
        info.push(';');
    }
    // Writing to a string cannot fail.
    let _ = info.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Given out by Apache 5.4.0 with a message from a retry topic.
    const SEEN: &str = "0 1795409087849 60000 5 1 broker-a 0 0";

    #[test]
    fn a_receipt_reads_and_writes_as_apache_does() {
        let receipt: Receipt = SEEN.parse().unwrap();
        assert_eq!(receipt.origin, Origin::RetryV1);
        assert_eq!(receipt.due(), 1_795_409_147_849);
        assert_eq!(receipt.to_string(), SEEN);
    }

    #[test]
    fn seven_words_or_letters_for_numbers_are_no_receipt() {
        for text in ["", "0 1 2 3 0 b 0", "0 x 2 3 0 b 0 0"] {
            let error = text.parse::<Receipt>().unwrap_err();
            assert!(error.remark().contains(text), "{error}");
        }
    }

    #[test]
    fn the_strings_of_an_answer_are_apaches() {
        let mut info = OffsetInfo::default();
        info.queue(Origin::Topic, 1, 0, &[0]);
        info.queue(Origin::Topic, 0, 0, &[0, 1]);
        info.message_count(0, 7, 2);
        info.queue_count(0, 0);
        assert_eq!(info.starts, "0 1 0;0 0 0");
        assert_eq!(info.messages, "0 1 0;0 0 0,1");
        assert_eq!(info.counts, "0 qo0%7 2;0 0 0");
    }
}
