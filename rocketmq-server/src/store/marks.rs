//! The marks by which a message is found: the code in its consume queue, and the hashes under which the index keeps it.

use rocketmq_remoting::message::properties::{self, names};
use rocketmq_remoting::message::{SysFlag, TransactionKind};
use rocketmq_remoting::names::SCHEDULE_TOPIC;
use rocketmq_remoting::subscription::java_string_hash;

/// Taken from a message's properties in one pass, before the writer's lock is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    tag_hash: i64,
    delay_level: i32,
    /// Hashes for the index, `UNIQ_KEY` first.
    pub keys: Vec<i32>,
}

impl Marks {
    pub(crate) fn of(topic: &str, wire: &str, flag: SysFlag, indexed: bool) -> Self {
        let (mut tags, mut unique, mut keys, mut delay) = (None, None, None, None);
        for (name, value) in properties::pairs(wire) {
            match name {
                names::TAGS => tags = Some(value),
                names::UNIQ_KEY => unique = Some(value),
                names::KEYS => keys = Some(value),
                names::DELAY => delay = Some(value),
                _ => {}
            }
        }
        let mut marks = Self { tag_hash: i64::from(tags.map_or(0, java_string_hash)), ..Self::default() };
        if topic == SCHEDULE_TOPIC {
            marks.delay_level = delay.and_then(|d| d.parse().ok()).unwrap_or(0);
        }
        if indexed && flag.transaction() != TransactionKind::Rollback {
            let words = keys.into_iter().flat_map(|k| k.split(' ')).filter(|word| !word.is_empty());
            let plain = unique.into_iter().chain(words).map(|key| key_hash(topic, key));
            marks.keys.extend(plain.chain(tags.map(|tag| tag_key_hash(topic, tag))));
        }
        marks
    }

    /// The code of the message's unit: the hash of its tag, or when it is due if it waits for a delay.
    pub(crate) fn tags_code(&self, stored_at: i64, delay_levels_ms: &[i64]) -> i64 {
        let Ok(level) = usize::try_from(self.delay_level) else { return self.tag_hash };
        match delay_levels_ms.get(level.min(delay_levels_ms.len()).wrapping_sub(1)) {
            Some(delay) => stored_at.saturating_add(*delay),
            None => self.tag_hash,
        }
    }
}

/// Returns true if messages of this kind get a place in a consume queue. Others are numbered 0 and never consumed.
pub(crate) fn is_queued(flag: SysFlag) -> bool {
    matches!(flag.transaction(), TransactionKind::None | TransactionKind::Commit)
}

/// The index's hash of a message key.
pub(crate) fn key_hash(topic: &str, key: &str) -> i32 {
    index_hash(&[topic, "#", key])
}

/// The index's hash of a tag (5.x).
pub(crate) fn tag_key_hash(topic: &str, tag: &str) -> i32 {
    index_hash(&[topic, "#T#", tag])
}

/// `Math.abs` of the joined text's Java hash, 0 where that overflows.
fn index_hash(parts: &[&str]) -> i32 {
    let units = parts.iter().flat_map(|part| part.encode_utf16());
    units.fold(0i32, |h, u| h.wrapping_mul(31).wrapping_add(i32::from(u))).checked_abs().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [i64; 3] = [1_000, 5_000, 10_000];

    fn marks(topic: &str, properties: &str) -> Marks {
        Marks::of(topic, properties, SysFlag(0), true)
    }

    #[test]
    fn a_tag_gives_the_code_and_no_tag_gives_0() {
        assert_eq!(marks("T", "TAGS\u{1}TagA\u{2}").tags_code(7, &LEVELS), 2_598_919);
        assert_eq!(marks("T", "").tags_code(7, &LEVELS), 0);
    }

    #[test]
    fn only_the_schedule_topic_keeps_the_due_time() {
        let properties = "DELAY\u{1}2\u{2}TAGS\u{1}TagA\u{2}";
        assert_eq!(marks("T", properties).tags_code(1_000_000, &LEVELS), 2_598_919);
        assert_eq!(marks(SCHEDULE_TOPIC, properties).tags_code(1_000_000, &LEVELS), 1_005_000);
        assert_eq!(marks(SCHEDULE_TOPIC, "DELAY\u{1}99\u{2}").tags_code(0, &LEVELS), 10_000);
        assert_eq!(marks(SCHEDULE_TOPIC, "DELAY\u{1}x\u{2}").tags_code(0, &LEVELS), 0);
        assert_eq!(marks(SCHEDULE_TOPIC, "DELAY\u{1}1\u{2}").tags_code(0, &[]), 0);
    }

    #[test]
    fn unique_key_words_and_tag_are_indexed_in_this_order() {
        let found = marks("T", "KEYS\u{1}a  b\u{2}UNIQ_KEY\u{1}u\u{2}TAGS\u{1}t\u{2}");
        let expected = ["T#u", "T#a", "T#b", "T#T#t"].map(|k| java_string_hash(k).abs());
        assert_eq!(found.keys, expected);
        let rolled_back = SysFlag(SysFlag::TRANSACTION_ROLLBACK);
        assert!(Marks::of("T", "KEYS\u{1}a\u{2}", rolled_back, true).keys.is_empty());
        assert!(Marks::of("T", "KEYS\u{1}a\u{2}", SysFlag(0), false).keys.is_empty());
    }

    #[test]
    fn a_hash_without_a_positive_counterpart_is_0() {
        assert_eq!(java_string_hash("polygenelubricants"), i32::MIN);
        assert_eq!(index_hash(&["polygene", "lubricants"]), 0);
    }
}
