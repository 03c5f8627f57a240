//! Messages that are not delivered at once are diverted to a topic of the broker, with their destination in their
//! properties. This file moves them there and back; when they come back is decided elsewhere.

use std::borrow::Cow;

use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::message::{MessageRecord, SysFlag};

use crate::broker::delay::levels::{DelayLevels, queue_of_level};
use crate::broker::names;
use crate::broker::send::properties::{SentProperties, TimerProperties};
use crate::exchange::Refusal;
use rocketmq_remoting::code::ResponseCode;

/// The first place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Straight to its topic.
    Direct,
    /// To the schedule topic, for a delay level.
    Level(i32),
    /// To the timer topic, due at this time in milliseconds.
    Timer(i64),
}

/// The settings, and the time, that decide with the message about its placement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacementRules<'a> {
    pub levels: &'a DelayLevels,
    pub timers: bool,
    pub max_delay_ms: i64,
    pub now: i64,
}

impl PlacementRules<'_> {
    /// Decides by the properties. A delay level wins over a delivery time, as in Apache.
    ///
    /// # Errors
    /// A delay that is no number, a delivery time too far away, or timers switched off.
    pub(crate) fn place(&self, sent: &SentProperties<'_>) -> Result<Placement, Refusal> {
        let level = match sent.delay {
            Some(text) => number::<i32>(text)?,
            None => 0,
        };
        if level > 0 {
            return Ok(Placement::Level(self.levels.clamp(level)));
        }
        if sent.timer.is_set() {
            return self.place_timer(&sent.timer);
        }
        Ok(Placement::Direct)
    }

    fn place_timer(&self, timer: &TimerProperties<'_>) -> Result<Placement, Refusal> {
        if !self.timers {
            return Err(Refusal::system("the timer wheel is switched off; set timerWheelEnable=true"));
        }
        let due = self.due(timer)?;
        if due.saturating_sub(self.now) > self.max_delay_ms {
            let remark = format!(
                "timer message illegal, the delay time should not be bigger than the max delay {}ms",
                self.max_delay_ms
            );
            return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
        }
        if due > self.now {
            return Ok(Placement::Timer(due));
        }
        if timer.cancels.is_some() {
            let remark = "the message to be recalled is due already";
            return Err(Refusal::new(ResponseCode::MESSAGE_ILLEGAL, remark));
        }
        Ok(Placement::Direct)
    }

    fn due(&self, timer: &TimerProperties<'_>) -> Result<i64, Refusal> {
        if let Some(seconds) = timer.delay_seconds {
            return Ok(self.now.saturating_add(number::<i64>(seconds)?.saturating_mul(1000)));
        }
        if let Some(millis) = timer.delay_millis {
            return Ok(self.now.saturating_add(number(millis)?));
        }
        timer.deliver_at.map_or(Ok(self.now), number)
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, Refusal> {
    text.parse().map_err(|_| {
        Refusal::system(format_args!("java.lang.NumberFormatException: For input string: \"{text}\""))
    })
}

/// Diverts a message to the topic where it waits, if its placement says so.
pub(crate) fn divert(mut record: MessageRecord, placement: Placement) -> MessageRecord {
    match placement {
        Placement::Direct => {}
        Placement::Level(level) => {
            let mut properties = with_destination(&record);
            properties.set(property::DELAY, level.to_string());
            for timer in [property::TIMER_DELIVER_MS, property::TIMER_DELAY_MS, property::TIMER_DELAY_SEC] {
                properties.remove(timer);
            }
            move_to(&mut record, names::SCHEDULE_TOPIC, queue_of_level(level), &properties);
        }
        Placement::Timer(due) => {
            let mut properties = with_destination(&record);
            properties.set(property::TIMER_OUT_MS, due.to_string());
            move_to(&mut record, names::TIMER_TOPIC, 0, &properties);
        }
    }
    record
}

/// Turns a transaction's message into its half.
pub(crate) fn into_half(mut record: MessageRecord, unique_key: Option<&str>) -> MessageRecord {
    let mut properties = with_destination(&record);
    if let Some(key) = unique_key {
        properties.set(property::TRANSACTION_ID, key);
    }
    record.sys_flag = record.sys_flag.without(SysFlag::TRANSACTION_MASK);
    move_to(&mut record, names::HALF_TOPIC, 0, &properties);
    record
}

fn with_destination(record: &MessageRecord) -> Properties {
    let mut properties = Properties::parse(&record.properties);
    properties.set(property::REAL_TOPIC, record.topic.as_str());
    properties.set(property::REAL_QID, record.queue_id.to_string());
    properties
}

fn move_to(record: &mut MessageRecord, topic: &str, queue: i32, properties: &Properties) {
    record.topic = topic.to_owned();
    record.queue_id = queue;
    record.properties = properties.encode_stored();
}

/// Sets a diverted message on its way to its real destination; `None` when its properties do not name one.
///
/// The properties stay as they are: Apache's consumers see DELAY and REAL_TOPIC too.
pub(crate) fn restore(mut record: MessageRecord) -> Option<MessageRecord> {
    let (topic, queue) = destination(&record.properties)?;
    record.topic = topic.into_owned();
    record.queue_id = queue;
    Some(record)
}

fn destination(properties: &str) -> Option<(Cow<'static, str>, i32)> {
    let properties = Properties::parse(properties);
    let (topic, queue) = properties.real_destination()?;
    Some((Cow::Owned(topic.to_owned()), queue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(wire: &str, now: i64) -> Result<Placement, Refusal> {
        let rules =
            PlacementRules { levels: &DelayLevels::default(), timers: true, max_delay_ms: 10_000, now };
        rules.place(&SentProperties::scan(wire))
    }

    #[test]
    fn a_level_above_the_highest_is_the_highest_and_a_negative_one_is_none() {
        assert_eq!(place("DELAY\u{1}99\u{2}", 0), Ok(Placement::Level(18)));
        assert_eq!(place("DELAY\u{1}-1\u{2}", 0), Ok(Placement::Direct));
        assert_eq!(place("DELAY\u{1}x\u{2}", 0).unwrap_err().code(), ResponseCode::SYSTEM_ERROR);
    }

    #[test]
    fn delivery_times_are_exact_and_bounded() {
        assert_eq!(place("TIMER_DELAY_MS\u{1}1234\u{2}", 1), Ok(Placement::Timer(1235)));
        assert_eq!(place("TIMER_DELAY_SEC\u{1}2\u{2}", 1), Ok(Placement::Timer(2001)));
        assert_eq!(place("TIMER_DELIVER_MS\u{1}5\u{2}", 5), Ok(Placement::Direct));
        let again = "TIMER_DELAY_MS\u{1}1234\u{2}TIMER_OUT_MS\u{1}1235\u{2}";
        assert_eq!(place(again, 2000), Ok(Placement::Direct), "it has waited, as in Apache");
        let far = place("TIMER_DELIVER_MS\u{1}10002\u{2}", 1).unwrap_err();
        assert_eq!(far.code(), ResponseCode::MESSAGE_ILLEGAL);
    }

    #[test]
    fn a_diverted_message_finds_its_way_back() {
        let record = MessageRecord {
            topic: "t".into(),
            queue_id: 3,
            properties: "a\u{1}b\u{2}".into(),
            ..MessageRecord::default()
        };
        let diverted = divert(record, Placement::Level(2));
        assert_eq!((diverted.topic.as_str(), diverted.queue_id), (names::SCHEDULE_TOPIC, 1));
        let back = restore(diverted).unwrap();
        assert_eq!((back.topic.as_str(), back.queue_id), ("t", 3));
        assert_eq!(Properties::parse(&back.properties).delay_level(), 2);
        assert!(restore(MessageRecord::default()).is_none());
    }

    #[test]
    fn a_half_message_carries_no_transaction_bits() {
        let record = MessageRecord {
            topic: "t".into(),
            sys_flag: SysFlag(SysFlag::TRANSACTION_PREPARED | SysFlag::COMPRESSED),
            ..MessageRecord::default()
        };
        let half = into_half(record, Some("k"));
        assert_eq!(half.topic, names::HALF_TOPIC);
        assert_eq!(half.sys_flag, SysFlag(SysFlag::COMPRESSED));
        assert_eq!(Properties::parse(&half.properties).get(property::TRANSACTION_ID), Some("k"));
    }
}
