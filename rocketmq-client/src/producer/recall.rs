//! The recall of a timer message.

use rocketmq_remoting::recall::RecallHandle;
use rocketmq_remoting::requests::send::RecallMessageRequest;
use rocketmq_remoting::{Request as _, ResponseCode};

use super::sender::Sender;
use crate::cluster::Which;
use crate::cluster::calls::{Target, read, unwritable};
use crate::cluster::route::Purpose;
use crate::error::{CallError, CallErrorKind};
use crate::messages::validate;

pub(super) async fn recall(sender: &Sender, topic: &str, handle: &str) -> Result<String, CallError> {
    let invalid = |text: String| CallError::new(CallErrorKind::InvalidRequest, text);
    validate::topic(topic).map_err(invalid)?;
    let wire_topic = sender.cluster.names.wrap(topic);
    let parts = RecallHandle::decode(handle).ok_or_else(|| {
        invalid(format!("\"{handle}\" is no recall handle; take it from Receipt::recall_handle()"))
    })?;
    if parts.topic != wire_topic {
        return Err(invalid(format!("the recall handle is for topic {}, not {topic}", parts.topic)));
    }
    let address = broker_of(sender, &parts).await?;
    let request = RecallMessageRequest {
        producer_group: Some(sender.wire_group.clone()),
        topic: wire_topic,
        recall_handle: handle.to_owned(),
    };
    let command = request.command(&()).map_err(unwritable)?;
    let answer = sender.cluster.call_raw(&address, command, sender.config.send_timeout).await?;
    if let Some(tracer) = &sender.tracer {
        let success = answer.response_code() == ResponseCode::SUCCESS;
        tracer.recalled(topic, &parts.message_id, answer.ext.get("MSG_REGION"), success);
    }
    let target = Target { address: &address, broker: &parts.broker, topic };
    Ok(read::<RecallMessageRequest>(answer, target)?.payload.msg_id)
}

/// Finds the broker that the handle names; behind a proxy, which uses names of its own, any broker of the topic.
async fn broker_of(sender: &Sender, handle: &RecallHandle) -> Result<String, CallError> {
    let cluster = &sender.cluster;
    let named = match cluster.address(&handle.broker, Which::Master, &handle.topic).await {
        Ok(address) => return Ok(address.to_string()),
        Err(error) => error,
    };
    let info = cluster.topic(&handle.topic, Purpose::Read, None).await.map_err(CallError::no_route)?;
    let any = info.route.broker_datas.iter().find_map(|broker| broker.master().map(str::to_owned));
    any.ok_or(named)
}
