//! Locks of queues.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use serde::{Deserialize, Serialize};

use crate::route::MessageQueue;

/// Queues to lock or to unlock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LockBatchBody {
    pub client_id: String,
    pub consumer_group: String,
    pub mq_set: Vec<MessageQueue>,
    /// `false` lets a strict broker ask its replicas. Unknown to 4.9.
    pub only_this_broker: bool,
}

/// The queues that the client has locked now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LockBatchResult {
    #[serde(rename = "lockOKMQSet")]
    pub lock_ok_mq_set: Vec<MessageQueue>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fastjson;

    #[test]
    fn json_has_the_names_of_java() {
        let text = r#"{"clientId":"c","consumerGroup":"g","mqSet":[{"brokerName":"b","queueId":1,"topic":"T"}],"onlyThisBroker":false}"#;
        let read: LockBatchBody = fastjson::from_slice(text.as_bytes()).unwrap();
        assert_eq!(fastjson::to_vec(&read).unwrap(), text.as_bytes());
        let result = LockBatchResult { lock_ok_mq_set: read.mq_set };
        let text = r#"{"lockOKMQSet":[{"brokerName":"b","queueId":1,"topic":"T"}]}"#;
        assert_eq!(fastjson::to_vec(&result).unwrap(), text.as_bytes());
    }
}
