//! The helpers of requests for tools: `MQAdmin` and `MQAdminExt` of Java.

use rocketmq_remoting::DecodeError;

use super::handle::Client;
use crate::cluster::route::Purpose;
use crate::error::{CallError, CallErrorKind};

impl Client {
    /// Finds the brokers of a topic, which is named as on the wire: name and address of each.
    pub(super) async fn brokers(&self, topic: &str) -> Result<Vec<(String, String)>, CallError> {
        let cluster = &self.membership.cluster;
        cluster.topic(topic, Purpose::Read, None).await.map_err(CallError::no_route)?;
        Ok(cluster.brokers_of(topic))
    }
}

pub(super) fn no_offset_id(error: DecodeError) -> CallError {
    let text = format!("{error}; the id a producer gives is looked up with Client::find_message");
    CallError::new(CallErrorKind::InvalidRequest, text)
}
