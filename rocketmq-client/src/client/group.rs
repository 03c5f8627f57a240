//! Requests about the members of a group, and the direct handling of one message.

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

/// Brokers wait 10 s for the consumer that they pass a request on to.
const RELAY_TIMEOUT: Duration = Duration::from_secs(15);

/// The answers name topics and groups as on the wire: with the namespace, where there is one.
impl Client {
    /// Lists the members of a consumer group and their subscriptions, as a broker knows them: `mqadmin consumerConnection`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// for member in client.consumer_connection("billing").await?.connection_set {
    ///     println!("{} at {}", member.client_id, member.client_addr);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No broker has met the group, or none answers with members: a group without a member online is the refusal
    /// `CONSUMER_NOT_ONLINE`.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn consumer_connection(&self, group: &str) -> Result<ConsumerConnection, CallError> {
        let consumer_group = self.membership.cluster.names.wrap(group);
        let Json(members) =
            self.ask_about(group, &GetConsumerConnectionListRequest { consumer_group }).await?;
        Ok(members)
    }

    /// Asks one member, of any language, for its queues, offsets, rates and settings: `mqadmin consumerStatus`.
    ///
    /// `with_stack` also asks for [`ConsumerRunningInfo::jstack`]: the stacks of a Java member's threads, or the
    /// messages that the handlers of this crate's push consumers work on, and for how long.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let member = &client.consumer_connection("billing").await?.connection_set[0];
    /// let info = client.running_info("billing", &member.client_id, true).await?;
    /// println!("{:?}", info.jstack);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No broker has met the group, no broker knows the member, or the member does not answer within 10 s.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
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

    /// Makes a member handle one stored message at once, and returns its result. The group's offsets stay as they are.
    /// A dead letter gets another chance this way. [`Delivery::offset_message_id`](crate::Delivery::offset_message_id)
    /// names the message; its topic need not be one that the group reads.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
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
    /// The id is malformed, no message begins there, the broker that stores it does not know the member, or the handler
    /// takes longer than the 10 s that brokers grant; its result is lost then.
    ///
    /// # Cancel safety
    /// The handler runs to its end even if this call is cancelled.
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

    /// Asks brokers in turn for the first answer that is no refusal: each knows only the members that are connected to
    /// it. The brokers of a group are those of its retry topic.
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
