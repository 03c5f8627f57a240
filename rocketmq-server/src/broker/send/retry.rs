//! Messages a consumer could not handle: back through a delay level to the retry topic, or to the dead letter queue.

use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::message::properties::{Properties, names as property};

use crate::broker::log::notes;
use crate::broker::names;

/// The level of the first retry; later ones climb from here.
const FIRST_RETRY_LEVEL: i32 = 3;

/// The properties of a message that asked to be delivered later.
const WAITED: [&str; 4] =
    [property::DELAY, property::TIMER_DELIVER_MS, property::TIMER_DELAY_MS, property::TIMER_DELAY_SEC];

/// The fate of a message that was sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Again { level: i32 },
    DeadLetter,
}

/// Decides about a message sent back (request 36): `level` below 0 gives up, 0 climbs with each retry.
pub(crate) fn fate(reconsume_times: i32, max: i32, level: i32) -> Fate {
    match level {
        _ if reconsume_times >= max => Fate::DeadLetter,
        ..0 => Fate::DeadLetter,
        0 => Fate::Again { level: FIRST_RETRY_LEVEL.saturating_add(reconsume_times) },
        level => Fate::Again { level },
    }
}

/// The record that carries a message back: to `topic` and `queue`, one retry older, remembering where it began.
///
/// A dead letter always fits into a record, if need be without these notes. A retry needs them; one that does not fit is refused
/// by the store.
pub(crate) fn sent_back(
    original: MessageRecord,
    topic: String,
    queue: i32,
    fate: Fate,
    origin_id: String,
) -> MessageRecord {
    let mut properties = Properties::parse(&original.properties);
    // A message that waited for a delay or a delivery time must not wait for it again.
    for waited in WAITED {
        properties.remove(waited);
    }
    let first_topic = properties.retry_topic().unwrap_or(&original.topic).to_owned();
    let first_id = properties.get(property::ORIGIN_MESSAGE_ID).map_or(origin_id, str::to_owned);
    let level = match fate {
        Fate::Again { level } => level,
        Fate::DeadLetter => 0,
    };
    let origin = [
        (property::RETRY_TOPIC, first_topic),
        (property::ORIGIN_MESSAGE_ID, first_id),
        (property::DELAY, level.to_string()),
        (property::WAIT, "false".to_owned()),
    ];
    for (name, value) in origin {
        if fate == Fate::DeadLetter {
            notes::note(&mut properties, name, value);
        } else {
            properties.set(name, value);
        }
    }
    MessageRecord {
        topic,
        queue_id: queue,
        properties: notes::encode(&properties),
        reconsume_times: original.reconsume_times.saturating_add(1),
        ..original
    }
}

/// Returns true if a plain send to a retry topic goes to the dead letter queue instead. It compares `>`; request 36 compares `>=`.
pub(crate) fn is_exhausted(reconsume_times: i32, max: i32, group_is_ordered: bool) -> bool {
    reconsume_times > max || group_is_ordered
}

/// The topic a message with this fate is stored under.
pub(crate) fn topic_of(fate: Fate, group: &str) -> String {
    match fate {
        Fate::Again { .. } => names::retry_topic(group),
        Fate::DeadLetter => names::dlq_topic(group),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_climb_until_the_maximum_is_reached() {
        assert_eq!(fate(0, 16, 0), Fate::Again { level: 3 });
        assert_eq!(fate(15, 16, 0), Fate::Again { level: 18 });
        assert_eq!(fate(16, 16, 0), Fate::DeadLetter);
        assert_eq!(fate(0, 16, -1), Fate::DeadLetter);
        assert_eq!(fate(0, 16, 7), Fate::Again { level: 7 });
        assert_eq!(fate(2, 2, 7), Fate::DeadLetter);
    }

    #[test]
    fn a_plain_send_is_given_one_retry_more() {
        assert!(!is_exhausted(16, 16, false));
        assert!(is_exhausted(17, 16, false));
        assert!(is_exhausted(0, 16, true));
    }

    #[test]
    fn a_client_may_claim_as_many_retries_as_it_likes() {
        assert_eq!(fate(i32::MAX - 1, i32::MAX, 0), Fate::Again { level: i32::MAX });
        let claimed = MessageRecord { reconsume_times: i32::MAX, ..MessageRecord::default() };
        let again = sent_back(claimed, "%DLQ%g".into(), 0, Fate::DeadLetter, "id".into());
        assert_eq!(again.reconsume_times, i32::MAX);
    }

    #[test]
    fn a_dead_letter_fits_whatever_the_message_holds() {
        let full = format!("DELAY\u{1}3\u{2}a\u{1}{}\u{2}", "x".repeat(32_767 - 8 - 3));
        let original = MessageRecord { topic: "t".into(), properties: full, ..MessageRecord::default() };
        let dead = sent_back(original.clone(), "%DLQ%g".into(), 0, Fate::DeadLetter, "id".into());
        assert!(dead.properties.len() <= 32_767);
        assert_ne!(Properties::parse(&dead.properties).get("DELAY"), Some("3"));
        let again = sent_back(original, "%RETRY%g".into(), 0, fate(0, 16, 0), "id".into());
        assert!(again.properties.len() > 32_767, "it would lose its way");
    }

    #[test]
    fn the_first_topic_and_id_are_kept_through_every_round() {
        let original = MessageRecord { topic: "t".into(), ..MessageRecord::default() };
        let once = sent_back(original, "%RETRY%g".into(), 0, fate(0, 16, 0), "id".into());
        let twice = sent_back(once, "%RETRY%g".into(), 0, Fate::DeadLetter, "other".into());
        let properties = Properties::parse(&twice.properties);
        assert_eq!(properties.retry_topic(), Some("t"));
        assert_eq!(properties.get("ORIGIN_MESSAGE_ID"), Some("id"));
        assert_eq!(properties.get("DELAY"), Some("0"));
        assert_eq!(twice.reconsume_times, 2);
    }
}
