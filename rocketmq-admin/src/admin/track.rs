//! The groups that have consumed a message, and those that have not.

use rocketmq_client::Delivery;
use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::body::{ConsumeType, ConsumerConnection};
use serde::Serialize;

use super::Admin;
use crate::failure::Failure;

/// Tells what became of a message in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageTrack {
    /// The group.
    pub consumer_group: String,
    /// Apache's word for it.
    pub track_type: &'static str,
    /// The reason why more is not known.
    pub exception_desc: Option<String>,
}

impl Admin {
    /// Tells for each group of a message's topic what became of the message.
    ///
    /// # Errors
    /// There is no such topic any more, or its broker does not answer.
    pub async fn tracks(&self, message: &Delivery) -> Result<Vec<MessageTrack>, Failure> {
        let mut tracks = Vec::new();
        for consumer_group in self.groups_of(message.topic()).await? {
            let (track_type, exception_desc) = match self.track(message, &consumer_group).await {
                Ok(track_type) => (track_type, None),
                Err(failure) if failure.is(ResponseCode::CONSUMER_NOT_ONLINE) => {
                    ("NOT_ONLINE", Some(format!("CODE:206 DESC:{}", failure.remark)))
                }
                Err(failure) if failure.is(ResponseCode::BROADCAST_CONSUMPTION) => {
                    ("CONSUME_BROADCASTING", None)
                }
                Err(failure) => ("UNKNOWN", Some(failure.text)),
            };
            tracks.push(MessageTrack { consumer_group, track_type, exception_desc });
        }
        Ok(tracks)
    }

    async fn track(&self, message: &Delivery, group: &str) -> Result<&'static str, Failure> {
        let members = self.members(group).await?;
        Ok(match members.consume_type {
            ConsumeType::Actively => "PULL",
            ConsumeType::Pop => "UNKNOWN",
            ConsumeType::Passively if !self.is_consumed(message, group).await? => "NOT_CONSUME_YET",
            ConsumeType::Passively if filters_out(&members, message) => "CONSUMED_BUT_FILTERED",
            ConsumeType::Passively => "CONSUMED",
        })
    }

    async fn is_consumed(&self, message: &Delivery, group: &str) -> Result<bool, Failure> {
        let (progress, info) = (self.consume_stats(group, None, None).await?, self.cluster_info().await?);
        let host = message.store_host().to_string();
        Ok(progress.offset_table.iter().any(|(queue, at)| {
            let master = info.broker_addr_table.get(&queue.broker_name).and_then(|broker| broker.master());
            queue.topic == message.topic()
                && queue.queue_id == message.queue().queue_id
                && master == Some(host.as_str())
                && at.consumer_offset > message.queue_offset()
        }))
    }
}

fn filters_out(members: &ConsumerConnection, message: &Delivery) -> bool {
    let Some(subscription) = members.subscription_table.get(message.topic()) else { return false };
    let tags = &subscription.tags_set;
    !tags.is_empty() && !tags.iter().any(|tag| tag == "*" || Some(tag.as_str()) == message.tag())
}
