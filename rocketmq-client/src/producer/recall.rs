//! Taking a timer message back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::send::RecallMessageRequest;

use super::Shared;
use crate::error::{CallError, CallErrorKind};
use crate::net::rpc::refusal;
use crate::validate;

/// What a recall handle says: `v1 <topic> <broker> <ms> <message id>`, URL-safe Base64.
#[derive(Debug, PartialEq, Eq)]
struct Handle {
    topic: String,
    broker: String,
    message_id: String,
}

impl Handle {
    fn decode(handle: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE.decode(handle).ok()?).ok()?;
        let mut parts = text.split(' ');
        if parts.next()? != "v1" {
            return None;
        }
        let (topic, broker) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        parts.next()?.parse::<i64>().ok()?;
        let message_id = parts.next()?.to_owned();
        parts.next().is_none().then_some(Self { topic, broker, message_id })
    }
}

pub(super) async fn recall(shared: &Shared, topic: &str, handle: &str) -> Result<String, CallError> {
    let invalid = |text: String| CallError::new(CallErrorKind::InvalidRequest, text);
    validate::topic(topic).map_err(invalid)?;
    let wire_topic = shared.client.inner.names.wrap(topic);
    let parts = Handle::decode(handle).ok_or_else(|| {
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
    let recalled = RecallMessageRequest::response_from_ext(&response.ext)
        .map_err(|error| CallError::new(CallErrorKind::Malformed, error.to_string()).with_source(error))?;
    Ok(recalled.msg_id)
}

/// The broker the handle names; behind a proxy, which has names of its own, any broker of the topic.
async fn broker_of(shared: &Shared, handle: &Handle) -> Result<String, CallError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apaches_handle_is_read() {
        let handle = "djEgVDEgYnJva2VyLWEgMTcwMDAwMDAwMDAwMSAwQTAwMDAwNTEyMzQxOEI0QUFDMjBBNENCODdCMDAwQQ==";
        let expected = Handle {
            topic: "T1".into(),
            broker: "broker-a".into(),
            message_id: "0A000005123418B4AAC20A4CB87B000A".into(),
        };
        assert_eq!(Handle::decode(handle), Some(expected));
    }

    #[test]
    fn anything_else_is_not() {
        for bad in ["", "v1 T b 1 id", "djI=", "!!!"] {
            assert_eq!(Handle::decode(bad), None, "{bad}");
        }
        for bad in ["v2 T b 1 id", "v1 T b x id", "v1 T b 1", "v1 T b 1 id more"] {
            assert_eq!(Handle::decode(&URL_SAFE.encode(bad)), None, "{bad}");
        }
    }
}
