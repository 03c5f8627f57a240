//! Taking a timer message back.

use rocketmq_remoting::recall::RecallHandle;
use rocketmq_remoting::requests::send::{RecallMessageRequest, RecallMessageResponse};
use rocketmq_remoting::{Header as _, Request as _, ResponseCode};

use super::Shared;
use crate::cluster::net::rpc::refusal;
use crate::error::{CallError, CallErrorKind};
use crate::messages::validate;

pub(super) async fn recall(shared: &Shared, topic: &str, handle: &str) -> Result<String, CallError> {
    let invalid = |text: String| CallError::new(CallErrorKind::InvalidRequest, text);
    validate::topic(topic).map_err(invalid)?;
    let wire_topic = shared.client.inner.names.wrap(topic);
    let parts = RecallHandle::decode(handle).ok_or_else(|| {
        invalid(format!("\"{handle}\" is no recall handle; take it from Receipt::recall_handle()"))
    })?;
    if parts.topic != wire_topic {
        return Err(invalid(format!("the recall handle is for topic {}, not {topic}", parts.topic)));
    }
    let address = broker_of(shared, &parts).await?;
    let header = RecallMessageRequest {
        producer_group: Some(shared.wire_group.clone()),
        topic: wire_topic,
        recall_handle: handle.to_owned(),
    };
    let command = header.to_command().map_err(|error| invalid(error.to_string()))?;
    let client = &shared.client.inner;
    let response = client.call_broker(&address, command, shared.config.send_timeout).await?;
    if let Some(tracer) = &shared.tracer {
        let success = response.response_code() == ResponseCode::SUCCESS;
        tracer.recalled(topic, &parts.message_id, response.ext.get("MSG_REGION"), success);
    }
    if response.response_code() != ResponseCode::SUCCESS {
        return Err(CallError::refused_by(refusal(&response, &parts.broker, topic)));
    }
    let recalled = RecallMessageResponse::from_fields(&response.ext)
        .map_err(|error| CallError::new(CallErrorKind::Malformed, error.to_string()).with_source(error))?;
    Ok(recalled.msg_id)
}

/// The broker the handle names; behind a proxy, which has names of its own, any broker of the topic.
async fn broker_of(shared: &Shared, handle: &RecallHandle) -> Result<String, CallError> {
    let client = &shared.client.inner;
    if let Some(address) = client.master_of(&handle.broker, &handle.topic).await {
        return Ok(address);
    }
    let any = client.routes.topic(&handle.topic);
    let any = any.and_then(|info| info.route.broker_datas.iter().find_map(|b| b.master().map(str::to_owned)));
    any.ok_or_else(|| {
        let text = format!("broker {} of topic {} is in no route", handle.broker, handle.topic);
        CallError::new(CallErrorKind::UnknownBroker, text)
    })
}
