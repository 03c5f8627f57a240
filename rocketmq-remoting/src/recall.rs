//! Recall handles: what names a timer message to the broker that is to take it back.
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

/// A handle taken apart. On the wire it is `v1 <topic> <broker> <due + 1> <message id>` in URL-safe Base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallHandle {
    /// The topic it was sent to, as it is on the wire.
    pub topic: String,
    /// The broker that keeps it.
    pub broker: String,
    /// When it is due, ms since the epoch.
    pub due: i64,
    /// Its unique key.
    pub message_id: String,
}

impl RecallHandle {
    /// As answers to sends carry it.
    pub fn encode(&self) -> String {
        let Self { topic, broker, due, message_id } = self;
        // Apache names the millisecond after the due time.
        let after = due.saturating_add(1);
        URL_SAFE.encode(format!("{VERSION} {topic} {broker} {after} {message_id}"))
    }

    /// `None` for a text that is no handle, or one of a later version.
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
    fn apaches_handle_reads_and_writes_as_apache_does() {
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
    fn anything_else_is_no_handle() {
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
