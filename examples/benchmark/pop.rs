//! Switches a group to POP, like `mqadmin setConsumeMode -m POP`.

use std::time::Duration;

use rocketmq_client::Client;
use rocketmq_client::remoting::body::{MessageRequestMode, MessageRequestModeBody};
use rocketmq_client::remoting::{Command, RequestCode, ResponseCode, fastjson};

use crate::Failure;

/// Number of members that share a queue, as in the Java program.
const SHARING: i32 = 8;

pub async fn switch(client: &Client, topic: &str, group: &str) -> Result<(), Failure> {
    let mode = MessageRequestModeBody {
        topic: topic.into(),
        consumer_group: group.into(),
        mode: MessageRequestMode::Pop,
        pop_share_queue_num: SHARING,
    };
    let body = fastjson::to_vec(&mode)?;
    for broker in client.route(topic).await?.broker_datas {
        let address = broker.master().ok_or("a broker without a master")?;
        let request = Command::request(RequestCode::SET_MESSAGE_REQUEST_MODE).with_body(body.clone());
        let answer = client.call(address, request, Duration::from_secs(3)).await?;
        if answer.response_code() != ResponseCode::SUCCESS {
            return Err(format!("{address} does not switch {group} to POP: {:?}", answer.remark).into());
        }
    }
    Ok(())
}
