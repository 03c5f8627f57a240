//! RECALL_MESSAGE (370): takes back a timer message that is not due yet.

use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::recall::RecallHandle;
use rocketmq_remoting::requests::send::{RecallMessageRequest, RecallMessageResponse};

use super::parts::Parts;
use super::recall_key;
use crate::broker::log::placement::{Placement, divert};
use crate::exchange::{Asked, Refusal, Response};

pub(crate) fn recall(
    parts: &Parts,
    asked: Asked<'_, RecallMessageRequest>,
) -> Response<RecallMessageRequest> {
    let request = asked.header;
    if !parts.settings.live().recall {
        return Err(Refusal::forbidden(
            "recall failed, operation is forbidden; set recallMessageEnable=true",
        ));
    }
    let config = parts.topics.get(&request.topic).ok_or_else(|| Refusal::no_topic(&request.topic))?;
    let handle = RecallHandle::decode(&request.recall_handle)
        .ok_or_else(|| illegal("the recall handle cannot be read"))?;
    check(parts, &handle, &request.topic)?;
    let key = recall_key(&handle.topic, &handle.message_id);
    let mut properties = Properties::new();
    properties.set(property::TIMER_DEL_UNIQKEY, key);
    properties.set(property::UNIQ_KEY, handle.message_id.as_str());
    let record = parts.log.own_record(&config.topic_name, 0, &properties, b"0".to_vec());
    parts.log.append(divert(record, Placement::Timer(handle.due)))?;
    let msg_region = Some(parts.settings.fixed.region.to_owned());
    Ok(RecallMessageResponse { msg_id: handle.message_id, msg_region })
}

fn check(parts: &Parts, handle: &RecallHandle, topic: &str) -> Result<(), Refusal> {
    if handle.topic != topic {
        return Err(illegal("the recall handle belongs to another topic"));
    }
    if handle.broker != parts.settings.fixed.broker_name {
        return Err(illegal("the recall handle belongs to another broker"));
    }
    if handle.due <= parts.log.now() {
        return Err(illegal("the message is due already"));
    }
    Ok(())
}

fn illegal(remark: &str) -> Refusal {
    Refusal::new(ResponseCode::ILLEGAL_OPERATION, format!("recall failed, {remark}"))
}
