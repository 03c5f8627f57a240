//! Asking about the members of a group, and having one handle a message.

use std::time::Duration;

use bytes::Bytes;
use rocketmq_remoting::body::{ConsumeMessageDirectlyResult, ConsumerConnection, ConsumerRunningInfo};
use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetConsumerConnectionListRequest, GetConsumerRunningInfoRequest,
};
use rocketmq_remoting::{Json, Request, names};

use super::admin::no_offset_id;
use super::handle::Client;
use crate::cluster::calls::Target;
use crate::error::{CallError, CallErrorKind};

/// A broker gives the consumer it passes a request on to 10 s.
const RELAY_TIMEOUT: Duration = Duration::from_secs(15);

/// Topics and groups in what is answered have their names on the wire: with the namespace, where there is one.
impl Client {
    /// The members of a consumer group and what they subscribe to, as a broker knows them: `mqadmin consumerConnection`.
    ///
    /// # Errors
    /// When no broker has ever met the group, or none answers with members; that nobody is online is such a refusal
    /// (`CONSUMER_NOT_ONLINE`).
    pub async fn consumer_connection(&self, group: &str) -> Result<ConsumerConnection, CallError> {
        let consumer_group = self.membership.cluster.names.wrap(group);
        let Json(members) =
            self.ask_about(group, &GetConsumerConnectionListRequest { consumer_group }).await?;
        Ok(members)
    }

    /// Queues, offsets, rates and settings of one member, a consumer of any language: `mqadmin consumerStatus`.
    /// `with_stack`: also, in [`ConsumerRunningInfo::jstack`], what the threads of a Java member do; push consumers of this
    /// client tell which messages their handlers work on, and for how long.
    ///
    /// # Errors
    /// When no broker has ever met the group, no broker knows the member, or it does not answer within 10 s.
    pub async fn running_info(
        &self,
        group: &str,
        client_id: &str,
        with_stack: bool,
    ) -> Result<ConsumerRunningInfo, CallError> {
        let request = GetConsumerRunningInfoRequest {
            consumer_group: self.membership.cluster.names.wrap(group),
            client_id: client_id.to_owned(),
            jstack_enable: with_stack,
        };
        let Json(info) = self.ask_about(group, &request).await?;
        Ok(info)
    }

    /// Has a member handle one stored message at once, and says what became of it; the group's progress stays as it is. So
    /// a dead letter gets another chance. The message is named as [`Delivery::offset_message_id`](crate::Delivery::offset_message_id)
    /// does, and need not be of a topic the group reads.
    ///
    /// ```no_run
    /// # async fn again(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let member = &client.consumer_connection("billing").await?.connection_set[0];
    /// for dead in client.query_messages("%DLQ%billing", "order-42").await? {
    ///     let id = dead.offset_message_id();
    ///     let result = client.consume_directly("billing", &member.client_id, &id).await?;
    ///     println!("{id} {:?}", result.consume_result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the id is none, no message begins there, the broker that stores it does not know the member, or the handler
    /// takes longer than the 10 s brokers grant; its verdict is lost then.
    pub async fn consume_directly(
        &self,
        group: &str,
        client_id: &str,
        offset_message_id: &str,
    ) -> Result<ConsumeMessageDirectlyResult, CallError> {
        let id: OffsetMessageId = offset_message_id.parse().map_err(no_offset_id)?;
        let request = ConsumeMessageDirectlyRequest {
            consumer_group: self.membership.cluster.names.wrap(group),
            client_id: Some(client_id.to_owned()),
            msg_id: Some(offset_message_id.to_owned()),
            ..ConsumeMessageDirectlyRequest::default()
        };
        let address = id.host.to_string();
        let target = Target::address(&address);
        let asked = self.membership.cluster.call(target, &request, Bytes::new(), RELAY_TIMEOUT);
        asked.await.map(|Json(result)| result)
    }

    /// The first answer that is no refusal: a broker knows those of a group who have to do with it. Every broker that has
    /// met a group has its retry topic.
    async fn ask_about<R: Request<Body = ()>>(
        &self,
        group: &str,
        request: &R,
    ) -> Result<R::Response, CallError> {
        let retry = names::retry_topic(&self.membership.cluster.names.wrap(group));
        let mut failure = unmet(group);
        let brokers = match self.brokers(&retry).await {
            Err(error) if error.kind() == CallErrorKind::TopicNotFound => return Err(failure),
            brokers => brokers?,
        };
        for (broker, address) in brokers {
            let target = Target { address: &address, broker: &broker, topic: "" };
            match self.membership.cluster.call(target, request, (), RELAY_TIMEOUT).await {
                Ok(answer) => return Ok(answer),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn unmet(group: &str) -> CallError {
    let text =
        format!("no broker has met group \"{group}\", it has no retry topic; start a member of it first");
    CallError::new(CallErrorKind::TopicNotFound, text)
}
