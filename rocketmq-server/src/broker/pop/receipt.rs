//! The strings of a pop answer from which clients make their receipts.

use std::fmt::{self, Write as _};

use rocketmq_remoting::receipt::Origin;

/// `startOffsetInfo`, `msgOffsetInfo` and `orderCountInfo` of a pop answer. A queue may be in each only once: the Java
/// client refuses the answer otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OffsetInfo {
    pub starts: String,
    pub messages: String,
    pub counts: String,
}

impl OffsetInfo {
    /// Notes what was taken from one queue.
    pub(crate) fn queue(&mut self, origin: Origin, queue: i32, start: i64, offsets: &[i64]) {
        let list = offsets.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        entry(&mut self.starts, format_args!("{} {queue} {start}", origin.number()));
        entry(&mut self.messages, format_args!("{} {queue} {list}", origin.number()));
    }

    /// Notes how often one message was handed out before.
    pub(crate) fn message_count(&mut self, queue: i32, offset: i64, count: i32) {
        entry(&mut self.counts, format_args!("0 qo{queue}%{offset} {count}"));
    }

    /// Notes how often all messages of one queue were handed out before.
    pub(crate) fn queue_count(&mut self, queue: i32, count: i32) {
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
