//! RECALL_MESSAGE (370): takes back a timer message that is not due yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use rocketmq_remoting::Command;
use rocketmq_remoting::Request;
use rocketmq_remoting::code::ResponseCode;
use rocketmq_remoting::message::properties::{Properties, names as property};
use rocketmq_remoting::requests::send::{RecallMessageRequest, RecallMessageResponse};

use super::answer::{Refusal, Reply, ok_header};
use super::core::Core;
use super::placement::{Placement, park};
use super::timer::recall_key;

/// What a recall handle says.
#[derive(Debug, PartialEq, Eq)]
struct Handle {
    topic: String,
    broker: String,
    /// When the message is due, in milliseconds since 1970.
    due: i64,
    unique_key: String,
}

pub fn handle(core: &Core, command: &Command) -> Reply {
    let request = RecallMessageRequest::from_ext(&command.ext)?;
    if !core.tuned().recall {
        return Err(Refusal::forbidden(
            "recall failed, operation is forbidden; set recallMessageEnable=true",
        ));
    }
    let config = core.topics.get(&request.topic).ok_or_else(|| Refusal::no_topic(&request.topic))?;
    let handle =
        read_handle(&request.recall_handle).ok_or_else(|| illegal("the recall handle cannot be read"))?;
    check(core, &handle, &request.topic)?;
    let key = recall_key(&handle.topic, &handle.unique_key);
    let mut properties = Properties::new();
    properties.set(property::TIMER_DEL_UNIQKEY, key);
    properties.set(property::UNIQ_KEY, handle.unique_key.as_str());
    let record = core.own_record(&config.topic_name, 0, &properties, b"0".to_vec());
    core.append(park(record, Placement::Timer(handle.due)))?;
    let answer = ok_header(&RecallMessageResponse { msg_id: handle.unique_key })?;
    let mut ext = answer.ext.clone();
    ext.push("MSG_REGION", core.stamp.region());
    Ok(answer.with_ext(ext))
}

fn check(core: &Core, handle: &Handle, topic: &str) -> Result<(), Refusal> {
    if handle.topic != topic {
        return Err(illegal("the recall handle belongs to another topic"));
    }
    if handle.broker != core.settings.broker_name {
        return Err(illegal("the recall handle belongs to another broker"));
    }
    if handle.due <= core.now() {
        return Err(illegal("the message is due already"));
    }
    Ok(())
}

fn illegal(remark: &str) -> Refusal {
    Refusal::new(ResponseCode::ILLEGAL_OPERATION, format!("recall failed, {remark}"))
}

/// Reads `v1 topic broker (due + 1) key` from URL-safe base64.
fn read_handle(text: &str) -> Option<Handle> {
    let decoded = String::from_utf8(URL_SAFE.decode(text).ok()?).ok()?;
    let parts: Vec<&str> = decoded.split(' ').collect();
    let ["v1", topic, broker, after_due, unique_key] = parts[..] else {
        return None;
    };
    Some(Handle {
        topic: topic.to_owned(),
        broker: broker.to_owned(),
        due: after_due.parse::<i64>().ok()?.checked_sub(1)?,
        unique_key: unique_key.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_of_apaches_broker_is_read() {
        let text = "djEgVDEgYnJva2VyLWEgMTcwMDAwMDAwMDAwMSAwQTAwMDAwNTEyMzQxOEI0QUFDMjBBNENCODdCMDAwQQ==";
        let handle = read_handle(text).unwrap();
        assert_eq!((handle.topic.as_str(), handle.broker.as_str()), ("T1", "broker-a"));
        assert_eq!(handle.due, 1_700_000_000_000);
        assert!(read_handle("nonsense").is_none());
    }
}
