//! Acknowledgements of many popped messages at once.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The acknowledged messages, by checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchAckBody {
    pub acks: Vec<BatchAck>,
    pub broker_name: String,
}

/// The acknowledged messages of one checkpoint. Java writes the one-letter names and reads both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchAck {
    #[serde(rename = "b", alias = "bitSet")]
    pub bits: BitSet,
    #[serde(rename = "c", alias = "consumerGroup")]
    pub consumer_group: String,
    /// In ms.
    #[serde(rename = "it", alias = "invisibleTime")]
    pub invisible_time: i64,
    /// In ms since the epoch.
    #[serde(rename = "pt", alias = "popTime")]
    pub pop_time: i64,
    #[serde(rename = "q", alias = "queueId")]
    pub queue_id: i32,
    /// `0` for the topic itself, `1` for its retry topic in the old form, `2` for the one in the new form.
    #[serde(rename = "r", alias = "retry")]
    pub retry: String,
    #[serde(rename = "rq", alias = "reviveQueueId")]
    pub revive_queue_id: i32,
    #[serde(rename = "so", alias = "startOffset")]
    pub start_offset: i64,
    #[serde(rename = "t", alias = "topic")]
    pub topic: String,
}

/// The offsets of the acknowledged messages, counted from `start_offset`. On the wire it is Java's `BitSet`:
/// little-endian bytes in Base64.
///
/// ```
/// use rocketmq_remoting::body::BitSet;
///
/// let set: BitSet = [0, 9].into_iter().collect();
/// assert!(set.contains(9) && !set.contains(1));
/// assert_eq!(rocketmq_remoting::fastjson::to_vec(&set)?, b"\"AQI=\"");
/// # Ok::<(), rocketmq_remoting::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitSet {
    bytes: Vec<u8>,
}

impl BitSet {
    /// Largest number of a set. It is far more than one checkpoint covers, and bounds the memory.
    pub const MAX_BIT: usize = 65_535;

    /// Adds `bit`. Returns false, and adds nothing, for a number beyond [`MAX_BIT`](Self::MAX_BIT).
    pub fn insert(&mut self, bit: usize) -> bool {
        if bit > Self::MAX_BIT {
            return false;
        }
        if self.bytes.len() <= bit / 8 {
            self.bytes.resize(bit / 8 + 1, 0);
        }
        self.bytes[bit / 8] |= 1 << (bit % 8);
        true
    }

    /// Returns true if the set contains `bit`.
    pub fn contains(&self, bit: usize) -> bool {
        self.bytes.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }

    /// Returns the numbers in the set, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.bytes.len() * 8).filter(|bit| self.contains(*bit))
    }
}

impl FromIterator<usize> for BitSet {
    /// Collects a set. Leaves out numbers beyond [`MAX_BIT`](Self::MAX_BIT).
    fn from_iter<I: IntoIterator<Item = usize>>(bits: I) -> Self {
        let mut set = Self::default();
        for bit in bits {
            set.insert(bit);
        }
        set
    }
}

impl Serialize for BitSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for BitSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = STANDARD.decode(text.trim()).map_err(|_| de::Error::custom("a bit set in Base64"))?;
        if bytes.len() > Self::MAX_BIT / 8 + 1 {
            return Err(de::Error::custom(format!("a bit set of at most {} bits", Self::MAX_BIT + 1)));
        }
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(used);
        Ok(Self { bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn bit_sets_equal_those_of_java() {
        for (bits, text) in [(vec![0, 9], "\"AQI=\""), (vec![0, 3, 9], "\"CQI=\""), (vec![], "\"\"")] {
            let set: BitSet = bits.iter().copied().collect();
            assert_eq!(fastjson::to_vec(&set).unwrap(), text.as_bytes());
            let back: BitSet = fastjson::from_slice(text.as_bytes()).unwrap();
            assert_eq!(back.iter().collect::<Vec<_>>(), bits);
        }
        assert!(fastjson::from_slice::<BitSet>(b"[1]").is_err());
        assert!(!BitSet::default().insert(BitSet::MAX_BIT + 1));
    }

    #[test]
    fn long_and_short_names_read_alike() {
        let short = r#"{"acks":[{"b":"AQI=","c":"g","it":60000,"pt":5,"q":1,"r":"0","rq":2,"so":7,"t":"T"}],"brokerName":"b"}"#;
        let long = r#"{"brokerName":"b","acks":[{"consumerGroup":"g","topic":"T","retry":"0","startOffset":7,"queueId":1,"reviveQueueId":2,"popTime":5,"invisibleTime":60000,"bitSet":"AQI="}]}"#;
        let read: BatchAckBody = fastjson::from_slice(short.as_bytes()).unwrap();
        assert_eq!(fastjson::from_slice::<BatchAckBody>(long.as_bytes()).unwrap(), read);
        assert_eq!(fastjson::to_vec(&read).unwrap(), short.as_bytes());
    }
}
