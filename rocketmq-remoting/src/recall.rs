//! Recall handles: each names a timer message to its broker, so that the producer can recall it.
//!
//! ```
//! use rocketmq_remoting::recall::RecallHandle;
//!
//! let handle = "djEgVDEgYnJva2VyLWEgMTcwMDAwMDAwMDAwMSAwQTAwMDAwNTEyMzQxOEI0QUFDMjBBNENCODdCMDAwQQ==";
//! assert_eq!(RecallHandle::decode(handle).unwrap().topic, "T1");
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

const VERSION: &str = "v1";

/// The parts of a recall handle. On the wire it is `v1 <topic> <broker> <due + 1> <message id>` in URL-safe Base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallHandle {
    /// Topic of the message, as on the wire.
    pub topic: String,
    /// Name of the broker that stores the message.
    pub broker: String,
    /// Time to deliver, ms since the epoch.
    pub due: i64,
    /// Unique key of the message.
    pub message_id: String,
}

impl RecallHandle {
    /// Returns the text of the handle, as in the answer to a send.
    pub fn encode(&self) -> String {
        let Self { topic, broker, due, message_id } = self;
        // Apache writes the millisecond after the due time.
        let after = due.saturating_add(1);
        URL_SAFE.encode(format!("{VERSION} {topic} {broker} {after} {message_id}"))
    }

    /// Reads a handle. Returns `None` for another text, and for a handle of a later version.
    pub fn decode(handle: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE.decode(handle).ok()?).ok()?;
        let parts: Vec<&str> = text.split(' ').collect();
        let [VERSION, topic, broker, after, message_id] = parts[..] else {
            return None;
        };
        Some(Self {
            topic: topic.to_owned(),
            broker: broker.to_owned(),
            due: after.parse::<i64>().ok()?.checked_sub(1)?,
            message_id: message_id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_of_apache_reads_and_writes_unchanged() {
        let text = "djEgVDEgYnJva2VyLWEgMTcwMDAwMDAwMDAwMSAwQTAwMDAwNTEyMzQxOEI0QUFDMjBBNENCODdCMDAwQQ==";
        let handle = RecallHandle {
            topic: "T1".into(),
            broker: "broker-a".into(),
            due: 1_700_000_000_000,
            message_id: "0A000005123418B4AAC20A4CB87B000A".into(),
        };
        assert_eq!(RecallHandle::decode(text).as_ref(), Some(&handle));
        assert_eq!(handle.encode(), text);
    }

    #[test]
    fn other_texts_are_no_handle() {
        for bad in ["", "v1 T b 1 id", "djI=", "!!!"] {
            assert_eq!(RecallHandle::decode(bad), None, "{bad}");
        }
        for bad in
            ["v2 T b 1 id", "v1 T b x id", "v1 T b 1", "v1 T b 1 id more", "v1 T b -9223372036854775808 id"]
        {
            assert_eq!(RecallHandle::decode(&URL_SAFE.encode(bad)), None, "{bad}");
        }
    }
}
