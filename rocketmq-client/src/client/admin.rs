//! What applications ask of a cluster beside sending and receiving: about stored messages, as every producer and consumer of
//! Java's can (`MQAdmin`), and about the members of a group, as Apache's tools do (`MQAdminExt`).

use rocketmq_remoting::DecodeError;

use crate::client::Inner;
use crate::error::{CallError, CallErrorKind};

impl Inner {
    /// The brokers of a topic, named as on the wire, with an address each.
    pub(super) async fn brokers(&self, topic: &str) -> Result<Vec<(String, String)>, CallError> {
        self.topic_info(topic).await.map_err(CallError::no_route)?;
        Ok(self.brokers_of(topic))
    }
}

pub(super) fn no_offset_id(error: DecodeError) -> CallError {
    let text = format!("{error}; the id a producer gives is looked up with Client::find_message");
    CallError::new(CallErrorKind::InvalidRequest, text)
}
